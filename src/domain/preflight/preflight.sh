# preflight.sh PROGRAM URL COUNT [WORD...]: looks for everything that would make a launch here fail, and reports it as
# one record `key v=value` a line. The first COUNT words make the agent print its version, the others whether it is
# logged in. A name and a password for URL are payloads 1 and 2. What cannot be found out is left out. Changes nothing.
# git.sh, report.sh, root.sh and contain.sh come first.
agent=$1 url=$2 count=$3
shift 3

# agent_itself COUNT [WORD...]
agent_itself() {
    path=$(command -v -- "$agent" 2>/dev/null)
    [ -n "$path" ] || return
    say agent_path "$path"
    words=$1
    shift
    [ "$#" -gt "$words" ] || return
    (
        # The first words go to the end, one by one, and the others are dropped from the front.
        others=$(($# - words)) left=$words
        while [ "$left" -gt 0 ]; do
            set -- "$@" "$1"
            shift
            left=$((left - 1))
        done
        shift "$others"
        [ "$#" = 0 ] || limited 15 env "$@" 2>/dev/null | first_lines agent_version ''
    )
    shift "$words"
    answer=$(limited 20 env "$@" 2>&1)
    status=$?
    printf '%s\n' "$answer" | lines login
    say login_status "$status"
}

repository() {
    [ -n "$url" ] || return
    # As it will be cloned: by the same git, with the same settings.
    prepare_git
    LEGWORK_GIT_USER=$(payload 1 2>/dev/null) LEGWORK_GIT_PASSWORD=$(payload 2 2>/dev/null)
    LEGWORK_GIT_ORIGIN=$(git_origin "$url")
    [ -z "$LEGWORK_GIT_USER" ] || export LEGWORK_GIT_USER LEGWORK_GIT_PASSWORD LEGWORK_GIT_ORIGIN
    limit=30
    answer=$(bounded_git ls-remote -- "$url" HEAD 2>&1)
    status=$?
    printf '%s\n' "$answer" | lines remote
    say remote_status "$status"
}

# What becomes of a run when its end comes, and when the login that started it ends.
endings() {
    containment "legwork-preflight.$$"
    [ -z "$cgroup" ] || rmdir "$cgroup" 2>/dev/null
    say contained "$contained"
    kills=no linger=no
    if [ "$(id -u 2>/dev/null)" != 0 ] && command -v loginctl >/dev/null 2>&1; then
        # Without a session named, these are the properties of the manager.
        kills=$(limited 10 loginctl show-session --property=KillUserProcesses 2>/dev/null)
        linger=$(limited 10 loginctl show-user "$(id -un)" --property=Linger 2>/dev/null)
    fi
    say kill_user_processes "${kills#*=}"
    say linger "${linger#*=}"
}

agent_itself "$count" "$@" &
repository &

for name in git git-lfs tar sha256sum base64 timeout stat head mktemp flock setsid; do
    say tool "$name $(command -v "$name" 2>/dev/null)"
done
for name in git tar flock; do
    limited 15 "$name" --version 2>/dev/null | first_lines tool_version "$name"
done
say decoded "$(printf b2s= | base64 -d 2>/dev/null)"
say shell "$(command -v sh 2>/dev/null)"
if [ -r /proc/self/stat ] && [ -r /proc/uptime ]; then say proc yes; else say proc no; fi
report_root
endings
if command -v git >/dev/null 2>&1; then
    # Without a repository of whatever folder this is.
    say git_name "${GIT_AUTHOR_NAME:-$(GIT_DIR=/dev/null git config --get user.name 2>/dev/null)}"
    say git_email "${GIT_AUTHOR_EMAIL:-$(GIT_DIR=/dev/null git config --get user.email 2>/dev/null)}"
fi
sshd=$(command -v sshd 2>/dev/null)
[ -n "$sshd" ] && [ "$(id -u 2>/dev/null)" = 0 ] && limited 10 "$sshd" -T 2>/dev/null | while IFS= read -r line; do
    case $line in maxsessions\ * | maxstartups\ *) say sshd "$line" ;; esac
done
wait
