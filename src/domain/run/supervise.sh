# The supervisor of one run: the last part of the joined script, in which the others stand before it.
# Needs: process.sh contain.sh log.sh changes.sh sockets.sh agent.sh sweep.sh.
#
#   sh supervise.sh RUN_DIR DIGEST             start the run; does nothing where it was started before
#   sh supervise.sh --finalize RUN_DIR DIGEST  take over from a supervisor that is gone; does nothing where one lives
#   sh supervise.sh --sweep RUN_DIR DIGEST GRACE  end what still lives of a run that has ended
#   sh supervise.sh --detach ...               the same as without --detach, in a session of its own, and return at once
#
# DIGEST is that of this script, which is compared before it is called again. The first two read what only the run may know from
# stdin, as shell commands that end in `: given`; it is kept in a variable and goes on through pipes, so that no file, no
# argument and no environment but that of the run holds it.
#
# POSIX sh, made for dash, bash and busybox on Linux. Beside sh it needs coreutils and git.
#
# What makes two starts one run, whatever is killed and when:
#   claim/          made once, by mkdir: this run has been started
#   claim/owner.N   made once, by link: the N-th supervisor. The next one may only follow where this one is gone.
#   leader          made once, by link: who may run the agent. Without it the agent has not been started, and
#                   the process that makes it is the only one that ever will.
# Each holds pid, start time, boot id and node, so that a recycled pid, another boot or another machine that
# shares the folder is not taken for a live process.
#
# The file protocol holds the number of all that is said here and in the state line. A supervisor leaves a run of a later
# protocol alone.

umask_before=$(umask)
umask 077
set -f
case $0 in
/*) self=$0 ;;
*) self=$PWD/$0 ;;
esac

# The place where tests end this process.
point() { [ "${LEGWORK_POINT-}" != "$1" ] || kill -9 $$; }

# uptime: sets up, in hundredths of a second. It neither jumps with the clock nor costs a process.
uptime() {
    read -r up _ </proc/uptime
    up=$((${up%.*} * 100 + 1${up#*.} - 100))
}

spec() {
    token=${dir##*/}
    job=${dir%/*}
    job=${job##*/}
    run=1 root='' folder='' secrets='' contain='' keep=''
    wall_s=3600 idle_s=0 grace_s=10 log_cap=52428800 beat_s=5 cwd='' worktree='' base=''
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
        root) root=$s_value ;;
        folder) folder=$s_value ;;
        secrets) secrets=$s_value ;;
        contain) contain=$s_value ;;
        keep) keep=$s_value ;;
        cwd) cwd=$s_value ;;
        worktree) worktree=$s_value ;;
        base) base=$s_value ;;
        esac
    done <spec
    [ "$beat_s" -gt 0 ] || beat_s=1
    return 0
}

# detach COMMAND...: starts it in a session of its own, with the same stdin.
# `setsid -f` is preferred because `&` makes a shell ignore SIGINT for good in all that it starts.
detach() {
    umask "$umask_before"
    if setsid -f true </dev/null >/dev/null 2>&1; then
        setsid -f "$@" >/dev/null 2>&1
    else
        # The shell gives what it starts by `&` another stdin, unless that comes from elsewhere.
        {
            if command -v setsid >/dev/null 2>&1; then
                setsid "$@" <&9 9<&- >/dev/null 2>&1 &
            else
                set -m
                nohup "$@" <&9 9<&- >/dev/null 2>&1 &
                set +m
            fi
        } 9<&0
    fi
    umask 077
}

# take_given: reads what only the run may know; nothing where it did not come whole.
take_given() {
    given=$(cat)
    case $given in
    *': given') ;;
    *) given='' ;;
    esac
}

# ---- the supervisor -----------------------------------------------------------------------------------------

# owner: sets generation to that of the last supervisor (0 where there is none) and reads who it is.
owner() {
    generation=0
    while [ -e claim/owner.$((generation + 1)) ]; do generation=$((generation + 1)); done
    owner_pid='' owner_start='' owner_boot='' owner_node=''
    [ $generation -eq 0 ] || read -r owner_pid owner_start owner_boot owner_node <"claim/owner.$generation"
}

