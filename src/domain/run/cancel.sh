# Ends a run and waits for its end. Needs: process.sh.
#
# $1 job, $2 run number, $3 seconds between TERM and KILL, $4 file name of a supervisor below bin.
# Prints the run's state line, or, where nothing was ever started, `legwork-missing job=… dir=yes claim=yes|no`: what is left
# there then keeps it from being started.
# The supervisor ends the run. Where it is gone, another one is called, which knows the processes of the run by pid, start
# time and boot id.
legwork_cancel() {
    c_run=$LEGWORK_ROOT/jobs/$1/runs/$2
    if ! ended "$c_run"; then
        mkdir -p "$c_run" || return
        # The tombstone comes first: whatever is started from now on sees it.
        : >"$c_run/cancelled" || return
        put "$c_run/cancel" "$3"
        c_supervisor=$LEGWORK_ROOT/bin/$4
        [ -f "$c_run/supervisor" ] && IFS= read -r c_supervisor <"$c_run/supervisor"
        [ -f "$c_supervisor" ] || for c_supervisor in "$LEGWORK_ROOT"/bin/supervise-*.sh; do :; done
        c_mode=
        [ -d "$c_run/claim" ] && c_mode=--finalize
        if [ -f "$c_supervisor" ]; then
            sh "$c_supervisor" --detach $c_mode "$c_run"
            # The time to end, and some more to compare the worktree with its base.
            c_left=$((($3 + 10) * 20))
            while [ $c_left -gt 0 ] && ! ended "$c_run"; do
                c_left=$((c_left - 1))
                sleep 0.05 2>/dev/null || { sleep 1 && c_left=$((c_left - 19)); }
            done
        fi
    fi
    ended "$c_run"
    if [ -n "$state_line" ]; then
        printf '%s\n' "$state_line"
    else
        c_claim=no
        [ -d "$c_run/claim" ] && c_claim=yes
        printf 'legwork-missing job=%s dir=yes claim=%s\n' "${1##*/}" $c_claim
    fi
}
legwork_cancel "$@"
