#!/bin/sh
# The supervisor of one run.
#
#   sh supervise.sh RUN_DIR             start the run; does nothing where it was started before
#   sh supervise.sh --finalize RUN_DIR  take over from a supervisor that is gone; does nothing where one lives
#   sh supervise.sh --detach ...        the same as without --detach, in a session of its own, and return at once
#
# POSIX sh, made for dash, bash and busybox on Linux. Beside sh it needs coreutils and git.
#
# What makes two starts one run, whatever is killed and when:
#   claim/          made once, by mkdir: this run has been started
#   claim/owner.N   made once, by link: the N-th supervisor. The next one may only follow where this one is gone.
#   leader          made once, by link: who may run the agent. Without it the agent has not been started, and
#                   whoever makes it is the only one who ever will.
# Each holds pid, start time, boot id and node, so that a recycled pid, another boot or another machine that
# shares the folder is told from a live process.

umask_before=$(umask)
umask 077
set -f
case $0 in
/*) self=$0 ;;
*) self=$PWD/$0 ;;
esac

# ---- small things -------------------------------------------------------------------------------------------

nap() { sleep "$1" 2>/dev/null || sleep 1; }

# put NAME TEXT: writes a file whole.
put() {
    printf '%s\n' "$2" 2>/dev/null >".$1.$$" && mv -f ".$1.$$" "$1" 2>/dev/null && return 0
    rm -f ".$1.$$"
    return 1
}

# once NAME TEXT: makes a file whole, unless there is one.
once() {
    o_draft=.${1##*/}.$$
    printf '%s\n' "$2" 2>/dev/null >"$o_draft" || return 1
    if ln "$o_draft" "$1" 2>/dev/null; then
        o_made=0
    elif [ -e "$1" ]; then
        o_made=1
    else # a file system without hard links
        (set -C && printf '%s\n' "$2" >"$1") 2>/dev/null
        o_made=$?
    fi
    rm -f "$o_draft"
    return "$o_made"
}

number() {
    case $1 in
    '' | *[!0-9]* | 0?* | ???????????????*) return 1 ;;
    esac
}

# The place where tests end this process.
point() { [ "${LEGWORK_POINT-}" != "$1" ] || kill -9 $$; }

# uptime: sets up, in hundredths of a second. It neither jumps with the clock nor costs a process.
uptime() {
    read -r up up_idle </proc/uptime
    up=$((${up%.*} * 100 + 1${up#*.} - 100))
}

# identify PID: sets p_group, p_session, p_start; false where there is no such process, or only its remains.
identify() {
    p_line=
    while IFS= read -r p_part || [ -n "$p_part" ]; do
        p_line="$p_line$p_part "
    done 2>/dev/null <"/proc/$1/stat"
    case $p_line in
    *') '*) ;;
    *) return 1 ;;
    esac
    # The program's name may hold anything; the fields follow its last parenthesis.
    set -- ${p_line##*) }
    case $1 in
    Z | X | x) return 1 ;;
    esac
    p_group=$3 p_session=$4 p_start=${20}
}

# alive PID START BOOT: whether that very process lives.
alive() {
    [ "$3" = "$boot" ] && number "$1" && [ "$1" -gt 1 ] && identify "$1" && [ "$p_start" = "$2" ]
}

here() {
    boot=
    node=
    n_machine=
    { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
    { read -r node </proc/sys/kernel/hostname; } 2>/dev/null
    { read -r n_machine </etc/machine-id; } 2>/dev/null
    n_rest=${n_machine#????????}
    node=$node.${n_machine%"$n_rest"}
    case $node in
    *[!A-Za-z0-9._-]*) node=odd ;;
    esac
    [ -n "$boot" ]
}

spec() {
    job=${dir%/runs/*}
    job=${job##*/}
    run=${dir##*/}
    wall_s=3600 idle_s=0 grace_s=10 log_cap=52428800 beat_s=5 cwd= worktree= base=
    [ -f spec ] || return 1
    while IFS= read -r s_line || [ -n "$s_line" ]; do
        s_value=${s_line#* }
        case ${s_line%% *} in
        job) job=$s_value ;;
        run) run=$s_value ;;
        wall_s) number "$s_value" && wall_s=$s_value ;;
        idle_s) number "$s_value" && idle_s=$s_value ;;
        grace_s) number "$s_value" && grace_s=$s_value ;;
        log_cap) number "$s_value" && log_cap=$s_value ;;
        beat_s) number "$s_value" && beat_s=$s_value ;;
        cwd) cwd=$s_value ;;
        worktree) worktree=$s_value ;;
        base) base=$s_value ;;
        esac
    done <spec
    [ "$beat_s" -gt 0 ] || beat_s=1
    return 0
}

