# Prints a piece of a log: the records `log size=… head=… exists=yes|no` and `body`, then the bytes of the head and of the tail.
# Needs: with_plain.sh.
#
# $1 file below the root, $2 where to begin, or `-` for head and tail, $3 bytes at most.
t_print() {
    t_size=$(wc -c </proc/self/fd/3)
    t_size=$((t_size + 0))
    t_head=$2 t_tail=0
    if [ "$1" = - ] && [ "$t_size" -gt "$2" ]; then
        t_head=$(($2 / 4))
        t_tail=$(($2 - t_head))
    fi
    printf 'log size=%s head=%s exists=yes\nbody\n' "$t_size" "$t_head"
    if [ "$1" != - ]; then
        [ "$1" -ge "$t_size" ] || tail -c "+$(($1 + 1))" </proc/self/fd/3 | head -c "$2"
    elif [ "$t_tail" = 0 ]; then
        head -c "$t_size" </proc/self/fd/3
    else
        head -c "$t_head" </proc/self/fd/3
        tail -c "+$((t_size - t_tail + 1))" </proc/self/fd/3 | head -c "$t_tail"
    fi
    return 0
}
real_root && with_plain "$1" t_print "$2" "$3" || printf 'log size=0 head=0 exists=no\nbody\n'
