# Processes and small files of a run, for every script that looks at one. POSIX sh on Linux.
# Defines: nap number put unpack once identify alive here lives ended intact deploy.

# nap SECONDS: sleeps for a fraction of a second where sleep can, else for one.
nap() { sleep "$1" 2>/dev/null || sleep 1; }

# number TEXT: whether it is a number that this shell can compute with.
number() {
    case $1 in
    '' | *[!0-9]* | 0?* | ???????????????*) return 1 ;;
    esac
}

# put PATH TEXT: writes a file whole: nobody ever reads half of it, and two writers do not mix.
put() {
    f_draft=${1%"${1##*/}"}.${1##*/}.$$
    printf '%s\n' "$2" 2>/dev/null >"$f_draft" && mv -f "$f_draft" "$1" 2>/dev/null && return 0
    rm -f "$f_draft"
    return 1
}

# unpack PATH NUMBER: writes a payload of the program that was sent into a file, whole.
unpack() {
    f_draft=${1%"${1##*/}"}.${1##*/}.$$
    payload "$2" >"$f_draft" && mv -f "$f_draft" "$1" && return 0
    rm -f "$f_draft"
    return 1
}

# once PATH TEXT: makes a file whole, unless there is one; false where there was.
once() {
    f_draft=${1%"${1##*/}"}.${1##*/}.$$
    printf '%s\n' "$2" 2>/dev/null >"$f_draft" || return 1
    if ln "$f_draft" "$1" 2>/dev/null; then
        f_made=0
    elif [ -e "$1" ]; then
        f_made=1
    else # a file system without hard links
        (set -C && printf '%s\n' "$2" >"$1") 2>/dev/null
        f_made=$?
    fi
    rm -f "$f_draft"
    return "$f_made"
}

# identify PID: sets p_name, p_parent, p_group, p_session, p_terminal, p_start; false where there is no such process, or only its remains.
identify() {
    p_line=
    while IFS= read -r p_part || [ -n "$p_part" ]; do
        p_line="$p_line$p_part "
    done 2>/dev/null <"/proc/$1/stat"
    case $p_line in
    *') '*) ;;
    *) return 1 ;;
    esac
    # The program's name may hold anything; the fields follow its last parenthesis.
    p_name=${p_line#*(}
    p_name=${p_name%) *}
    # shellcheck disable=SC2086 # the fields are many words on purpose
    set -- ${p_line##*) }
    case $1 in
    Z | X | x) return 1 ;;
    esac
    p_parent=$2 p_group=$3 p_session=$4 p_terminal=$5 p_start=${20}
}

# alive PID START BOOT: whether that very process lives. A recycled pid has another start time. Needs: here.
alive() {
    [ "$3" = "$boot" ] && number "$1" && [ "$1" -gt 1 ] && identify "$1" && [ "$p_start" = "$2" ]
}

# here: sets boot, the id of this boot, and node, a name of this machine; false where there is no /proc.
here() {
    boot=
    node=
    n_machine=
    { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
    { read -r node </proc/sys/kernel/hostname; } 2>/dev/null
    { read -r n_machine </etc/machine-id; } 2>/dev/null
    n_rest=${n_machine#????????}
    node=$node.${n_machine%"$n_rest"}
    case $node in
    *[!A-Za-z0-9._-]*) node=odd ;;
    esac
    [ -n "$boot" ]
}

# lives RUN_DIR: whether the leader of the run lives. Needs: here.
lives() {
    l_pid=
    [ ! -f "$1/leader" ] || read -r l_pid l_start l_boot l_rest <"$1/leader"
    alive "$l_pid" "$l_start" "$l_boot"
}

# ended RUN_DIR: sets state_line to the run's state, and says whether it is an end. A supervisor ends the leader before it
# writes the end, so what says so while the leader lives was written by somebody else. Needs: here.
ended() {
    state_line=
    [ ! -f "$1/state" ] || read -r state_line <"$1/state"
    case $state_line in
    *' state=succeeded '* | *' state=failed '* | *' state=cancelled '* | *' state=timed_out '* | *' state=lost '*) ;;
    *) return 1 ;;
    esac
    ! lives "$1"
}

# intact FILE DIGEST: whether a file has that SHA-256. What is run on a host was compared at that moment: a name is no proof.
intact() {
    i_sum=$(sha256sum 2>/dev/null <"$1") && [ "${i_sum%% *}" = "$2" ]
} 2>/dev/null

# deploy FILE DIGEST: makes sure that a supervisor lies there with exactly that content, which is payload 1.
deploy() {
    intact "$1" "$2" && return 0
    [ ! -d "$1" ] || rm -rf "$1"
    mkdir -p "${1%/*}" && unpack "$1" 1 && intact "$1" "$2"
}