# detach COMMAND...: starts it in a session of its own.
# `setsid -f` is preferred because `&` makes a shell ignore SIGINT for good in all that it starts.
detach() {
    umask "$umask_before"
    if setsid -f "$@" </dev/null >/dev/null 2>&1; then
        :
    elif command -v setsid >/dev/null 2>&1; then
        setsid "$@" </dev/null >/dev/null 2>&1 &
    else
        set -m
        nohup "$@" </dev/null >/dev/null 2>&1 &
        set +m
    fi
    umask 077
}

# ---- the log: --log NAME, bytes on stdin --------------------------------------------------------------------
# Keeps the beginning and the end of what comes, never stops reading, and dies of no signal but KILL.

log() {
    trap '' HUP INT TERM PIPE
    l_tail=65536
    [ $((log_cap / 2)) -ge $l_tail ] || l_tail=$((log_cap / 2))
    l_head=$((log_cap - l_tail))
    l_size=0
    : >>"$1"
    # dd passes on each piece as it comes, where head would hold it back. It counts pieces, hence the rounds.
    while [ "$l_size" -lt "$l_head" ]; do
        l_left=$((l_head - l_size))
        if [ "$l_left" -ge 65536 ]; then
            l_block=65536
        elif [ "$l_left" -ge 512 ]; then
            l_block=512
        else
            l_block=$l_left
        fi
        dd bs=$l_block count=$((l_left / l_block)) >>"$1" 2>/dev/null || {
            cat >/dev/null
            put ".$1.end" full
            return
        }
        l_new=$(stat -c %s "$1")
        [ "$l_new" != "$l_size" ] || {
            put ".$1.end" whole
            return
        }
        l_size=$l_new
    done
    # Beyond the cap: pieces in turn, of which the last two are kept until the end.
    l_all=0 l_n=0
    l_count=$((l_tail / 4096 + 1))
    while :; do
        dd bs=4096 count=$l_count >"$1.cut$((l_n % 3))" 2>/dev/null || {
            cat >/dev/null
            break
        }
        l_new=$(stat -c %s "$1.cut$((l_n % 3))")
        [ "$l_new" != 0 ] || break
        l_all=$((l_all + l_new)) l_n=$((l_n + 1))
    done
    if [ "$l_n" -gt 0 ]; then
        l_old=$1.cut$(((l_n + 1) % 3)) l_last=$1.cut$(((l_n + 2) % 3))
        [ "$l_n" -gt 1 ] || : >"$l_old"
        l_kept=$(cat "$l_old" "$l_last" | tail -c "$l_tail" | wc -c)
        {
            printf '\n[legwork: %s bytes cut here]\n' $((l_all - l_kept))
            cat "$l_old" "$l_last" | tail -c "$l_tail"
        } >>"$1"
    fi
    rm -f "$1.cut0" "$1.cut1" "$1.cut2"
    put ".$1.end" cut
}

# ---- the agent's side: --agent, leader of the agent's own session -------------------------------------------
# Runs the command, writes down how it ended, and stays until the supervisor has swept the session: as long as
# it lives, its pid stands for this session and for no other.

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
    o_line=
    while :; do read -r o_line <&9 || nap 1; done
}

# guard: --guard, beside the session. Calls another supervisor where none is left to take note of the end.
guard() {
    while leader && alive "$leader_pid" "$leader_start" "$leader_boot"; do
        owner
        owned || exec sh "$self" --finalize "$dir"
        sleep 1
    done
}

