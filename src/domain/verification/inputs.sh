# Puts the inputs of a verification in place: defines prepare_run for submit.sh, whose functions it uses.
#
# $1 how many there are; they are the files of the preparation.
prepare_run() {
    [ "$claimed" = no ] || return 0
    make_control
    mkdir -p "$job/in" || refuse_write folder "$job/in/."
    i_number=0
    while [ "$i_number" -lt "$1" ]; do
        i_number=$((i_number + 1))
        unpack "$job/in/$i_number" $((given + i_number)) || refuse_write input "$job/in/$i_number"
    done
}
