# Tells the state of many runs at once.
#
# $1 seconds to wait for a change, $2 digest of the state lines known to the caller or `-`, then for each run:
# job folder, run number, and a hint at its supervisor: `-` (the run has ended), `PID@BOOT` (as last seen) or `0`.
# Prints `legwork-poll now=… boot=…`; `legwork-missing job=… dir=yes|no claim=yes|no` for each run without a
# state; `legwork-unsupervised job=…` for each whose supervisor was found gone, for which another one is called;
# `legwork-elsewhere job=…` for each that another machine sharing the folder supervises; then the state and heartbeat lines as they are. With 50 runs that is two processes: date and cat.
legwork_poll() {
    q_wait=$1 q_known=$2 q_boot=
    shift 2
    { read -r q_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
    if [ "$q_wait" -gt 0 ]; then
        legwork_wait "$@"
    fi
    date "+legwork-poll now=%s boot=$q_boot" &
    q_date=$!
    q_notes=
    q_count=$#
    # The names of the files are added behind the arguments, which go as they are read.
    while [ $q_count -gt 0 ]; do
        q_job=$1 q_run=$1/runs/$2 q_hint=$3
        shift 3
        q_count=$((q_count - 3))
        if [ -f "$q_run/state" ]; then
            set -- "$@" "$q_run/state" "$q_run/heartbeat"
            case $q_hint in
            -) ;;
            *"@$q_boot") [ -d "/proc/${q_hint%@*}" ] || legwork_look ;;
            *) legwork_look ;;
            esac
        else
            q_dir=no q_claim=no
            [ -d "$q_job" ] && q_dir=yes
            [ -d "$q_run/claim" ] && q_claim=yes && legwork_call
            q_notes="${q_notes}legwork-missing job=${q_job##*/} dir=$q_dir claim=$q_claim
"
        fi
    done
    wait $q_date
    printf %s "$q_notes"
    [ $# -eq 0 ] || cat "$@" 2>/dev/null
    return 0
}
# Looks closely at one run: whether it is under way without a supervisor.
legwork_look() {
    q_line=
    read -r q_line <"$q_run/state"
    case $q_line in
    *' state=launching '* | *' state=running '*) ;;
    *) return 0 ;;
    esac
    q_sup=${q_line##* sup=}
    q_start=${q_line##* sup_start=}
    q_start=${q_start%% *}
    case $q_line in
    *" boot=$q_boot "*)
        q_stat=
        { read -r q_stat <"/proc/${q_sup%% *}/stat"; } 2>/dev/null
        # Its 22nd field is the start time; the third says whether it is a zombie.
        set -- ${q_stat##*) }
        [ "${20-}" = "$q_start" ] && [ "${1-}" != Z ] && return 0
        ;;
    *)
        # Another boot of this machine, or another machine that shares the folder? That one cannot be judged here.
        q_node= q_machine=
        { read -r q_node </proc/sys/kernel/hostname; } 2>/dev/null
        { read -r q_machine </etc/machine-id; } 2>/dev/null
        q_rest=${q_machine#????????}
        q_node=$q_node.${q_machine%"$q_rest"}
        case $q_line in
        *" node=$q_node "* | *" node=odd "*) ;;
        *)
            q_notes="${q_notes}legwork-elsewhere job=${q_job##*/}
"
            return 0
            ;;
        esac
        ;;
    esac
    q_notes="${q_notes}legwork-unsupervised job=${q_job##*/}
"
    legwork_call
}
# Calls another supervisor; it does nothing where one lives.
legwork_call() {
    q_supervisor=
    [ -f "$q_run/supervisor" ] && IFS= read -r q_supervisor <"$q_run/supervisor"
    [ -f "$q_supervisor" ] || for q_supervisor in "${q_job%/jobs/*}"/bin/supervise-*.sh; do :; done
    [ -f "$q_supervisor" ] || return 0
    sh "$q_supervisor" --detach --finalize "$q_run"
}
# Waits until a state is other than the caller knows it, all have ended, or the time is over.
legwork_wait() {
    q_left=$((q_wait * 10))
    q_first=
    while :; do
        q_states=$(legwork_states "$@")
        if [ -z "$q_first" ]; then
            q_first=${q_states:-none}
            if [ "$q_known" != - ]; then
                q_digest=$([ -z "$q_states" ] || printf '%s\n' "$q_states" | sha256sum)
                [ "${q_digest%% *}" = "$q_known" ] || return 0
            fi
        fi
        [ "${q_states:-none}" = "$q_first" ] || return 0
        [ $q_left -gt 0 ] || return 0
        case $q_states in
        *' state=launching '* | *' state=running '* | *' state=queued '*) ;;
        *) return 0 ;;
        esac
        legwork_dead "$@" && return 0
        q_left=$((q_left - 3))
        sleep 0.3 2>/dev/null || { sleep 1 && q_left=$((q_left - 7)); }
    done
}
legwork_states() {
    q_count=$#
    while [ $q_count -gt 0 ]; do
        set -- "$@" "$1/runs/$2/state"
        shift 3
        q_count=$((q_count - 3))
    done
    [ $# -eq 0 ] || cat "$@" 2>/dev/null
}
legwork_dead() {
    while [ $# -ge 3 ]; do
        case $3 in
        *"@$q_boot") [ -d "/proc/${3%@*}" ] || return 0 ;;
        esac
        shift 3
    done
    return 1
}
legwork_poll "$@"