# tap NAME: writes stdin to that log, outside the agent's session, so that the last words are kept as well.
tap() {
    setsid -f sh "$self" --log "$dir" "$1" >/dev/null 2>&1 && return 0
    command -v setsid >/dev/null 2>&1 && exec setsid sh "$self" --log "$dir" "$1" >/dev/null 2>&1
    exec sh "$self" --log "$dir" "$1" >/dev/null 2>&1
}

agent() {
    # Caught, not ignored: what is started from here has the signals as they were.
    trap : HUP INT TERM
    unset LEGWORK_POINT
    identify $$ || exit 1
    once leader "$$ $p_start $boot $node $(date +%s) -" || exit 0
    [ ! -e cancelled ] && [ ! -e cancel ] || over - cancel_requested
    [ "$p_group" = $$ ] || over - no_process_group
    cd "$cwd" 2>/dev/null || over - cwd_missing
    cd "$dir" || exit 1
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

# ---- the supervisor -----------------------------------------------------------------------------------------

# owner: sets generation to that of the last supervisor (0 where there is none) and reads who it is.
owner() {
    generation=0
    while [ -e claim/owner.$((generation + 1)) ]; do generation=$((generation + 1)); done
    owner_pid= owner_start= owner_boot= owner_node=
    [ $generation -eq 0 ] || read -r owner_pid owner_start owner_boot owner_node <"claim/owner.$generation"
}

owned() { alive "$owner_pid" "$owner_start" "$owner_boot"; }

ended() {
    e_line=
    [ ! -f state ] || read -r e_line <state
    case $e_line in
    *' state=succeeded '* | *' state=failed '* | *' state=cancelled '* | *' state=timed_out '* | *' state=lost '*) ;;
    *) return 1 ;;
    esac
}

# take N: becomes the N-th supervisor, or is not it.
take() {
    identify $$ && once "claim/owner.$1" "$$ $p_start $boot $node" || exit 0
    sup_start=$p_start
}

leader() {
    [ -e leader ] || return 1
    read -r leader_pid leader_start leader_boot leader_node started leader_reason <leader
}

# record STATE ENDED EXIT SIGNAL REASON SURVIVORS DIFF: writes the state line. It ends in the heartbeat, so that one
# file tells all there is to tell of a run.
record() {
    r_pid=${leader_pid:-0}
    recorded="legwork-run v=1 job=$job run=$run state=$1 pid=$r_pid pgid=$r_pid start=${leader_start:--} sup=$$ sup_start=$sup_start boot=$boot node=$node started=${started:--} ended=$2 exit=$3 signal=$4 reason=$5 survivors=$6 diff=$7"
    put state "$recorded at=${beat_at:=$(date +%s)} log=${log_bytes:-0} log_at=${touched:-0}"
}

