# Which processes are of a run, and ending all of them but its leader. Part of the supervisor.
# Needs: process.sh, uptime, beat. Defines: members, sweep.
#
# Where the run is kept together by the kernel, its end is one signal, and what it started cannot be elsewhere. Else its
# processes are looked for by all they have in common, and one that has nothing of it is not found: the answer says so.
# Nobody is signalled for a number alone: each process is identified by something that only the run has.

# marked: sets m_marked to the pids of the processes that carry the run's mark in their environment.
marked() {
    m_marked=
    set +f
    if printf 'a\000b' | grep -qF b; then
        m_paths=$(grep -lsF "LEGWORK_RUN=$dir:" /proc/[0-9]*/environ 2>/dev/null)
    else
        # The grep of busybox ends a line at a NUL. Only what is younger than the leader can be of the run.
        m_paths=
        for m_path in /proc/[0-9]*/environ; do
            m_pid=${m_path#/proc/}
            [ -r "$m_path" ] && identify "${m_pid%/environ}" && [ "$p_start" -ge "$leader_start" ] &&
                tr '\000' '\n' 2>/dev/null <"$m_path" | grep -qxF "LEGWORK_RUN=$dir:" && m_paths="$m_paths $m_path"
        done
    fi
    set -f
    for m_path in $m_paths; do
        m_path=${m_path#/proc/}
        m_marked="$m_marked ${m_path%/environ}"
    done
}

# strays: sets m_strays to the pids of processes that gave up everything of the run but the place where they work: their folder or an
# open file is in the run's folder, they are younger than its leader, and nobody has them: no terminal, no login, no session of
# others, no parent but the one that gets all orphans. A person at work in that folder is none of them.
strays() {
    m_strays=
    number "$leader_start" && [ -n "$folder" ] || return 0
    m_place=$(cd "$folder" 2>/dev/null && pwd -P) || m_place=$folder
    identify $$ || return 0
    m_reaper=$p_parent
    m_all=
    m_pid=
    set +f
    # shellcheck disable=SC2010 # of a link in /proc, ls alone tells for many at once where it leads
    m_lines=$(ls -l /proc/[0-9]*/cwd /proc/[0-9]*/fd 2>/dev/null | grep -F -e "/fd:" -e " -> $m_place")
    set -f
    m_ifs=$IFS
    IFS='
'
    for m_line in $m_lines; do
        case $m_line in
        /proc/*/fd:)
            m_pid=${m_line#/proc/}
            m_pid=${m_pid%/fd:}
            continue
            ;;
        *" -> $m_place" | *" -> $m_place/"* | *" -> $m_place (deleted)") ;;
        *) continue ;;
        esac
        case $m_line in
        *" /proc/"[0-9]*"/cwd -> "*)
            m_line=${m_line%%/cwd -> *}
            m_all="$m_all ${m_line##*/proc/}"
            ;;
        *) m_all="$m_all $m_pid" ;;
        esac
    done
    IFS=$m_ifs
    for m_pid in $m_all; do
        case "$m_strays " in
        *" $m_pid "*) ;;
        *) ! is_stray "$m_pid" || m_strays="$m_strays $m_pid" ;;
        esac
    done
}

# is_stray PID: whether nobody but the run can have started it.
is_stray() {
    [ "$1" != $$ ] && [ "$1" != "$leader_pid" ] && identify "$1" || return 1
    m_session=$p_session
    m_at=$1
    m_steps=0
    while :; do
        [ "$p_terminal" = 0 ] && [ "$p_start" -ge "$leader_start" ] || return 1
        case $p_name in
        sshd* | login | cron | crond | atd) return 1 ;;
        esac
        m_at=$p_parent
        if [ "$m_at" = 1 ] || [ "$m_at" = "$m_reaper" ]; then break; fi
        m_steps=$((m_steps + 1))
        [ $m_steps -lt 64 ] && [ "$m_at" -gt 1 ] && identify "$m_at" || return 1
    done
    # A session that somebody else leads is somebody else's.
    [ "$m_session" = "$1" ] || ! identify "$m_session" || case "$m_all " in
    *" $m_session "*) ;;
    *) return 1 ;;
    esac
}

# members: sets found to the pids of the run's processes, its leader aside: those of its session, those of its
# process group, those that left both and still carry its mark in their environment, and, where nothing keeps the run
# together, those that work in its folder and are nobody else's.
members() {
    m_candidates=
    m_led=
    if alive "$leader_pid" "$leader_start" "$leader_boot"; then
        # Only while the leader lives do these numbers certainly belong to this run.
        m_led=yes
        set +f
        m_all=$(cat /proc/[0-9]*/stat 2>/dev/null)
        set -f
        m_pid=0
        m_ifs=$IFS
        IFS='
'
        for m_line in $m_all; do
            IFS=' '
            case $m_line in
            [0-9]*' ('*) m_pid=${m_line%% *} ;;
            esac
            case $m_line in
            *') '*)
                # shellcheck disable=SC2086 # the fields are many words on purpose
                set -- ${m_line##*) }
                if [ "$3" = "$leader_pid" ] || [ "$4" = "$leader_pid" ]; then
                    m_candidates="$m_candidates $m_pid"
                fi
                ;;
            esac
        done
        IFS=$m_ifs
    fi
    marked
    m_strays=
    [ "$leader_contained" != best_effort ] || strays
    found=
    for m_pid in $m_candidates $m_marked $m_strays; do
        case "$found " in
        *" $m_pid "*) continue ;;
        esac
        if [ "$m_pid" = "$leader_pid" ] || [ "$m_pid" = $$ ]; then continue; fi
        identify "$m_pid" || continue
        if [ "$m_led" = yes ] && { [ "$p_group" = "$leader_pid" ] || [ "$p_session" = "$leader_pid" ]; }; then
            found="$found $m_pid"
        else
            case " $m_marked $m_strays " in
            *" $m_pid "*) found="$found $m_pid" ;;
            esac
        fi
    done
    [ -n "$found" ]
}

