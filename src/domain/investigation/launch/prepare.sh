# Puts the folder of an investigation's job in place: defines prepare_run for submit.sh, whose functions it uses. Needs: process.sh, worktree.sh.
#
# $1 digest of the job's key, $2 seed clone below the root, $3 base commit, $4 program of the agent, $5 file name of the repro, empty
# for none. Files: 1 job.json, 2 prompt, 3 issue, 4 repro.
prepare_run() {
    l_known=
    [ -f "$job/key" ] && IFS= read -r l_known <"$job/key"
    [ -z "$l_known" ] || [ "$l_known" = "$1" ] || refuse key
    [ "$claimed" = no ] || return 0
    prepare_git
    [ -e "$LEGWORK_ROOT/$2/.git" ] || refuse workspace
    command -v "$4" >/dev/null 2>&1 || refuse agent
    mkdir -p "$job" || refuse_write folder "$job/."
    put "$job/key" "$1" || refuse_write key_file "$job/key"
    unpack "$job/job.json" $((given + 1)) || refuse_write job_file "$job/job.json"
    add_worktree "$LEGWORK_ROOT/$2" "$job/worktree" "$3" || refuse_write worktree "$job/worktree/."
    unpack "$job/prompt.md" $((given + 2)) || refuse_write prompt "$job/prompt.md"
    unpack "$job/issue.md" $((given + 3)) || refuse_write issue "$job/issue.md"
    if [ -n "$5" ] && [ ! -e "$job/$5" ]; then
        unpack "$job/$5" $((given + 4)) || refuse_write repro "$job/$5"
    fi
    [ -e "$job/worklog.md" ] || put "$job/worklog.md" '# Worklog' || refuse_write worklog "$job/worklog.md"
}
