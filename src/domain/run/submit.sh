# Puts the files of a run in place, once. Goes in front of start.sh, which starts it. Needs: process.sh.
#
# $1 folder in which what is run may write, below the root, $2 name of what is run, $3 run number, $4 token, $5 file name of the
# supervisor, $6 its digest, $7 worktree below that folder or nothing, $8 commit its changes are compared with, $9 names of the
# variables that the run keeps, or `-`; then the arguments of prepare_run, a function of the caller.
# Payloads: 1 supervisor, 2 spec, 3 command.sh, 4 stdin, 5 what only the run may know, which no file gets; then those of prepare_run: the first of them is number $((given + 1)).
# Prints a record `run-token token=…`, and `run-found` where the run was started before, or
# `refused step=… [writable=yes|no free_kib=…|- free_inodes=…|- file=…]` where nothing was started, the file encoded.
#
# What legwork believes of a run lies in control/NAME/TOKEN, apart from the folder in which what is run writes. The file
# control/NAME/run-N is made once and holds the token of run N: the first of those who start it decides, and the others go on
# with that token.
#
# prepare_run finds the functions of process.sh, $job, the folder of what is run, $control, the control folder of the run, $controls,
# the folder of all control folders of what is run, and $claimed, `yes` where the run was started before. It ends the script with
# `refuse STEP`, or `refuse_write STEP FILE` where a file could not be written. What it writes comes behind a call of
# make_control. It may be run twice at the same time.

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
root $LEGWORK_ROOT
folder $job
cwd $job${p_worktree:+/$p_worktree}"
    [ -z "$p_worktree" ] || p_spec="$p_spec
worktree $job/$p_worktree
base $p_base"
    put "$control/spec" "$p_spec"
}
# name_control: sets control to the folder of the token that run N has, or would get from here.
name_control() {
    [ ! -f "$p_named" ] || IFS= read -r p_token <"$p_named"
    case $p_token in
    *[!0-9a-f]*) refuse control ;;
    esac
    [ ${#p_token} = 32 ] || refuse control
    control=$controls/$p_token p_run=$control
}
# make_control: makes the control folder of the run, or finds the one that another start made.
make_control() {
    if [ ! -e "$p_named" ]; then
        mkdir -p "$control" || refuse_write folder "$control/."
        once "$p_named" "$p_token" || [ -e "$p_named" ] || refuse_write control "$p_named"
    fi
    # It may be that of another start, made after this one looked.
    p_made=$control
    name_control
    [ "$p_made" = "$control" ] || rmdir "$p_made" 2>/dev/null
    if [ -h "$control" ] || [ ! -d "$control" ]; then refuse control; fi
}
submit_run() {
    job=$LEGWORK_ROOT/$1 p_name=$2 controls=$LEGWORK_ROOT/control/$2 p_named=$LEGWORK_ROOT/control/$2/run-$3 p_token=$4
    p_supervisor=$LEGWORK_ROOT/bin/$5 p_digest=$6 p_worktree=$7 p_base=$8
    shift 9
    name_control
    p_protocol=
    [ ! -f "$control/protocol" ] || read -r p_protocol <"$control/protocol"
    if [ "${p_protocol:-2}" != 2 ]; then
        printf 'legwork-protocol job=%s protocol=%s\n' "$p_name" "$p_protocol"
        exit 0
    fi
    claimed=no
    if [ -d "$control/claim" ] || [ -e "$control/cancelled" ]; then claimed=yes; fi
    prepare_run "$@"
    [ $claimed = yes ] || make_control
    printf 'run-token token=%s\n' "$p_token"
    if [ $claimed = yes ]; then
        printf 'run-found\n'
        return 0
    fi
    mkdir -p "$job" || refuse_write folder "$job/."
    deploy "$p_supervisor" "$p_digest" || refuse_write supervisor "$p_supervisor"
    put "$control/protocol" 2 || refuse_write protocol "$control/protocol"
    unpack "$control/stdin" 4 || refuse_write stdin "$control/stdin"
    unpack "$control/command.sh" 3 || refuse_write command "$control/command.sh"
    write_spec || refuse_write spec "$control/spec"
}
submit_run "$@"
set -- "control/$2/$p_token" "$2" "$5" "$6" "$9"
