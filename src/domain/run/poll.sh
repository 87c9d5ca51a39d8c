# Prints the states of many runs at once. Needs: process.sh.
#
# $1 seconds to wait for a change, $2 digest of the state lines known to the caller or `-`, $3 file name of a supervisor below
# bin, $4 its digest, then for each run: name of what is run, token, and a hint at its supervisor: `-` (the run has ended), `PID@BOOT` (of the last state line) or `0`.
# Prints `legwork-poll uptime=… boot=…`; `legwork-missing job=… dir=yes|no claim=yes|no` for each run without a
# state; `legwork-unsupervised job=…` for each whose supervisor was found gone, for which another one is called;
# `legwork-unattended job=…` for each for which none could be called, because what lies below bin is not what was to lie there;
# `legwork-disbelieved job=…` for each whose state says that it has ended while its leader lives: that was not written by its
# supervisor;
# `legwork-elsewhere job=…` for each that another machine sharing the folder supervises; then the state
# lines as they are, behind /proc/stat, whose `btime` makes a time of the uptime. For any number of runs that is one
# process: head, which unlike cat writes them in one go.
legwork_poll() {
    q_wait=$1 q_known=$2 q_supervisor=$LEGWORK_ROOT/bin/$3 q_digest=$4 q_intact=
    shift 4
    here
    # Ids are plain words, so that relative names need no quotes.
    q_gone=
    cd "$LEGWORK_ROOT/control" 2>/dev/null || q_gone=yes q_wait=0
    if [ "$q_wait" -gt 0 ]; then
        legwork_wait "$@"
    fi
    q_up=
    { read -r q_up q_idle </proc/uptime; } 2>/dev/null
    printf 'legwork-poll uptime=%s boot=%s\n' "${q_up%.*}" "$boot"
    q_notes='' q_files=''
    while [ $# -ge 3 ]; do
        q_job=$1 q_run=$1/$2
        if [ -z "$q_gone" ] && [ -f "$q_run/state" ] && [ ! -h "$q_run/state" ]; then
            q_files="$q_files $q_run/state"
            case $3 in
            -) ;;
            *"@$boot") [ -d "/proc/${3%@*}" ] || legwork_look ;;
            *) legwork_look ;;
            esac
        else
            q_dir=no q_claim=no
            [ -z "$q_gone" ] && [ -d "$q_run" ] && q_dir=yes
            [ $q_dir = yes ] && [ -d "$q_run/claim" ] && q_claim=yes && legwork_call
            q_notes="${q_notes}legwork-missing job=$q_job dir=$q_dir claim=$q_claim
"
        fi
        shift 3
    done
    # shellcheck disable=SC2086 # ids are plain words
    q_lines=$(head -q -c 200000 /proc/stat $q_files 2>/dev/null)
    case $q_lines in
    *' state=succeeded '* | *' state=failed '* | *' state=cancelled '* | *' state=timed_out '* | *' state=lost '*)
        legwork_ends
        ;;
    esac
    printf '%s%s\n' "$q_notes" "$q_lines"
    return 0
}
# Looks at the runs whose states say that they have ended: where the leader lives that is not so.
legwork_ends() {
    q_believed=
    for q_file in $q_files; do
        q_run=${q_file%/state} q_job=${q_file%%/*}
        read -r q_line <"$q_file"
        case $q_line in
        *' state=launching '* | *' state=running '* | *' state=queued '*) ;;
        *)
            if lives "$q_run"; then
                q_notes="${q_notes}legwork-disbelieved job=$q_job
"
                legwork_call
                continue
            fi
            ;;
        esac
        q_believed="$q_believed $q_file"
    done
    # shellcheck disable=SC2086 # ids are plain words
    [ "$q_believed" = "$q_files" ] || q_lines=$(head -q -c 200000 /proc/stat $q_believed 2>/dev/null)
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
    case $q_line in
    *" boot=$boot "*) ! alive "${q_sup%% *}" "${q_start%% *}" "$boot" || return 0 ;;
    *" node=$node "* | *" node=odd "*) ;;
    *)
        # Another machine that shares the folder wrote this, and its processes cannot be seen from here.
        q_notes="${q_notes}legwork-elsewhere job=$q_job
"
        return 0
        ;;
    esac
    q_notes="${q_notes}legwork-unsupervised job=$q_job
"
    legwork_call
}
# Calls another supervisor; it does nothing where one lives.
legwork_call() {
    if [ -z "$q_intact" ]; then
        q_intact=no
        ! intact "$q_supervisor" "$q_digest" || q_intact=yes
    fi
    if [ $q_intact = yes ]; then
        sh "$q_supervisor" --detach --finalize "$q_run" "$q_digest" </dev/null
    else
        q_notes="${q_notes}legwork-unattended job=$q_job
"
    fi
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
                q_sum=$([ -z "$q_states" ] || printf '%s\n' "$q_states" | sha256sum)
                [ "${q_sum%% *}" = "$q_known" ] || return 0
            fi
        fi
        [ "${q_states:-none}" = "$q_first" ] || return 0
        [ $q_left -gt 0 ] || return 0
        case $q_states in
        *' state=launching '* | *' state=running '* | *' state=queued '*) ;;
        # A run without a state may be about to write one, where it has a folder to write it into.
        '') legwork_present "$@" || return 0 ;;
        *) return 0 ;;
        esac
        legwork_dead "$@" && return 0
        # Another parent means that the process that waits for the answer is gone.
        if identify $$ && [ "$p_parent" != "$PPID" ]; then return 0; fi
        q_left=$((q_left - 3))
        sleep 0.3 2>/dev/null || { sleep 1 && q_left=$((q_left - 7)); }
    done
}
# Prints the state lines without the heartbeats at their ends.
legwork_states() {
    q_files=
    while [ $# -ge 3 ]; do
        q_files="$q_files $1/$2/state"
        shift 3
    done
    # shellcheck disable=SC2086 # ids are plain words
    [ -z "$q_files" ] || cat $q_files 2>/dev/null | while IFS= read -r q_line; do printf '%s\n' "${q_line%% at=*}"; done
}
legwork_present() {
    while [ $# -ge 3 ]; do
        [ -d "$1/$2" ] || return 1
        shift 3
    done
}
legwork_dead() {
    while [ $# -ge 3 ]; do
        case $3 in
        *"@$boot") [ -d "/proc/${3%@*}" ] || return 0 ;;
        esac
        shift 3
    done
    return 1
}
legwork_poll "$@"