# cell: sets cell_pid to the process that was entered to keep the run together; false where there is none any more.
cell() {
    cell_pid=''
    [ ! -f cell ] || read -r cell_pid cell_start cell_boot <cell
    alive "$cell_pid" "$cell_start" "$cell_boot"
}

# inmates: sets first_pid to the first process of the run's pid namespace; false where the namespace is gone.
inmates() {
    cell || alive "$first_pid" "$first_start" "$leader_boot" || return 1
    alive "$first_pid" "$first_start" "$leader_boot" && return 0
    first_pid=''
    { read -r first_pid _ <"/proc/$cell_pid/task/$cell_pid/children"; } 2>/dev/null
    if [ -z "$first_pid" ]; then # a kernel that does not list children
        set +f
        for m_path in /proc/[0-9]*; do
            if identify "${m_path#/proc/}" && [ "$p_parent" = "$cell_pid" ]; then
                first_pid=${m_path#/proc/}
                break
            fi
        done
        set -f
    fi
    if [ -n "$first_pid" ] && identify "$first_pid" && [ "$p_parent" = "$cell_pid" ]; then first_start=$p_start; else first_pid=''; fi
    return 0
}

# list_inmates: sets found to all processes of that namespace.
list_inmates() {
    found=''
    [ -n "$first_pid" ] && m_space=$(readlink "/proc/$first_pid/ns/pid") || return 0
    set +f
    # shellcheck disable=SC2010 # of a link in /proc, ls alone tells for many at once where it leads
    m_lines=$(ls -l /proc/[0-9]*/ns/pid 2>/dev/null | grep -F " -> $m_space")
    set -f
    for m_path in $m_lines; do
        case $m_path in
        /proc/*/ns/pid)
            m_path=${m_path#/proc/}
            found="$found ${m_path%/ns/pid}"
            ;;
        esac
    done
}

# group: sets found to the processes of the run's control group; false where there is none any more.
group() {
    found='' m_group=''
    [ ! -f cgroup ] || IFS= read -r m_group <cgroup
    # Only one that has the run's own name.
    case $m_group in
    /*"/legwork-$token" | /*"/legwork-$token.scope") ;;
    *) return 1 ;;
    esac
    set +f
    m_files=$(find "$m_group" -name cgroup.procs 2>/dev/null)
    set -f
    for m_path in $m_files; do
        while read -r m_pid; do
            [ "$m_pid" = 0 ] || found="$found $m_pid"
        done <"$m_path" 2>/dev/null
    done
    [ -n "$found" ]
}

# end_contained LIST GRACE: ends what the kernel keeps together: LIST sets found to all of it. TERM to each, then KILL at once.
end_contained() {
    first_pid='' first_start=''
    "$1" || return 0
    [ "$1" = group ] || list_inmates
    for w_pid in $found; do kill -TERM "$w_pid" 2>/dev/null; done
    uptime
    w_until=$((up + $2 * 100))
    while [ "$up" -lt "$w_until" ]; do
        nap 0.05
        "$1" || return 0
        beat
    done
    w_round=0
    while [ $w_round -lt 40 ]; do
        w_round=$((w_round + 1))
        if [ "$1" = inmates ]; then
            # The namespace ends with its first process. Its parent comes first: told that its child was killed,
            # unshare would end with a status of its own.
            # shellcheck disable=SC2086 # a word or none
            kill -KILL "$cell_pid" $first_pid 2>/dev/null
        elif [ -w "$m_group/cgroup.kill" ]; then
            echo 1 >"$m_group/cgroup.kill"
        else
            for w_pid in $found; do kill -KILL "$w_pid" 2>/dev/null; done
        fi
        nap 0.05
        "$1" || return 0
        beat
    done
    [ "$1" = group ] || list_inmates
    for w_pid in $found; do survivors="$survivors,$w_pid"; done
    survivors=${survivors#-,}
}

# sweep GRACE: ends all processes of the run but its leader: TERM, then KILL; sets survivors.
sweep() {
    survivors=-
    case $leader_contained in
    pid_namespace) end_contained inmates "$1" ;;
    cgroup)
        end_contained group "$1"
        [ -z "$m_group" ] || rmdir "$m_group" 2>/dev/null
        ;;
    esac
    [ "$survivors" = - ] || return 0
    members || return 0
    if alive "$leader_pid" "$leader_start" "$leader_boot"; then
        kill -TERM "-$leader_pid" 2>/dev/null
    else
        leader_group=
    fi
    for w_pid in $found; do
        # A second TERM means `at once` to some agents, so nobody gets two.
        identify "$w_pid" && [ "$p_group" != "${leader_group-$leader_pid}" ] && kill -TERM "$w_pid" 2>/dev/null
    done
    uptime
    w_until=$((up + $1 * 100))
    while [ "$up" -lt "$w_until" ]; do
        nap 0.05
        members || return 0
        beat
    done
    w_round=0
    while [ $w_round -lt 40 ]; do
        w_round=$((w_round + 1))
        for w_pid in $found; do kill -KILL "$w_pid" 2>/dev/null; done
        nap 0.05
        members || return 0
        beat
    done
    # Something makes processes faster than they can be named: end the whole group at once, leader and all.
    alive "$leader_pid" "$leader_start" "$leader_boot" && kill -KILL "-$leader_pid" 2>/dev/null
    nap 0.2
    members || return 0
    survivors=
    for w_pid in $found; do survivors="$survivors,$w_pid"; done
    survivors=${survivors#,}
}
