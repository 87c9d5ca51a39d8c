# Tests of calendar.sh; run from the top folder.
. ./calendar.sh
failed=0
expect() {
    found=$(days_in_february "$1")
    [ "$found" = "$2" ] || { echo "February $1: expected $2 days, found $found"; failed=1; }
}
expect 2023 28
expect 2024 29
expect 2000 29
expect 1900 28
expect 2100 28
exit $failed
