# Puts the files of a run in place, once. Goes in front of start.sh, which starts it. Needs: process.sh.
#
# $1 folder of what is run, below the folder of all jobs, $2 run number, $3 file name of the supervisor, $4 worktree below that
# folder or nothing, $5 commit its changes are compared with, $6 `yes` where payload 5 holds secrets; then the arguments of
# prepare_run, a function of the caller.
# Payloads: 1 supervisor, 2 spec, 3 command.sh, 4 stdin, 5 secrets.sh; then those of prepare_run: the first of them is number $((given + 1)).
# Prints a record `run-found` where the run was started before, or
# `refused step=… [writable=yes|no free_kib=…|- free_inodes=…|- file=…]` where nothing was started, the file encoded.
#
# prepare_run finds the functions of process.sh, $job, the folder of what is run, and $claimed, `yes` where the run was started
# before. It ends the script with `refuse STEP`, or `refuse_write STEP FILE` where a file could not be written. It may be run
# twice at the same time.

given=5
refuse() {
    printf 'refused step=%s\n' "$1"
    exit 0
}
refuse_write() {
    report_refusal "$@"
    exit 0
}
# free_of LINE: prints the column of df that stands in front of the percentage; nothing where there is none.
free_of() {
    set -f
    f_before=
    for f_word in $1; do
        case $f_word in
        *[0-9]%) printf %s "$f_before"; return ;;
        esac
        f_before=$f_word
    done
}
# report_refusal STEP FILE: reports which file could not be written, and what is known of its folder and disk.
report_refusal() {
    r_folder=${2%/*}
    while [ -n "$r_folder" ] && [ ! -d "$r_folder" ]; do r_folder=${r_folder%/*}; done
    r_writable=no
    [ -w "${r_folder:-/}" ] && r_writable=yes
    r_kib=$(free_of "$(df -Pk "${r_folder:-/}" 2>/dev/null | tail -n 1)")
    r_inodes=$(free_of "$(df -Pi "${r_folder:-/}" 2>/dev/null | tail -n 1)")
    printf 'refused step=%s writable=%s free_kib=%s free_inodes=%s file=@%s\n' "$1" "$r_writable" "${r_kib:--}" \
        "${r_inodes:--}" "$(printf %s "${2%/.}" | base64 | tr -d '\n')"
}
write_spec() {
    p_spec=$(payload 2) || return 1
    p_spec="$p_spec
cwd $job${p_worktree:+/$p_worktree}"
    [ -z "$p_worktree" ] || p_spec="$p_spec
worktree $job/$p_worktree
base $p_base"
    put "$p_run/spec" "$p_spec"
}
submit_run() {
    job=$LEGWORK_ROOT/jobs/$1
    p_run=$job/runs/$2 p_supervisor=$LEGWORK_ROOT/bin/$3 p_worktree=$4 p_base=$5 p_secrets=$6
    shift 6
    claimed=no
    if [ -d "$p_run/claim" ] || [ -e "$p_run/cancelled" ]; then claimed=yes; fi
    prepare_run "$@"
    if [ $claimed = yes ]; then
        printf 'run-found\n'
        return 0
    fi
    mkdir -p "$LEGWORK_ROOT/bin" "$p_run" || refuse_write folder "$p_run/."
    [ -f "$p_supervisor" ] || unpack "$p_supervisor" 1 || refuse_write supervisor "$p_supervisor"
    unpack "$p_run/stdin" 4 || refuse_write stdin "$p_run/stdin"
    unpack "$p_run/command.sh" 3 || refuse_write command "$p_run/command.sh"
    put "$p_run/supervisor" "$p_supervisor" || refuse_write supervisor "$p_run/supervisor"
    write_spec || refuse_write spec "$p_run/spec"
    [ "$p_secrets" != yes ] || unpack "$p_run/secrets.sh" 5 || refuse_write secrets "$p_run/secrets.sh"
}
submit_run "$@"
set -- "$1" "$2" "$3"
