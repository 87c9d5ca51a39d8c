#!/usr/bin/env bash
# Checks every shell script: those that run on hosts as they are joined there, the others alone.
#
# A program stands with the fragments it is joined of, by name and in their order. A script below src that no program
# names is a fault.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

PROGRAMS=(
    "forget_git plain_git process contain log litter changes sockets agent sweep supervise"
    "process forget_git plain_git git_settings git lock modules clone environment prepare submit start"
    "process inputs submit start"
    "process start"
    "process poll"
    "process cancel"
    "process take_over"
    "channel process forget_git plain_git git_settings git lock modules clone environment trees judge"
    "forget_git plain_git git_settings git process lock environment modules facts state"
    "forget_git plain_git git_settings git process lock environment modules clone facts step"
    "forget_git plain_git git_settings git process lock environment modules facts check"
    "with_plain end"
    "with_plain tail"
    "with_plain log_end"
    "local_run"
    "result"
    "with_plain list"
    "with_plain pack"
    "report root gpus probe"
    "report process locks gpus"
    "report process locks reserve"
    "report process locks release"
    "report process locks pool"
    "process locks keeper"
    "forget_git plain_git git_settings git report root contain preflight"
    "demo"
    "forget_git repository"
    "test"
    "calendar"
)
faults=0
joined=$(mktemp -d)
trap 'rm -rf "$joined"' EXIT

# fault TEXT
fault() {
    printf 'tests/shellcheck.sh: %s\n' "$1" >&2
    faults=$((faults + 1))
}

named=" "
for program in "${PROGRAMS[@]}"; do
    file=$joined/${program// /+}.sh
    for name in $program; do
        mapfile -t found < <(find src -name "$name.sh")
        [ "${#found[@]}" = 1 ] || fault "$name.sh is there ${#found[@]} times"
        cat "${found[@]}" >>"$file"
        named="$named$name "
    done
    # Variables of one part are read in another, some come from the program that sends it, and what a script reads in
    # lies where it runs.
    shellcheck --shell=sh --exclude=SC1091,SC2030,SC2031,SC2034,SC2154 "$file" || fault "$program"
    for shell in dash "bash --posix" "busybox sh"; do
        $shell -n "$file" || fault "$program under $shell"
    done
done
while IFS= read -r script; do
    name=${script##*/}
    case $named in
    *" ${name%.sh} "*) ;;
    *) fault "$script is part of no program in the list" ;;
    esac
done < <(find src -name '*.sh')
while IFS= read -r script; do
    shellcheck "$script" || fault "$script"
done < <(git ls-files -- '*.sh' ':!src')
[ "$faults" = 0 ]
