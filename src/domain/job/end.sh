# Prints the size of the diff and the end of the log of runs that have ended. The last words of an agent fit into that end.
#
# For each run: $1 its job id, $2 its folder below the root. Prints a record `end job=… diff=… log=…` for each, the log encoded.
while [ $# -ge 2 ]; do
    e_run=$LEGWORK_ROOT/$2
    e_diff=0
    [ -f "$e_run/changes.diff" ] && e_diff=$(wc -c <"$e_run/changes.diff")
    printf 'end job=%s diff=%s log=@' "$1" "$((e_diff + 0))"
    [ -f "$e_run/agent.log" ] && tail -c 131072 "$e_run/agent.log" | base64 | tr -d '\n'
    printf '\n'
    shift 2
done
