# Running git on a host. Needs: forget_git git_settings. Defines: prepare_git, bounded, find_timeout, git_origin, bounded_git, quiet_git, git_lock_in.

# Makes every later git independent of the caller's variables, and keeps it from asking for anything.
prepare_git() {
    forget_git
    LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=false SSH_ASKPASS=false SSH_ASKPASS_REQUIRE=force GIT_OPTIONAL_LOCKS=0
    export LC_ALL GIT_TERMINAL_PROMPT GIT_ASKPASS SSH_ASKPASS SSH_ASKPASS_REQUIRE GIT_OPTIONAL_LOCKS
}

# bounded COMMAND...: ends it after $limit seconds, with whatever it started. Where a lock is held, it holds it too.
bounded() {
    find_timeout
    # shellcheck disable=SC2086 # these are several words on purpose
    if command -v holding >/dev/null 2>&1; then
        holding $timeout_words "$@"
    else
        $timeout_words "$@"
    fi
}

# find_timeout: sets timeout_words to what ends a command after $limit seconds, or to nothing where nothing does.
find_timeout() {
    if timeout -k 10 1 true 2>/dev/null; then
        timeout_words="timeout -k 10 $limit"
    elif timeout 1 true 2>/dev/null; then
        timeout_words="timeout $limit"
    else
        timeout_words=
    fi
}

# quiet_git ARGUMENTS...: git without hooks, and without anything that goes on in the background.
quiet_git() {
    for git_setting in $git_settings; do set -- -c "$git_setting" "$@"; done
    git "$@"
}

# git_origin URL: prints scheme, name and port of an http address, as git names them to a credential helper.
git_origin() {
    case $1 in
    *://*) ;;
    *) return 0 ;;
    esac
    set -- "${1%%://*}" "${1#*://}"
    printf '%s://%s' "$1" "${2%%[/?#]*}"
}

# bounded_git ARGUMENTS...: the same for what talks to another machine. It asks nobody, gives up where nothing
# comes for a minute, and knows a name and a password only from its environment: LEGWORK_GIT_USER and
# LEGWORK_GIT_PASSWORD, which go to LEGWORK_GIT_ORIGIN and nowhere else, whatever a redirect or a file of the repository says.
bounded_git() {
    if [ -z "${GIT_SSH_COMMAND:-}${GIT_SSH:-}" ]; then
        GIT_SSH_COMMAND="$(git config --get core.sshCommand || echo ssh) -oBatchMode=yes -oServerAliveInterval=20"
        export GIT_SSH_COMMAND
    fi
    for git_setting in $git_settings http.lowSpeedLimit=1 http.lowSpeedTime=60; do set -- -c "$git_setting" "$@"; done
    if [ -n "${LEGWORK_GIT_USER:-}" ]; then
        # shellcheck disable=SC2016 # git's shell fills these in, so that no command line shows them
        set -- -c credential.helper= \
            -c credential.helper='!f() { test "$1" = get || return 0; p= h=; while IFS= read -r l && test -n "$l"; do case $l in protocol=*) p=${l#*=};; host=*) h=${l#*=};; esac; done; test "$p://$h" != "$LEGWORK_GIT_ORIGIN" || printf "username=%s\npassword=%s\n" "$LEGWORK_GIT_USER" "$LEGWORK_GIT_PASSWORD"; }; f' \
            "$@"
    fi
    bounded git "$@"
}

# git_lock_in TEXT: the lock file that git names as in its way, where it really exists.
git_lock_in() {
    printf '%s\n' "$1" | sed -n "s/.*'\([^']*\.lock\)'.*/\1/p" | while IFS= read -r git_lock; do
        [ -e "$git_lock" ] || continue
        printf '%s' "$git_lock"
        break
    done
}
