# How the read-only scripts report what they find, and how they bound the time of the programs they start.
# say KEY VALUE: prints a record `key v=value`, the value percent-encoded. Needs nothing but the shell itself.
say() {
    say_rest=$2 say_text=
    case $say_rest in
    @*) say_rest=${say_rest#@} say_text=%40 ;;
    esac
    while :; do
        case $say_rest in
        *[[:cntrl:]%\ ]*) ;;
        *) break ;;
        esac
        say_plain=${say_rest%%[[:cntrl:]%\ ]*}
        say_rest=${say_rest#"$say_plain"}
        case $say_rest in
        ' '*) say_text=$say_text$say_plain%20 ;;
        '%'*) say_text=$say_text$say_plain%25 ;;
        '	'*) say_text=$say_text$say_plain%09 ;;
        # What else moves the cursor of a terminal is not worth keeping.
        *) say_text=$say_text$say_plain%3f ;;
        esac
        say_rest=${say_rest#?}
    done
    printf '%s v=%s\n' "$1" "$say_text$say_rest"
}
lines() {
    while IFS= read -r line || [ -n "$line" ]; do say "$1" "$line"; done
}
# first_lines KEY PREFIX: the first few lines, where programs print their version.
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
