# Reports on the folder legwork keeps its things in, and on its disk. A folder that does not exist yet is judged by the
# nearest parent that does. report.sh comes first.
report_root() {
    say root "$LEGWORK_ROOT"
    place=$LEGWORK_ROOT
    while [ ! -e "$place" ] && [ ! -L "$place" ]; do
        case $place in
        /*/*) place=${place%/*} ;;
        *)
            place=/
            break
            ;;
        esac
    done
    if [ -e "$LEGWORK_ROOT" ]; then say root_exists yes; else say root_exists no; fi
    if [ -d "$place" ] && [ -w "$place" ] && [ -x "$place" ]; then
        say root_writable yes
    else
        say root_writable no
    fi
    df -Pk "$place" 2>/dev/null | lines disk
}
