# Running git on a host. Needs: nothing. Defines: prepare_git, bounded, bounded_git, quiet_git.

# Makes every later git independent of who called and of every prompt.
prepare_git() {
    unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
    unset GIT_COMMON_DIR GIT_NAMESPACE GIT_PREFIX GIT_TEMPLATE_DIR GIT_CONFIG GIT_TRACE GIT_TRACE_CURL
    LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=false SSH_ASKPASS=false GIT_OPTIONAL_LOCKS=0
    export LC_ALL GIT_TERMINAL_PROMPT GIT_ASKPASS SSH_ASKPASS GIT_OPTIONAL_LOCKS
}

# bounded COMMAND...: ends it after $limit seconds, with whatever it started.
bounded() {
    if timeout -k 10 1 true 2>/dev/null; then
        timeout -k 10 "$limit" "$@"
    elif timeout 1 true 2>/dev/null; then
        timeout "$limit" "$@"
    else
        "$@"
    fi
}

# quiet_git ARGUMENTS...: git without hooks, and without anything that goes on in the background.
quiet_git() {
    git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 -c maintenance.auto=false \
        -c advice.detachedHead=false "$@"
}

# bounded_git ARGUMENTS...: the same for what talks to another machine. It asks nobody, gives up where nothing
# comes for a minute, and knows a name and a password only from its environment.
bounded_git() {
    if [ -z "${GIT_SSH_COMMAND:-}${GIT_SSH:-}" ]; then
        GIT_SSH_COMMAND="$(git config --get core.sshCommand || echo ssh) -oBatchMode=yes -oServerAliveInterval=20"
        export GIT_SSH_COMMAND
    fi
    set -- -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gc.auto=0 -c maintenance.auto=false \
        -c http.lowSpeedLimit=1 -c http.lowSpeedTime=60 "$@"
    if [ -n "${LEGWORK_GIT_USER:-}" ]; then
        set -- -c credential.helper= \
            -c credential.helper='!f() { test "$1" != get || printf "username=%s\npassword=%s\n" "$LEGWORK_GIT_USER" "$LEGWORK_GIT_PASSWORD"; }; f' \
            "$@"
    fi
    bounded git "$@"
}
