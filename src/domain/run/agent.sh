# The agent's side of a run: --agent, leader of the agent's own session. Part of the supervisor.
# Runs the command, writes down how it ended, and stays until the supervisor has swept the session: as long as
# it lives, its pid stands for this session and for no other.
# Needs: process.sh, contain.sh, log.sh, sockets.sh, detach, owner, owned, leader, finalize. Defines: agent, guard, over.

# over CODE REASON
over() {
    o_try=0
    until [ -e rc ] || put rc "$1 $2" || [ $o_try -ge 600 ]; do
        o_try=$((o_try + 1))
        sleep 1
    done
    # The supervisor ends this process, which waits for that without a child in the session.
    intact "$self" "$digest" && detach sh "$self" --guard "$dir" "$digest" </dev/null
    rm -f .hold
    mkfifo .hold && exec 9<>.hold
    rm -f .hold
    while :; do read -r _ <&9 || nap 1; done
}

# guard: --guard, beside the session. Becomes the supervisor where none is left to take note of the end: what it has read of
# itself already nobody can alter any more.
guard() {
    while leader && alive "$leader_pid" "$leader_start" "$leader_boot"; do
        owner
        owned || finalize
        sleep 1
    done
}

# The first process of a namespace, which ends with it: it waits for the command, gives what that left behind a moment to end,
# and takes the rest with it.
# shellcheck disable=SC2016 # the shell that runs it fills these in
inside='trap : HUP INT TERM
"$@"
i_code=$?
i_try=0
while :; do
    i_left=
    for i_path in /proc/[0-9]*; do
        case $i_path in
        /proc/1 | /proc/$$) ;;
        *) i_left=yes ;;
        esac
    done
    [ -n "$i_left" ] && [ $i_try -lt 30 ] || exit $i_code
    [ $i_try != 0 ] || kill -TERM -1
    i_try=$((i_try + 1))
    sleep 0.05 || exit $i_code
done'

# Becomes the command: $1 the command, $2 folder of what is run, $3 root, $4 folder for sockets, $5 names that are kept. What only the
# run may know is read from descriptor 3.
# shellcheck disable=SC2016 # the shell that runs it fills these in
begin='while IFS= read -r l_line || [ -n "$l_line" ]; do
    l_given="$l_given$l_line
"
done <&3
exec 3<&-
l_kept=" $5 "
for l_name in SSH_AUTH_SOCK SSH_AGENT_PID GPG_AGENT_INFO DBUS_SESSION_BUS_ADDRESS TMUX TMUX_PANE STY NVIM \
    VSCODE_IPC_HOOK_CLI XDG_RUNTIME_DIR; do
    case $l_kept in
    *" $l_name "*) ;;
    *) unset $l_name ;;
    esac
done
own_socket() {
    case $l_kept in
    *" $1 "*) ;;
    *) export "$1=$2" ;;
    esac
}
if [ -n "$4" ]; then
    own_socket TMUX_TMPDIR "$4"
    own_socket SCREENDIR "$4/screen"
    own_socket ZELLIJ_SOCKET_DIR "$4/zellij"
    own_socket XDG_RUNTIME_DIR "$4/run"
    own_socket GNUPGHOME "$4/gnupg"
    own_socket GRADLE_OPTS "${GRADLE_OPTS-} -Dorg.gradle.daemon.registry.base=$4/gradle"
    own_socket SCCACHE_SERVER_UDS "$4/sccache"
    own_socket WATCHMAN_SOCK "$4/watchman"
    own_socket ADB_SERVER_SOCKET "localfilesystem:$4/adb"
    own_socket SBT_GLOBAL_SERVER_DIR "$4/sbt"
fi
unset -f own_socket
eval "$l_given"
unset l_given l_line l_kept l_name
l_command=$1
shift
. "$l_command"'

agent() {
    given=$(cat)
    # Caught, not ignored: what is started from here has the signals as they were.
    trap : HUP INT TERM
    unset LEGWORK_POINT
    way=plain contained=best_effort
    [ "$contain" = never ] || containment "legwork-$token"
    identify $$ || exit 1
    once leader "$$ $p_start $boot $node $(date +%s) - $contained" || exit 0
    if [ -e cancelled ] || [ -e cancel ]; then over - cancel_requested; fi
    [ "$p_group" = $$ ] || over - no_process_group
    cd "$cwd" 2>/dev/null || over - cwd_missing
    cd "$dir" || exit 1
    # Assignments that cannot be read would end the shell that becomes the command.
    (eval "$given") >/dev/null 2>&1 </dev/null || over - secrets_failed
    own_sockets
    [ -z "$cgroup" ] || put cgroup "$cgroup"
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
    set -- /bin/sh -c "$begin" sh "$dir/command.sh" "$folder" "$root" "$sockets" "$keep"
    [ $contained != pid_namespace ] || set -- setsid sh -c "$inside" sh "$@"
    # In the foreground, because `&` would have the agent ignore SIGINT.
    printf '%s\n' "$given" | (
        exec 3<&0 4<&- 7<&- <"$a_in"
        # What is entered here holds all of the run: its end is the end of the run.
        read -r a_pid _ </proc/self/stat
        identify "$a_pid" && put cell "$a_pid $p_start $boot" || exit 125
        cd "$cwd" || exit 125
        umask "$umask_before"
        set +f
        LEGWORK_RUN=$dir:
        export LEGWORK_RUN
        unset given
        enter "$@" 5>&- 8>&-
    ) >&5 2>&8
    a_code=$?
    unset given
    exec 4<&- 5>&- 7<&- 8>&-
    over $a_code -
}