owned() { alive "$owner_pid" "$owner_start" "$owner_boot"; }

# take N: becomes the N-th supervisor, or is not it.
take() {
    identify $$ && once "claim/owner.$1" "$$ $p_start $boot $node" || exit 0
    sup_start=$p_start
}

leader() {
    [ -e leader ] || return 1
    read -r leader_pid leader_start leader_boot _ started leader_reason leader_contained <leader
}

# record STATE ENDED EXIT SIGNAL REASON SURVIVORS DIFF: writes the state line. It ends in the heartbeat, so that one
# file holds all that is known of a run.
record() {
    r_pid=${leader_pid:-0}
    recorded="legwork-run v=2 job=$job run=$run state=$1 pid=$r_pid pgid=$r_pid start=${leader_start:--} sup=$$ sup_start=$sup_start boot=$boot node=$node started=${started:--} ended=$2 exit=$3 signal=$4 reason=$5 survivors=$6 diff=$7 contained=${leader_contained:--} list=${changes_list:--}"
    put state "$recorded at=${beat_at:=$(date +%s)} log=${log_bytes:-0} log_at=${touched:-0}"
}

# look: sets activity, a text that changes when the logs do, and touched, when they last did.
look() {
    set +f
    activity=$(stat -c '%s %Y' agent.log agent.err agent.log.cut? agent.err.cut? 2>/dev/null)
    set -f
    # shellcheck disable=SC2086 # sizes and times are many words on purpose
    set -- $activity
    log_bytes=${1:-0} touched=${2:-0}
    while [ $# -ge 2 ]; do
        [ "$2" -le "$touched" ] || touched=$2
        shift 2
    done
}

# beat: writes the heartbeat where it is due. Where the control folder is gone nobody can end the run any more, so it ends.
beat() {
    uptime
    [ "$up" -ge "${beat_due:-0}" ] || return 0
    [ "${leader_pid:-0}" = 0 ] || [ -e leader ] || abandon
    beat_due=$((up + beat_s * 100))
    look
    beat_at=$(date +%s)
    put heartbeat "legwork-beat job=$job run=$run at=$beat_at log=$log_bytes log_at=$touched"
    put state "$recorded at=$beat_at log=$log_bytes log_at=$touched"
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

# abandon: ends the run without a word, where there is no place for one.
abandon() {
    beat_due=9999999999999
    sweep 0
    alive "$leader_pid" "$leader_start" "$leader_boot" && kill -KILL "$leader_pid"
    remove_sockets
    exit 1
}

# watch: until the agent has ended or was ended.
watch() {
    uptime
    clock=$(date +%s)
    w_started=$up
    look
    w_activity=$activity
    w_changed=$up
    if [ "$generation" -gt 1 ]; then
        # The limits count from the start of the agent, whichever supervisor enforces them.
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
            if [ "$activity" != "$w_activity" ]; then
                w_activity=$activity
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

# dismiss: ends the leader, whose work is done. There is no end while it lives.
dismiss() {
    d_try=0
    while alive "$leader_pid" "$leader_start" "$leader_boot"; do
        [ $((d_try % 20)) -ne 0 ] || kill -KILL "$leader_pid" 2>/dev/null
        d_try=$((d_try + 1))
        nap 0.02
        beat
    done
    # What was in the pipes is still being written down.
    d_try=0
    while [ $d_try -lt 60 ] && { [ ! -e .agent.log.end ] || [ ! -e .agent.err.end ]; }; do
        [ -e agent.log ] || [ -e agent.err ] || return 0
        d_try=$((d_try + 1))
        nap 0.05
    done
}

# conclude STATE REASON EXIT SIGNAL: writes the end.
conclude() {
    point before_diff
    changes
    point after_diff
    remove_sockets
    # Where nothing kept the run together, that nothing was found does not say that nothing is left.
    if [ "$survivors" = - ] && [ "$leader_contained" = best_effort ] && [ "$leader_boot" = "$boot" ]; then survivors='?'; fi
    beat_due=0
    [ -z "$recorded" ] || beat
    clock=$(date +%s)
    x_wall=null x_started=null
    case $started in
    '' | *[!0-9]*) ;;
    *) x_wall=$((clock - started)) x_started=$started ;;
    esac
    x_code=$3 x_signal=$4
    [ "$3" != - ] || x_code=null
    [ "$4" != - ] || x_signal=null
    case $survivors in
    -) x_survivors='[]' ;;
    '?') x_survivors=null ;;
    *) x_survivors="[$survivors]" ;;
    esac
    x_contained=null
    [ "${leader_contained:--}" = - ] || x_contained="\"$leader_contained\""
    x_text="{\"state\":\"$1\",\"exit_code\":$x_code,\"signal\":$x_signal,\"reason\":\"$2\",\"started_at\":$x_started,\"ended_at\":$clock,\"wall_s\":$x_wall,\"survivors\":$x_survivors,\"contained\":$x_contained}"
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
    terminated='' recorded='' beat_at=''
    trap '' HUP
    trap 'terminated=yes' TERM INT
    survivors=-
    diff=-
    if ! leader; then
        # A run that was cancelled before anything of it was sent has no spec.
        if [ -e cancelled ] || [ -e cancel ]; then
            nobody cancel_requested
        elif ! spec; then
            nobody spec_missing
        elif [ "${owner_boot:-$boot}" != "$boot" ]; then
            nobody rebooted
        elif [ "$secrets" = yes ] && [ -z "$given" ]; then
            # They went down with the supervisor that had them, and the agent certainly was not started.
            nobody secrets_lost
        else
            record launching - - - - - -
            beat
            locate
            point before_agent
            # HUP must reach what is started as it was, so it is caught here for a moment, not ignored.
            trap : HUP
            printf '%s\n' "${given:-: given}" | detach sh "$self" --agent "$dir" "$digest"
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
    unset given
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

