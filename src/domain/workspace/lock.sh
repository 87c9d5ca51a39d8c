# A lock on a host, kept by flock where there is one, else by a symbolic link that names its owner.
# Needs: nothing. Defines: take_lock, drop_lock.

# take_lock FILE SECONDS: holds FILE for this shell, until drop_lock or its end. Returns 1 where others kept it
# for all that time, 2 where it cannot be made. What this shell starts holds it too, unless started with 9>&-.
take_lock() {
    lock_link='' lock_attempt=0
    { : >>"$1"; } 2>/dev/null || return 2
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
        sleep 0.1 2>/dev/null || sleep 1
    done
}

# drop_lock: lets go of what take_lock holds.
drop_lock() {
    if [ -z "$lock_link" ]; then
        exec 9>&-
    elif [ "$(readlink "$lock_link")" = "$lock_self" ]; then
        rm -f "$lock_link"
    fi
}

try_lock() {
    if [ -z "$lock_link" ]; then
        flock -n 9
    else
        # A link comes into being together with its content: no owner is ever unnamed.
        ln -s "$lock_self" "$lock_link" 2>/dev/null && return 0
        # Whoever is gone is looked for once in a while, since it costs a few processes.
        [ $((lock_attempt % 10)) -ne 0 ] || break_lock "$lock_link"
        lock_attempt=$((lock_attempt + 1))
        ln -s "$lock_self" "$lock_link" 2>/dev/null
    fi
}

# process_mark PID: names a process for ever: its number, when it started, and which boot of the machine.
process_mark() {
    if [ -r /proc/self/stat ]; then
        # One that has ended and was not yet asked how (Z, X) is gone.
        process_start=$(sed -n 's/.*) \([^ZX] \)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)
        process_boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
    else
        process_start=$(ps -o lstart= -p "$1" 2>/dev/null | tr -c 'A-Za-z0-9' _)
        process_boot=
    fi
    echo "$1-$process_start-$process_boot"
}

# break_lock LINK: removes it if its owner is gone. One process alone may: the one that makes a second link,
# which names the dead owner; who finds that one's maker dead in turn goes on from there.
break_lock() {
    set -- "$1" "$(readlink "$1" 2>/dev/null)"
    [ -n "$2" ] || return 0
    [ "$(process_mark "${2%%-*}")" != "$2" ] || return 0
    if ln -s "$lock_self" "$1.by-$2" 2>/dev/null; then
        [ "$(readlink "$1" 2>/dev/null)" != "$2" ] || rm -f "$1"
        rm -f "$1.by-$2"
    else
        break_lock "$1.by-$2"
    fi
}
