#!/usr/bin/env bash
# Checks every shell script: those that run on hosts as they are joined there, the others alone.
#
# A program stands with the fragments it is joined of, by name and in their order. A script below src that no program
# names is a fault.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

PROGRAMS=(
    "forget_git process log changes agent sweep supervise"
    "process forget_git git_settings git lock worktree prepare submit start"
    "process verification_folder submit start"
    "process start"
    "process poll"
    "process cancel"
    "process forget_git git_settings git lock worktree verify"
    "forget_git git_settings git facts state"
    "forget_git git_settings git process lock facts step"
    "forget_git git_settings git facts check"
    "end"
    "tail"
    "repro"
    "verification"
    "list"
    "pack"
    "report root probe"
    "forget_git git report root preflight"
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
    shellcheck --shell=sh --exclude=SC1091,SC2034,SC2154 "$file" || fault "$program"
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
