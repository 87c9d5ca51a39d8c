# The bundled agent of the demonstration: no model, one script that works as an agent should.
set -e
say() { printf '%s\n' "$1"; printf -- '- %s\n' "$1" >>../worklog.md; }
say 'Reproducing: running sh tests/run.sh on the code as it is.'
if sh tests/run.sh; then
    say 'The test passes: there is nothing to fix.'
    exit 1
fi
say 'Reproduced. is_leap asks only whether the year is divisible by 4.'
cat >calendar.sh <<'EOF'
# Calendar arithmetic for shell scripts.

# is_leap YEAR: succeeds for a leap year of the Gregorian calendar.
is_leap() {
    [ $(($1 % 4)) -eq 0 ] || return 1
    [ $(($1 % 100)) -ne 0 ] || [ $(($1 % 400)) -eq 0 ]
}

# days_in_february YEAR: prints how many days February has.
days_in_february() {
    if is_leap "$1"; then echo 29; else echo 28; fi
}
EOF
say 'Century years are leap years only where 400 divides them: fixed, running the test again.'
sh tests/run.sh
cat >../report.md <<'EOF'
# Century years are not all leap years

**Summary.** `days_in_february 1900` printed 29.

**Root cause.** `is_leap` asked only whether 4 divides the year. In the Gregorian calendar a century year is a leap year only
where 400 divides it.

**Fix.** `is_leap` also refuses years that 100 divides and 400 does not.

**How verified.** `sh tests/run.sh` failed before the change and passes with it.
EOF
printf 'Count century years as leap years only every 400 years\n' >../pr_title.txt
say 'Done: report and title are written.'
