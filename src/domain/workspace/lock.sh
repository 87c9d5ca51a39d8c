# A lock on a host that lives as long as the work it guards. Needs: process.sh. Defines: take_lock drop_lock holding.
#
# With flock the lock belongs to file descriptor 9, which everything that is started while it is held inherits. Where
# the shell that took it is killed, it stays taken until the last of its children has ended, so that nobody begins the
# same work beside them. drop_lock lets go of it for all of them at once: a server that a finished step left behind
# does not keep it.
# Without flock it is a symbolic link that names its holders by pid, start time and boot: the shell that took it, and
# the command that `holding` runs.

# take_lock FILE SECONDS: holds FILE for this shell, until drop_lock or its end. Returns 1 where others held it
# for all that time, 2 where it cannot be made.
take_lock() {
    lock_link='' lock_attempt=0
    { : >>"$1"; } 2>/dev/null || return 2
    here
    if command -v flock >/dev/null 2>&1; then
        exec 9>>"$1"
        case $(flock --version 2>&1) in
        *util-linux*)
            flock -w "$2" 9 && return 0
            exec 9>&-
            return 1
            ;;
        *) ;;
        esac
    else
        lock_link=$1.owner
        # $$ would be the number of the outermost shell, and this may be a subshell.
        lock_self=$(exec sh -c 'echo "$PPID"')
        lock_self=$(process_mark "$lock_self")
    fi
    lock_end=$(($(date +%s) + $2))
    until try_lock; do
        if [ "$(date +%s)" -ge "$lock_end" ]; then
            [ -n "$lock_link" ] || exec 9>&-
            return 1
        fi
        nap 0.1
    done
}

# drop_lock: lets go of what take_lock holds, and of what its children hold of it.
drop_lock() {
    if [ -z "$lock_link" ]; then
        flock -u 9
        exec 9>&-
        return
    fi
    case $(readlink "$lock_link") in
    "$lock_self" | "$lock_self,"*) rm -f "$lock_link" ;;
    *) ;;
    esac
}

# holding COMMAND...: runs it as a second holder of the lock, which outlives this shell where that is killed.
holding() {
    if [ -z "$lock_link" ]; then
        "$@"
        return
    fi
    (
        lock_worker=$(exec sh -c 'echo "$PPID"')
        # A dangling link is renamed over a dangling link: there is an owner at every moment.
        ln -s "$lock_self,$(process_mark "$lock_worker")" "$lock_link.$lock_worker" &&
            mv -f "$lock_link.$lock_worker" "$lock_link" || exit 1
        exec "$@"
    )
}

try_lock() {
    if [ -z "$lock_link" ]; then
        flock -n 9
    else
        # A link comes into being together with its content: no owner is ever unnamed.
        ln -s "$lock_self" "$lock_link" 2>/dev/null && return 0
        # Owners that are gone are looked for once in a while, since that costs a few processes.
        [ $((lock_attempt % 10)) -ne 0 ] || break_lock "$lock_link"
        lock_attempt=$((lock_attempt + 1))
        ln -s "$lock_self" "$lock_link" 2>/dev/null
    fi
}

# process_mark PID: names a process for ever: its number, when it started, and which boot of the machine.
process_mark() {
    p_start=
    if [ -r /proc/self/stat ]; then
        identify "$1" || :
    else
        p_start=$(ps -o lstart= -p "$1" 2>/dev/null | tr -c 'A-Za-z0-9' _)
    fi
    echo "$1-$p_start-$boot"
}

# break_lock LINK: removes it if all its holders are gone. One process alone may: the one that makes a second link,
# which names the dead ones; who finds that one's maker dead in turn goes on from there.
break_lock() {
    set -- "$1" "$(readlink "$1" 2>/dev/null)"
    [ -n "$2" ] || return 0
    lock_holders=$2
    while [ -n "$lock_holders" ]; do
        lock_holder=${lock_holders%%,*}
        lock_holders=${lock_holders#"$lock_holder"}
        lock_holders=${lock_holders#,}
        [ "$(process_mark "${lock_holder%%-*}")" != "$lock_holder" ] || return 0
    done
    if ln -s "$lock_self" "$1.by-$2" 2>/dev/null; then
        [ "$(readlink "$1" 2>/dev/null)" != "$2" ] || rm -f "$1"
        rm -f "$1.by-$2"
    else
        break_lock "$1.by-$2"
    fi
}
