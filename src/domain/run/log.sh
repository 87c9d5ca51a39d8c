# The log of a run: what an agent prints, with a cap. Part of the supervisor.
# Needs: put, intact. Defines: log, tap.

# log NAME: --log NAME, bytes on stdin. Keeps the beginning and the end of what comes, never stops reading, and dies
# of no signal but KILL.
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

# tap NAME: writes stdin to that log, outside the agent's session, so that the last words are kept as well.
tap() {
    # Where somebody altered the program meanwhile, what was read of it goes on, and only dies with the session.
    intact "$self" "$digest" || { log "$1" && exit; }
    setsid -f sh "$self" --log "$dir" "$1" >/dev/null 2>&1 && return 0
    command -v setsid >/dev/null 2>&1 && exec setsid sh "$self" --log "$dir" "$1" >/dev/null 2>&1
    exec sh "$self" --log "$dir" "$1" >/dev/null 2>&1
}
