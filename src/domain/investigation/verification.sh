# Prints what a verification wrote down.
#
# $1 its folder, below the folder of all jobs. Prints a record `missing` where that is gone, else `file name=… text=…` for the
# beginning of `result` and of `fingerprint` and for the end of the two logs, each encoded.
cd "$LEGWORK_ROOT/jobs/$1" 2>/dev/null || {
    printf 'missing\n'
    exit 0
}
# r_file NAME head|tail BYTES: prints the record of one end of a file.
r_file() {
    [ -f "$1" ] || return 0
    printf 'file name=%s text=@' "$1"
    "$2" -c "$3" "$1" | base64 | tr -d '\n'
    printf '\n'
}
r_file result head 65536
r_file fingerprint head 65536
r_file before.log tail 16384
r_file after.log tail 16384
