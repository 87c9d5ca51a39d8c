# How a look at a host says what it finds, and keeps what it starts from taking for ever.
say() { printf '%s\t%s\n' "$1" "$2"; }
lines() {
    while IFS= read -r line || [ -n "$line" ]; do say "$1" "$line"; done
}
# first_lines KEY PREFIX: the first few lines, which is where programs say their version.
first_lines() {
    count=0
    while [ "$count" -lt 5 ] && IFS= read -r line; do
        say "$1" "$2 $line"
        count=$((count + 1))
    done
}
has_timeout="" patience=""
if command -v timeout >/dev/null 2>&1; then
    has_timeout=yes
    timeout -k 1 1 true >/dev/null 2>&1 && patience='-k 2'
fi
# limited SECONDS COMMAND...
limited() {
    seconds=$1
    shift
    # shellcheck disable=SC2086 # the option is two words on purpose
    if [ -n "$has_timeout" ]; then timeout $patience "$seconds" "$@"; else "$@"; fi
}
