# Ends a run and waits for its end.
#
# $1 job folder, $2 run number, $3 seconds between TERM and KILL, and, if it is known, $4 path of a supervisor.
# Prints the run's state line and `legwork-survivors pids=…`; where there is nothing to cancel,
# `legwork-missing job=… dir=yes|no claim=yes|no`. The ending is the supervisor's work: if it is gone, another
# one is called, which tells by pid, start time and boot id what belongs to the run.
legwork_cancel() {
    c_run=$1/runs/$2
    if [ ! -d "$1" ]; then
        printf 'legwork-missing job=%s dir=no claim=no\n' "${1##*/}"
        return 0
    fi
    if ! legwork_over; then
        mkdir -p "$c_run"
        # The tombstone comes first: whatever is started from now on sees it.
        : >"$c_run/cancelled"
        printf '%s\n' "$3" >"$c_run/.cancel.$$" && mv -f "$c_run/.cancel.$$" "$c_run/cancel"
        c_supervisor=${4-}
        [ -f "$c_run/supervisor" ] && IFS= read -r c_supervisor <"$c_run/supervisor"
        [ -f "$c_supervisor" ] || for c_supervisor in "${1%/jobs/*}"/bin/supervise-*.sh; do :; done
        c_mode=
        [ -d "$c_run/claim" ] && c_mode=--finalize
        if [ -f "$c_supervisor" ]; then
            sh "$c_supervisor" --detach $c_mode "$c_run"
            # The time to end, and some more to compare the worktree with its base.
            c_left=$((($3 + 10) * 20))
            while [ $c_left -gt 0 ] && ! legwork_over; do
                c_left=$((c_left - 1))
                sleep 0.05 2>/dev/null || { sleep 1 && c_left=$((c_left - 19)); }
            done
        fi
    fi
    legwork_over
    if [ -n "$c_line" ]; then
        c_pids=${c_line##* survivors=}
        c_pids=${c_pids%% *}
        printf '%s\nlegwork-survivors pids=%s\n' "$c_line" "$c_pids"
    else
        c_claim=no
        [ -d "$c_run/claim" ] && c_claim=yes
        printf 'legwork-missing job=%s dir=yes claim=%s\n' "${1##*/}" $c_claim
    fi
}
legwork_over() {
    c_line=
    [ -f "$c_run/state" ] && read -r c_line <"$c_run/state"
    case $c_line in
    *' state=succeeded '* | *' state=failed '* | *' state=cancelled '* | *' state=timed_out '* | *' state=lost '*) ;;
    *) return 1 ;;
    esac
}
legwork_cancel "$@"
