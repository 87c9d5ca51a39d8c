# Prints a piece of a log: the records `log size=… head=… exists=yes|no` and `body`, then the bytes of the head and of the tail.
#
# $1 file below the root, $2 where to begin, or `-` for head and tail, $3 bytes at most.
t_file=$LEGWORK_ROOT/$1
if [ ! -f "$t_file" ]; then
    printf 'log size=0 head=0 exists=no\nbody\n'
    exit 0
fi
t_size=$(wc -c <"$t_file")
t_size=$((t_size + 0))
t_head=$3 t_tail=0
if [ "$2" = - ] && [ "$t_size" -gt "$3" ]; then
    t_head=$(($3 / 4))
    t_tail=$(($3 - t_head))
fi
printf 'log size=%s head=%s exists=yes\nbody\n' "$t_size" "$t_head"
if [ "$2" != - ]; then
    [ "$2" -ge "$t_size" ] || tail -c "+$(($2 + 1))" "$t_file" | head -c "$3"
elif [ "$t_tail" = 0 ]; then
    head -c "$t_size" "$t_file"
else
    head -c "$t_head" "$t_file"
    tail -c "+$((t_size - t_tail + 1))" "$t_file" | head -c "$t_tail"
fi
