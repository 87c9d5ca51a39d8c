# Prints the sealed result of a verification.
#
# $1 its folder, below the root. Prints a record `missing` where there is none.
cat "$LEGWORK_ROOT/$1/result" 2>/dev/null || printf 'missing\n'