# look: sets seen, a text that changes when the logs do, and touched, when they last did.
look() {
    set +f
    seen=$(stat -c '%s %Y' agent.log agent.err agent.log.cut? agent.err.cut? 2>/dev/null)
    set -f
    set -- $seen
    log_bytes=${1:-0} touched=${2:-0}
    while [ $# -ge 2 ]; do
        [ "$2" -le "$touched" ] || touched=$2
        shift 2
    done
}

# beat: writes the heartbeat where it is due.
beat() {
    uptime
    [ "$up" -ge "${beat_due:-0}" ] || return 0
    beat_due=$((up + beat_s * 100))
    look
    beat_at=$(date +%s)
    put heartbeat "legwork-beat job=$job run=$run at=$beat_at log=$log_bytes log_at=$touched"
    put state "$recorded at=$beat_at log=$log_bytes log_at=$touched"
}

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
        [ "$m_pid" != "$leader_pid" ] && [ "$m_pid" != $$ ] && identify "$m_pid" || continue
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

# stop REASON: ends the agent because of a limit or on request.
stop() {
    put stop "$1"
    # It may have ended by itself in the meantime; then that is how it ended.
    [ ! -e rc ] || {
        rm -f stop
        return 0
    }
    t_grace=$grace_s
    if [ "$1" = cancel_requested ] && [ -f cancel ]; then
        t_line=
        read -r t_line <cancel
        number "$t_line" && t_grace=$t_line
    fi
    sweep "$t_grace"
    # The command is gone now, and its leader is about to say how.
    t_try=0
    while [ ! -e rc ] && [ $t_try -lt 40 ] && alive "$leader_pid" "$leader_start" "$leader_boot"; do
        t_try=$((t_try + 1))
        nap 0.05
    done
}

# watch: until the agent has ended or was ended.
watch() {
    uptime
    clock=$(date +%s)
    w_started=$up
    look
    w_seen=$seen
    w_changed=$up
    if [ "$generation" -gt 1 ]; then
        # The limits count from when the agent was started, whoever watches over it now.
        number "$started" && [ "$clock" -gt "$started" ] && w_started=$((up - (clock - started) * 100))
        [ "$touched" -gt 0 ] && [ "$clock" -gt "$touched" ] && w_changed=$((up - (clock - touched) * 100))
    fi
    w_look=$((idle_s * 25))
    [ $w_look -le 500 ] || w_look=500
    w_due=0
    w_count=0
    w_wall=$((wall_s * 100))
    while [ ! -e rc ]; do
        alive "$leader_pid" "$leader_start" "$leader_boot" || return 0
        if [ -e cancel ] || [ -e cancelled ] || [ -n "$terminated" ]; then
            stop cancel_requested
            return
        fi
        beat
        if [ $((up - w_started)) -ge $w_wall ]; then
            stop wall_limit
            return
        fi
        if [ "$idle_s" -gt 0 ] && [ "$up" -ge $w_due ]; then
            w_due=$((up + w_look))
            look
            if [ "$seen" != "$w_seen" ]; then
                w_seen=$seen
                w_changed=$up
            elif [ $((up - w_changed)) -ge $((idle_s * 100)) ]; then
                stop idle_limit
                return
            fi
        fi
        w_count=$((w_count + 1))
        if [ $w_count -lt 40 ]; then
            nap 0.05
        elif [ $w_count -lt 80 ]; then
            nap 0.1
        else
            nap 0.25
        fi
    done
}

# dismiss: ends the leader, whose work is done.
dismiss() {
    d_try=0
    while alive "$leader_pid" "$leader_start" "$leader_boot" && [ $d_try -lt 100 ]; do
        [ $((d_try % 20)) -ne 0 ] || kill -KILL "$leader_pid" 2>/dev/null
        d_try=$((d_try + 1))
        nap 0.02
    done
    # What was in the pipes is still being written down.
    d_try=0
    while [ $d_try -lt 60 ] && { [ ! -e .agent.log.end ] || [ ! -e .agent.err.end ]; }; do
        [ -e agent.log ] || [ -e agent.err ] || return 0
        d_try=$((d_try + 1))
        nap 0.05
    done
}

# plain: a git that hears nothing of the environment or of anybody's configuration.
plain() {
    for g_name in GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES \
        GIT_COMMON_DIR GIT_NAMESPACE GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_EXTERNAL_DIFF \
        GIT_DIFF_OPTS GIT_TEMPLATE_DIR GIT_ATTR_SOURCE GIT_DEFAULT_HASH GIT_TRACE GIT_TRACE2 GIT_PREFIX \
        GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS; do
        unset "$g_name"
    done
    HOME=$dir XDG_CONFIG_HOME=$dir/.none
    GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
    GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_NO_LAZY_FETCH=1 GIT_PAGER=cat GIT_ADVICE=0
    export HOME XDG_CONFIG_HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_SYSTEM GIT_CONFIG_GLOBAL GIT_ATTR_NOSYSTEM
    export GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT GIT_NO_LAZY_FETCH GIT_PAGER GIT_ADVICE
}

# locate: notes where the objects of the repository are, before the agent can say otherwise.
locate() {
    [ -n "$worktree" ] && [ -n "$base" ] && [ ! -e objects ] || return 0
    b_common=$(
        plain
        # Whose repository it is does not matter to this question.
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
        export GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
        cd "$worktree" && b_dir=$(git rev-parse --git-common-dir) && cd "$b_dir" && pwd -P
    ) 2>/dev/null || return 0
    [ ! -f "$b_common/info/exclude" ] || cp "$b_common/info/exclude" exclude 2>/dev/null
    put objects "$b_common/objects"
}

# compare: writes the diff from the base commit to the worktree as it is.
# It looks through a repository of its own that borrows the objects: the agent's index is not touched, and no
# filter, hook, monitor or driver that a configuration names is run.
compare() {
    c_git=$dir/.compare
    rm -rf "$c_git"
    [ -d "$worktree" ] && [ ! -h "$worktree" ] || {
        echo "the worktree is not there"
        return 1
    }
    case $base in
    '' | *[!0-9a-f]*)
        echo "the base is not a commit id"
        return 1
        ;;
    esac
    c_objects=
    [ ! -f objects ] || IFS= read -r c_objects <objects
    [ -d "$c_objects" ] || {
        echo "the repository of the worktree was not found"
        return 1
    }
    c_format=
    [ ${#base} -le 40 ] || c_format=--object-format=sha256
    plain
    git init -q --bare --template= $c_format "$c_git" || return 1
    mkdir -p "$c_git/objects/info" "$c_git/info" || return 1
    printf '%s\n' "$c_objects" >"$c_git/objects/info/alternates" || return 1
    # What tools leave behind unasked is no work of the agent.
    printf '%s\n' '__pycache__/' '*.pyc' 'node_modules/' '.DS_Store' >"$c_git/info/exclude" || return 1
    [ ! -f exclude ] || cat exclude >>"$c_git/info/exclude"
    GIT_DIR=$c_git GIT_WORK_TREE=$worktree GIT_INDEX_FILE=$c_git/index
    export GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
    git config core.bare false && git config core.looseCompression 0 && git config core.hooksPath /dev/null &&
        git config gc.auto 0 && git config core.quotePath true && git config diff.renames true || return 1
    if command -v git-lfs >/dev/null 2>&1; then
        git config filter.lfs.clean 'git-lfs clean -- %f'
    fi
    cd "$worktree" || return 1
    git read-tree "$base" || return 1
    c_whole=0
    if ! git add -A --ignore-errors .; then
        c_whole=3
        # A repository without a commit, made inside the worktree, stops all of the above.
        git add -u --ignore-errors .
        git ls-files -z --others --exclude-standard | git update-index -z --add --stdin
    fi
    git diff --cached --binary --full-index --no-color --no-ext-diff --no-textconv "$base" -- \
        >"$dir/.changes.diff" || return 1
    mv -f "$dir/.changes.diff" "$dir/changes.diff" || return 1
    return $c_whole
}

# changes: sets diff to ok, partial, failed or none.
changes() {
    diff=none
    [ -n "$worktree" ] && [ -n "$base" ] || return 0
    locate
    (compare) >.changes.err 2>&1 &
    g_pid=$!
    while kill -0 $g_pid 2>/dev/null; do
        nap 0.02
        [ -z "$recorded" ] || beat
    done
    wait $g_pid
    case $? in
    0) diff=ok ;;
    3) diff=partial ;;
    *) diff=failed ;;
    esac
    rm -rf .compare .changes.diff
    if [ $diff = ok ]; then rm -f .changes.err changes.err; else mv -f .changes.err changes.err; fi
}

