# Starts an investigation, once.
#
# $1 job id, $2 digest of its key, $3 seed clone below the root, $4 base commit, $5 name of the supervisor's file,
# $6 program of the agent, $7 `yes` where payload 6 holds secrets.
# Payloads: 1 supervisor, 2 job.json, 3 prompt, 4 spec of the run, 5 command.sh, 6 secrets.sh, 7 issue, 8 repro.
# $8 file name of the repro, empty for none.
# Prints `launch-found` where the run was started before, and the run's state line as start.sh does, or `legwork-refused step=…` where nothing was started.
legwork_refuse() {
    printf 'legwork-refused step=%s\n' "$1"
    exit 0
}
legwork_launch() {
    prepare_git
    l_job=$LEGWORK_ROOT/jobs/$1
    l_run=$l_job/runs/1
    l_supervisor=$LEGWORK_ROOT/bin/$5
    l_known=
    [ -f "$l_job/key" ] && IFS= read -r l_known <"$l_job/key"
    [ -z "$l_known" ] || [ "$l_known" = "$2" ] || legwork_refuse key
    if [ ! -d "$l_run/claim" ] && [ ! -e "$l_run/cancelled" ]; then
        [ -e "$LEGWORK_ROOT/$3/.git" ] || legwork_refuse workspace
        command -v "$6" >/dev/null 2>&1 || legwork_refuse agent
        mkdir -p "$LEGWORK_ROOT/bin" "$l_run" || legwork_refuse folder
        [ -f "$l_supervisor" ] || unpack "$l_supervisor" 1 || legwork_refuse supervisor
        put "$l_job/key" "$2" || legwork_refuse key_file
        unpack "$l_job/job.json" 2 || legwork_refuse job_file
        add_worktree "$LEGWORK_ROOT/$3" "$l_job/worktree" "$4" || legwork_refuse worktree
        unpack "$l_job/prompt.md" 3 || legwork_refuse prompt
        unpack "$l_job/issue.md" 7 || legwork_refuse issue
        if [ -n "$8" ] && [ ! -e "$l_job/$8" ]; then
            unpack "$l_job/$8" 8 || legwork_refuse repro
        fi
        [ -e "$l_job/worklog.md" ] || printf '# Worklog\n' >"$l_job/worklog.md"
        unpack "$l_run/stdin" 3 || legwork_refuse stdin
        unpack "$l_run/command.sh" 5 || legwork_refuse command
        put "$l_run/supervisor" "$l_supervisor" || legwork_refuse supervisor
        l_spec=$(payload 4) || legwork_refuse spec
        put "$l_run/spec" "$l_spec
cwd $l_job/worktree
worktree $l_job/worktree
base $4" || legwork_refuse spec
        if [ "$7" = yes ]; then
            unpack "$l_run/secrets.sh" 6 || legwork_refuse secrets
        fi
    else
        printf 'launch-found\n'
    fi
}
legwork_launch "$@"
set -- "$1" 1 "$5"
