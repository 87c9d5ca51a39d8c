# Which processes are of a run, and ending all of them but its leader. Part of the supervisor.
# Needs: process.sh, uptime, beat. Defines: members, sweep.

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

# members: sets found to the pids of the run's processes, its leader aside: those of its session, those of its
# process group, and those that left both and still carry its mark in their environment.
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
    found=
    for m_pid in $m_candidates $m_marked; do
        case "$found " in
        *" $m_pid "*) continue ;;
        esac
        if [ "$m_pid" = "$leader_pid" ] || [ "$m_pid" = $$ ]; then continue; fi
        identify "$m_pid" || continue
        if [ "$m_led" = yes ] && { [ "$p_group" = "$leader_pid" ] || [ "$p_session" = "$leader_pid" ]; }; then
            found="$found $m_pid"
        else
            case " $m_marked " in
            *" $m_pid "*) found="$found $m_pid" ;;
            esac
        fi
    done
    [ -n "$found" ]
}

# sweep GRACE: ends all processes of the run but its leader: TERM, then KILL; sets survivors.
sweep() {
    survivors=-
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
