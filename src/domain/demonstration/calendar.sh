# Calendar arithmetic for shell scripts.

# is_leap YEAR: succeeds for a leap year of the Gregorian calendar.
is_leap() {
    [ $(($1 % 4)) -eq 0 ]
}

# days_in_february YEAR: prints how many days February has.
days_in_february() {
    if is_leap "$1"; then echo 29; else echo 28; fi
}
