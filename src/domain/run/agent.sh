# The agent's side of a run: --agent, leader of the agent's own session. Part of the supervisor.
# Runs the command, writes down how it ended, and stays until the supervisor has swept the session: as long as
# it lives, its pid stands for this session and for no other.
# Needs: process.sh, log.sh, detach, owner, owned, leader. Defines: agent, guard, over.

# over CODE REASON
over() {
    rm -f secrets.sh
    o_try=0
    until [ -e rc ] || put rc "$1 $2" || [ $o_try -ge 600 ]; do
        o_try=$((o_try + 1))
        sleep 1
    done
    # The supervisor ends this process, which waits for that without a child in the session.
    detach sh "$self" --guard "$dir"
    rm -f .hold
    mkfifo .hold && exec 9<>.hold
    rm -f .hold
    while :; do read -r _ <&9 || nap 1; done
}

# guard: --guard, beside the session. Calls another supervisor where none is left to take note of the end.
guard() {
    while leader && alive "$leader_pid" "$leader_start" "$leader_boot"; do
        owner
        owned || exec sh "$self" --finalize "$dir"
        sleep 1
    done
}

agent() {
    # Caught, not ignored: what is started from here has the signals as they were.
    trap : HUP INT TERM
    unset LEGWORK_POINT
    identify $$ || exit 1
    once leader "$$ $p_start $boot $node $(date +%s) -" || exit 0
    if [ -e cancelled ] || [ -e cancel ]; then over - cancel_requested; fi
    [ "$p_group" = $$ ] || over - no_process_group
    cd "$cwd" 2>/dev/null || over - cwd_missing
    cd "$dir" || exit 1
    # shellcheck disable=SC2094 # each end of each pipe is opened on purpose
    { mkfifo .out .err && exec 3<>.out 4<.out 5>.out 6<>.err 7<.err 8>.err; } 2>/dev/null || over - no_pipe
    exec 3>&- 6>&-
    rm -f .out .err
    : >agent.log
    : >agent.err
    (
        exec 5>&- 7<&- 8>&-
        tap agent.log
    ) <&4 4<&- &
    (
        exec 4<&- 5>&- 8>&-
        tap agent.err
    ) <&7 7<&- &
    a_in=/dev/null
    [ ! -f stdin ] || a_in=$dir/stdin
    a_secrets=
    [ ! -f secrets.sh ] || a_secrets=yes
    # In the foreground, because `&` would have the agent ignore SIGINT.
    (
        exec 4<&- 7<&-
        cd "$cwd" || exit 125
        if [ -n "$a_secrets" ]; then
            . "$dir/secrets.sh" || exit 125
            rm -f "$dir/secrets.sh" || exit 125
        fi
        umask "$umask_before"
        set +f
        LEGWORK_RUN=$dir:
        export LEGWORK_RUN
        exec /bin/sh "$dir/command.sh" 5>&- 8>&-
    ) <"$a_in" >&5 2>&8
    a_code=$?
    exec 4<&- 5>&- 7<&- 8>&-
    [ -z "$a_secrets" ] || [ ! -e secrets.sh ] || over - secrets_failed
    over $a_code -
}
