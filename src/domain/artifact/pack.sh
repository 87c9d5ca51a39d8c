# Packs files of a job, as they are at one moment each. Needs: with_plain.sh.
#
# $1 job id, $2 control folder of the run below the root, $3 bytes to take of a file at most, then the places of files, none of
# which holds a blank. Prints a record `packed place=… bytes=… sha256=…` or `gone place=…` for each, then `body`, behind which the archive follows.
LC_ALL=C
export LC_ALL
p_job=jobs/$1 p_control=$2 p_cap=$3
shift 3
p_copy() { head -c "$p_cap" <&3 >"$p_side/$p_place"; }
real_root || exit 1
mkdir -p "$LEGWORK_ROOT/tmp" || exit 1
# What a call that was cut off left behind.
find "$LEGWORK_ROOT/tmp" -maxdepth 1 -name 'fetch.*' -mmin +1440 -exec rm -rf {} + 2>/dev/null
p_side=$(mktemp -d "$LEGWORK_ROOT/tmp/fetch.XXXXXX") || exit 1
trap 'rm -rf "$p_side"' EXIT
trap 'exit 1' HUP INT TERM
p_places=
for p_place; do
    case $p_place in
    */*) mkdir -p "$p_side/${p_place%/*}" || exit 1 ;;
    esac
    case $p_place in
    control/*) p_from=$p_control/${p_place#control/} ;;
    *) p_from=$p_job/$p_place ;;
    esac
    if ! with_plain "$p_from" p_copy; then
        printf 'gone place=%s\n' "$p_place"
        continue
    fi
    p_sum=$(sha256sum <"$p_side/$p_place") || exit 1
    p_bytes=$(wc -c <"$p_side/$p_place") || exit 1
    printf 'packed place=%s bytes=%s sha256=%s\n' "$p_place" $((p_bytes + 0)) "${p_sum%% *}"
    p_places="$p_places $p_place"
done
printf 'body\n'
[ -n "$p_places" ] || exit 0
# The places come from legwork's own list and hold no character that is special to a shell.
# shellcheck disable=SC2086
cd "$p_side" && tar -c -f - $p_places
