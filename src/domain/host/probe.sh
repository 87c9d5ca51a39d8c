# probe.sh [AGENT...]: reports what this machine is and has, one record `key v=value` a line. AGENT is a program of an agent to look
# for. What cannot be found out is left out, except programs: one that is not installed is reported without a path. Needs
# nothing but the shell itself. report.sh and root.sh come first.

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

gpus() {
    if [ -d /sys/bus/pci/devices ]; then
        adapter=no
        for vendor in /sys/bus/pci/devices/*/vendor; do
            id='' class=''
            [ -r "$vendor" ] && IFS= read -r id <"$vendor"
            [ "$id" = 0x10de ] || continue
            IFS= read -r class <"${vendor%vendor}class"
            case $class in 0x03*) adapter=yes ;; esac
        done
        say gpu_adapter "$adapter"
    elif [ -d /sys/class ]; then
        say gpu_adapter no
    fi
    [ -e /proc/driver/nvidia/version ] && say gpu_module yes
    smi=$(command -v nvidia-smi 2>/dev/null)
    for candidate in /usr/lib/wsl/lib/nvidia-smi /usr/bin/nvidia-smi /usr/local/nvidia/bin/nvidia-smi; do
        [ -z "$smi" ] && [ -x "$candidate" ] && smi=$candidate
    done
    [ -n "$smi" ] || return
    say gpu_program "$smi"
    fields=index,uuid,name,memory.total,memory.used,memory.free,utilization.gpu,temperature.gpu,power.draw
    answer=$(limited 15 "$smi" --query-gpu=$fields,driver_version --format=csv,noheader,nounits 2>&1)
    status=$?
    case $answer in
    *'not a valid field'*)
        answer=$(limited 15 "$smi" --query-gpu=$fields --format=csv,noheader,nounits 2>&1)
        status=$?
        say gpu_short yes
        ;;
    esac
    printf '%s\n' "$answer" | lines gpu
    say gpu_status "$status"
    [ "$status" = 0 ] || return
    answer=$(limited 15 "$smi" --query-compute-apps=gpu_uuid,pid,process_name,used_memory --format=csv,noheader,nounits 2>&1)
    status=$?
    printf '%s\n' "$answer" | lines gpu_process
    say gpu_process_status "$status"
    limited 15 "$smi" 2>/dev/null | while IFS= read -r line; do
        case $line in *CUDA*Version:*) say gpu_header "$line" ;; esac
    done
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