# finalize: --finalize. Takes over a run that has no supervisor; ends the process.
finalize() {
    ended . && exit 0
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
    ended . && exit 0
    supervise
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
--finalize | --agent | --guard | --log | --sweep)
    mode=${1#--}
    shift
    ;;
esac
if ! { cd "$1" 2>/dev/null && dir=$(pwd -P) && here; }; then
    echo "supervise: $1 is no run on a machine with /proc" >&2
    exit 1
fi
digest=$2
spec
of=2
# shellcheck disable=SC2094 # it is only read
[ ! -f protocol ] || read -r of <protocol
[ "$of" = 2 ] || {
    echo "supervise: $dir is of another protocol" >&2
    exit 1
}
case $mode in
log) log "$2" ;;
agent) agent ;;
guard) guard ;;
start)
    take_given
    mkdir claim 2>/dev/null || exit 0
    point claimed
    owner_boot=
    generation=1
    take 1
    supervise
    ;;
sweep)
    ended . || exit 0
    leader && [ "$leader_boot" = "$boot" ] || exit 0
    beat_due=9999999999999 recorded=$state_line
    sweep "$3"
    s_left=${recorded##* survivors=}
    s_left=${s_left%% *}
    # Of those that were named before it is only known whether there still is one.
    s_ifs=$IFS
    IFS=,
    for s_pid in $s_left; do
        if number "$s_pid" && identify "$s_pid"; then
            case ",$survivors," in
            *",$s_pid,"*) ;;
            *) survivors="$survivors,$s_pid" ;;
            esac
        fi
    done
    IFS=$s_ifs
    survivors=${survivors#-,}
    if [ "$survivors" = - ] && [ "$leader_contained" = best_effort ]; then survivors='?'; fi
    [ "$survivors" = "$s_left" ] || put state "${recorded% survivors=*} survivors=$survivors ${recorded#* survivors="$s_left" }"
    ;;
finalize)
    take_given
    finalize
    ;;
esac
