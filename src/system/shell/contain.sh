# How a run is kept together on this host, so that its end ends all that it started. POSIX sh on Linux.
# Defines: containment enter.
#
# Each way is tried by running it: what a kernel, a container or a distribution allows cannot be told by looking. A pid
# namespace keeps the user as who they are; a user namespace that maps root would make agents believe that they are root.

# containment NAME: sets way, how a run is entered, and contained: pid_namespace, cgroup or best_effort. NAME is a plain word for a
# control group. Costs a process or two.
containment() {
    # Neither the first process of a namespace nor that of bwrap has these numbers outside.
    # shellcheck disable=SC2016 # the shell that runs it fills these in
    k_probe='read -r k_pid k_rest </proc/self/stat && [ "$k_pid" -le 3 ] && [ -d /proc/1 ]'
    contained=pid_namespace cgroup=''
    k_ways='own bwrap'
    [ "$(id -u)" != 0 ] || k_ways='root bare own bwrap'
    for way in $k_ways; do
        (enter sh -c "$k_probe") </dev/null >/dev/null 2>&1 && return 0
    done
    contained=cgroup
    for way in group scope; do
        own_cgroup "$1" && (enter true) </dev/null >/dev/null 2>&1 && return 0
        [ -z "$cgroup" ] || rmdir "$cgroup" 2>/dev/null
    done
    way=plain contained=best_effort cgroup=''
}

# own_cgroup NAME: makes a control group of that name below the one this process is in; false where that is not allowed.
own_cgroup() {
    cgroup='' k_unit=$1
    [ $way = group ] || {
        command -v systemd-run >/dev/null 2>&1
        return
    }
    while read -r k_device k_mount k_type k_rest; do
        [ "$k_type" != cgroup2 ] || { cgroup=$k_mount && break; }
    done </proc/self/mounts
    [ -n "$cgroup" ] || return 1
    while IFS= read -r k_line; do
        case $k_line in
        0::/*) cgroup=${cgroup}${k_line#0::} ;;
        esac
    done </proc/self/cgroup
    cgroup=${cgroup%/}/$1
    [ -d "$cgroup" ] || mkdir "$cgroup" 2>/dev/null
}

# enter COMMAND...: becomes that command, kept together in the way that was found.
enter() {
    case $way in
    root) exec unshare --pid --fork --mount-proc --propagation slave --kill-child "$@" ;;
    # The unshare of busybox leaves its child when it is killed itself.
    bare) exec unshare --pid --fork --mount-proc --propagation slave "$@" ;;
    own) exec unshare --user --map-current-user --pid --fork --mount-proc --propagation slave --kill-child "$@" ;;
    bwrap) exec bwrap --dev-bind / / --proc /proc --unshare-user --unshare-pid --die-with-parent "$@" ;;
    group)
        read -r k_pid k_rest </proc/self/stat
        echo "$k_pid" >"$cgroup/cgroup.procs" && exec "$@"
        ;;
    scope)
        # The manager is the user's own; where it is told by the login, that is not what runs are given.
        XDG_RUNTIME_DIR=/run/user/$(id -u)
        export XDG_RUNTIME_DIR
        exec systemd-run --user --scope --quiet --collect --unit="$k_unit" "$@"
        ;;
    plain) exec "$@" ;;
    esac
}
