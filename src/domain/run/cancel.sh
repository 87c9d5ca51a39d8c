# Ends a run and waits for its end. Needs: process.sh.
#
# $1 name of what is run, $2 run number, $3 token, $4 seconds between TERM and KILL, $5 file name of a supervisor below bin, $6 its
# digest. Payload 1 is the supervisor.
# Prints the run's state line, or, where nothing was ever started, `legwork-missing job=… dir=yes claim=yes|no`: what is left
# there then keeps it from being started. Prints `legwork-protocol job=… protocol=…` and does nothing where a later legwork
# started it.
# The supervisor ends the run. Where it is gone, another one is called, which knows the processes of the run by pid, start
# time and boot id. Where the run has ended, what of it still lives is ended all the same.
legwork_cancel() {
    here
    c_run=$LEGWORK_ROOT/control/$1/$3 c_supervisor=$LEGWORK_ROOT/bin/$5
    c_protocol=
    [ ! -f "$c_run/protocol" ] || read -r c_protocol <"$c_run/protocol"
    if [ "${c_protocol:-2}" != 2 ]; then
        printf 'legwork-protocol job=%s protocol=%s\n' "$1" "$c_protocol"
        return 0
    fi
    if ! ended "$c_run"; then
        mkdir -p "$c_run" || return
        # A start that arrives later finds this token, and the tombstone below it.
        once "$LEGWORK_ROOT/control/$1/run-$2" "$3"
        # The tombstone comes first: whatever is started from now on sees it.
        : >"$c_run/cancelled" || return
        put "$c_run/cancel" "$4"
        c_mode=
        [ -d "$c_run/claim" ] && c_mode=--finalize
        if deploy "$c_supervisor" "$6"; then
            sh "$c_supervisor" --detach $c_mode "$c_run" "$6" </dev/null
            # The time to end, and some more to compare the worktree with its base.
            c_left=$((($4 + 10) * 20))
            while [ $c_left -gt 0 ] && ! ended "$c_run"; do
                c_left=$((c_left - 1))
                sleep 0.05 2>/dev/null || { sleep 1 && c_left=$((c_left - 19)); }
            done
        fi
    elif deploy "$c_supervisor" "$6"; then
        case $state_line in
        *' contained=best_effort'* | *' survivors='[0-9]*) sh "$c_supervisor" --sweep "$c_run" "$6" "$4" </dev/null ;;
        esac
    fi
    ended "$c_run"
    if [ -n "$state_line" ]; then
        printf '%s\n' "$state_line"
    else
        c_claim=no
        [ -d "$c_run/claim" ] && c_claim=yes
        printf 'legwork-missing job=%s dir=yes claim=%s\n' "$1" $c_claim
    fi
}
legwork_cancel "$@"