# conclude STATE REASON EXIT SIGNAL: writes the end.
conclude() {
    point before_diff
    changes
    point after_diff
    rm -f secrets.sh
    beat_due=0
    [ -z "$recorded" ] || beat
    clock=$(date +%s)
    x_wall=null x_started=null
    case $started in
    '' | *[!0-9]*) ;;
    *) x_wall=$((clock - started)) x_started=$started ;;
    esac
    x_code=$3 x_signal=$4 x_survivors=
    [ "$3" != - ] || x_code=null
    [ "$4" != - ] || x_signal=null
    [ "$survivors" = - ] || x_survivors=$survivors
    x_text="{\"state\":\"$1\",\"exit_code\":$x_code,\"signal\":$x_signal,\"reason\":\"$2\",\"started_at\":$x_started,\"ended_at\":$clock,\"wall_s\":$x_wall,\"survivors\":[$x_survivors]}"
    x_try=0
    # Without room for the end there is no end: the next poll finds the supervisor gone and calls another.
    until put exit.json "$x_text" && { point before_state; record "$1" "$clock" "$3" "$4" "$2" "$survivors" "$diff"; }; do
        x_try=$((x_try + 1))
        [ $x_try -lt 60 ] || exit 1
        sleep 1
    done
    exit 0
}

