# probe.sh [AGENT...]: reports what this machine is and has, one record `key v=value` a line. AGENT is a program of an agent to look
# for. What cannot be found out is left out, except programs: one that is not installed is reported without a path. Needs
# nothing but the shell itself. report.sh, root.sh and gpus.sh come first.

# program KEY NAME FLAG
program() {
    path=$(command -v "$2" 2>/dev/null)
    case $path in
    /*) ;;
    *)
        say "$1" "$2"
        return
        ;;
    esac
    say "$1" "$2 $path"
    limited 15 "$path" "$3" 2>/dev/null | first_lines "$1_version" "$2"
}

scheduler() {
    for name in sinfo sbatch qsub pbsnodes; do
        path=$(command -v "$name" 2>/dev/null) && say scheduler "$name $path"
    done
    if command -v sinfo >/dev/null 2>&1; then
        limited 15 sinfo --version 2>/dev/null | lines slurm_version
    fi
    [ -n "${SGE_ROOT:-}" ] && say sge_root "$SGE_ROOT"
    if command -v qsub >/dev/null 2>&1; then
        limited 15 qsub -help 2>/dev/null | first_lines qsub_help ''
        limited 15 qsub --version 2>&1 | first_lines qsub_version ''
    fi
}

container() {
    [ -n "${KUBERNETES_SERVICE_HOST:-}" ] && say container kubernetes
    [ -e /.dockerenv ] && say container docker
    [ -e /run/.containerenv ] && say container podman
    [ -n "${APPTAINER_CONTAINER:-}${SINGULARITY_CONTAINER:-}" ] || [ -d /.singularity.d ] && say container apptainer
    [ -n "${container:-}" ] && say container "$container"
    if [ -r /proc/1/cgroup ]; then
        while IFS= read -r line; do
            case $line in
            *kubepods*) say container kubernetes ;;
            *docker*) say container docker ;;
            *libpod*) say container podman ;;
            *lxc*) say container lxc ;;
            esac
        done </proc/1/cgroup
    fi
}

# Programs can be slow to start, agents above all: all at once, and each ends by itself. A line is one
# write, so lines do not mix.
for name in git tar sha256sum base64 timeout stat head mktemp flock setsid python3 uv rsync gcc make docker; do
    program tool "$name" --version &
done
program tool tmux -V &
for name in "$@"; do
    program agent "$name" --version &
done
gpus &
scheduler &

say clock "$(date +%s 2>/dev/null)"
say host_name "$(uname -n 2>/dev/null)"
say kernel "$(uname -s 2>/dev/null)"
say release "$(uname -r 2>/dev/null)"
say architecture "$(uname -m 2>/dev/null)"
say user "$(id -un 2>/dev/null)"
say home "${HOME:-}"
say cores "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null)"
login_shell=${SHELL:-}
if [ -z "$login_shell" ]; then
    entry=$(getent passwd "$(id -un 2>/dev/null)" 2>/dev/null)
    login_shell=${entry##*:}
fi
say login_shell "$login_shell"
[ -r /etc/os-release ] && lines os </etc/os-release
if [ -r /proc/meminfo ]; then
    while IFS= read -r line; do
        case $line in MemTotal:* | MemAvailable:*) say memory "$line" ;; esac
    done </proc/meminfo
else
    say memory_bytes "$(sysctl -n hw.memsize 2>/dev/null)"
fi
[ -r /proc/loadavg ] && lines load </proc/loadavg
[ -r /proc/uptime ] && lines uptime </proc/uptime
[ -r /proc/sys/kernel/random/boot_id ] && lines boot_id </proc/sys/kernel/random/boot_id
report_root
container
wait
exit 0
