# Prints what a verification wrote down.
#
# $1 its folder, below the folder of all jobs. Prints `missing` where that is gone, else the lines of `result`, those of
# `fingerprint` with that word in front, and `log NAME BASE64` for the end of each of its two logs.
cd "$LEGWORK_ROOT/jobs/$1" 2>/dev/null || {
    printf 'missing\n'
    exit 0
}
[ -f result ] && cat result
[ -f fingerprint ] && sed 's/^/fingerprint /' fingerprint
for r_name in before after; do
    [ -f "$r_name.log" ] || continue
    printf 'log %s ' "$r_name"
    tail -c 16384 "$r_name.log" | base64 | tr -d '\n'
    printf '\n'
done
exit 0