# nobody REASON: makes sure that the agent is never started; false where it was.
nobody() { once leader "0 - $boot $node - $1"; }

supervise() {
    terminated= recorded= beat_at=
    trap '' HUP
    trap 'terminated=yes' TERM INT
    survivors=-
    diff=-
    if ! leader; then
        if ! spec; then
            nobody spec_missing
        elif [ -e cancelled ] || [ -e cancel ]; then
            nobody cancel_requested
        elif [ "${owner_boot:-$boot}" != "$boot" ]; then
            nobody rebooted
        else
            record launching - - - - - -
            beat
            locate
            point before_agent
            # HUP must reach what is started as it was, so it is caught here for a moment, not ignored.
            trap : HUP
            detach sh "$self" --agent "$dir"
            trap '' HUP
            point after_agent_start
            v_try=0
            while [ ! -e leader ]; do
                v_try=$((v_try + 1))
                [ $v_try -lt 500 ] || nobody start_failed
                nap 0.02
            done
        fi
        leader
    fi
    if [ "$leader_pid" != 0 ]; then
        record running - - - - - -
        watch
        [ ! -e rc ] || [ "$survivors" != - ] || sweep "$grace_s"
        [ -e rc ] || sweep 2
        dismiss
    fi
    v_code=- v_why=$leader_reason
    if [ -e rc ]; then
        read -r v_code v_why <rc
    elif [ "$leader_pid" != 0 ]; then
        v_why=vanished
        [ "$leader_boot" = "$boot" ] || v_why=rebooted
    fi
    v_signal=-
    if number "$v_code" && [ "$v_code" -gt 128 ] && [ "$v_code" -le 192 ]; then v_signal=$((v_code - 128)); fi
    v_stop=
    [ ! -e stop ] || read -r v_stop <stop
    case $v_stop in
    cancel_requested) conclude cancelled "$v_stop" "$v_code" "$v_signal" ;;
    wall_limit | idle_limit) conclude timed_out "$v_stop" "$v_code" "$v_signal" ;;
    esac
    case $v_why in
    cancel_requested) conclude cancelled "$v_why" - - ;;
    rebooted | vanished) conclude lost "$v_why" - - ;;
    -) ;;
    *) conclude failed "$v_why" - - ;;
    esac
    case $v_code in
    0) conclude succeeded exit_status 0 - ;;
    127) conclude failed command_not_found 127 - ;;
    esac
    if [ "$v_signal" != - ]; then
        conclude failed signal "$v_code" "$v_signal"
    fi
    conclude failed exit_status "$v_code" -
}

# ---- which of them ------------------------------------------------------------------------------------------

mode=start
if [ "$1" = --detach ]; then
    shift
    # A run started from within another run is not a part of it.
    unset LEGWORK_RUN
    detach sh "$self" "$@"
    exit 0
fi
case $1 in
--finalize | --agent | --guard | --log)
    mode=${1#--}
    shift
    ;;
esac
cd "$1" 2>/dev/null && dir=$(pwd -P) && here || {
    echo "supervise: $1 is no run on a machine with /proc" >&2
    exit 1
}
spec
case $mode in
log) log "$2" ;;
agent) agent ;;
guard) guard ;;
start)
    mkdir claim 2>/dev/null || exit 0
    put supervisor "$self"
    point claimed
    owner_boot=
    generation=1
    take 1
    supervise
    ;;
finalize)
    ended && {
        rm -f secrets.sh
        exit 0
    }
    [ -d claim ] || exit 0
    owner
    if [ "$generation" -gt 0 ]; then
        owned && exit 0
        # Another machine that shares this folder cannot tell whether a process of that one lives.
        [ "$owner_node" = "$node" ] || exit 0
    fi
    generation=$((generation + 1))
    take "$generation"
    # The one before may have written the end just before it was found gone.
    ended && exit 0
    supervise
    ;;
esac
