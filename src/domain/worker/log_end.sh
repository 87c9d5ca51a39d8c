# Prints the end of a log: the record `body`, then bytes. Needs: with_plain.sh.
#
# $1 file below the root, $2 bytes at most.
l_print() {
    printf 'log\nbody\n'
    tail -c "$1" </proc/self/fd/3
}
real_root && with_plain "$1" l_print "$2" || printf 'log\nbody\n'
