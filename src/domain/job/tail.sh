# Prints a piece of a log: a line `legwork-log size=… head=… exists=yes|no`, then the bytes of the head and of the tail.
#
# $1 file below the root, $2 where to begin, or `-` for head and tail, $3 bytes at most.
t_file=$LEGWORK_ROOT/$1
if [ ! -f "$t_file" ]; then
    printf 'legwork-log size=0 head=0 exists=no\n'
    exit 0
fi
t_size=$(wc -c <"$t_file")
t_size=$((t_size + 0))
if [ "$2" != - ]; then
    printf 'legwork-log size=%s head=%s exists=yes\n' "$t_size" "$3"
    [ "$2" -ge "$t_size" ] || tail -c "+$(($2 + 1))" "$t_file" | head -c "$3"
elif [ "$t_size" -le "$3" ]; then
    printf 'legwork-log size=%s head=%s exists=yes\n' "$t_size" "$3"
    head -c "$t_size" "$t_file"
else
    t_head=$(($3 / 4))
    t_tail=$(($3 - t_head))
    printf 'legwork-log size=%s head=%s exists=yes\n' "$t_size" "$t_head"
    head -c "$t_head" "$t_file"
    tail -c "+$((t_size - t_tail + 1))" "$t_file" | head -c "$t_tail"
fi
