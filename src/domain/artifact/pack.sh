# Packs files of a job, as they are at one moment each.
#
# $1 job id, $2 bytes to take of a file at most, then the places of files below the job's folder, none of which holds a
# blank. Prints a record `packed place=… bytes=… sha256=…` or `gone place=…` for each, then `body`, behind which the archive follows.
LC_ALL=C
export LC_ALL
p_job=$LEGWORK_ROOT/jobs/$1
p_cap=$2
shift 2
mkdir -p "$LEGWORK_ROOT/tmp" || exit 1
# What a call that was cut off left behind.
find "$LEGWORK_ROOT/tmp" -maxdepth 1 -name 'fetch.*' -mmin +1440 -exec rm -rf {} + 2>/dev/null
p_side=$(mktemp -d "$LEGWORK_ROOT/tmp/fetch.XXXXXX") || exit 1
trap 'rm -rf "$p_side"' EXIT
trap 'exit 1' HUP INT TERM
p_places=
for p_place; do
    p_from=$p_job/$p_place
    if [ -L "$p_from" ] || [ ! -f "$p_from" ]; then
        printf 'gone place=%s\n' "$p_place"
        continue
    fi
    case $p_place in
    */*) mkdir -p "$p_side/${p_place%/*}" || exit 1 ;;
    esac
    head -c "$p_cap" <"$p_from" >"$p_side/$p_place" || exit 1
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
