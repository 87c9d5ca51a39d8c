# Puts the folder of an investigation's job in place: defines prepare_run for submit.sh, whose functions it uses. Needs: process.sh, clone.sh,
# environment.sh.
#
# $1 digest of the job's key, $2 mirror below the root, $3 base commit, $4 program of the agent, $5 file name of the repro, empty
# for none, $6 what environments are made from below the root, empty for none. Files: 1 job.json, 2 prompt, 3 issue, 4 repro, 5 what the
# configuration leaves out of diffs.
prepare_run() {
    l_known=
    [ -f "$controls/key" ] && IFS= read -r l_known <"$controls/key"
    [ -z "$l_known" ] || [ "$l_known" = "$1" ] || refuse key
    [ "$claimed" = no ] || return 0
    prepare_git
    [ -f "$LEGWORK_ROOT/$2/config" ] || refuse workspace
    command -v "$4" >/dev/null 2>&1 || refuse agent
    mkdir -p "$job" || refuse_write folder "$job/."
    make_control
    put "$controls/key" "$1" || refuse_write key_file "$controls/key"
    unpack "$job/job.json" $((given + 1)) || refuse_write job_file "$job/job.json"
    tree=$job/work
    make_clone "$LEGWORK_ROOT/$2" "$tree" "$3" "$p_run/launch-index" || refuse_write worktree "$tree/."
    unpack "$p_run/launch-index.exclude" $((given + 5)) || refuse_write worktree "$p_run/launch-index.exclude"
    seed=${2##*/}
    seed=$LEGWORK_ROOT/repos/${seed%.git}/seed
    make_environment "${6:+$LEGWORK_ROOT/$6}" "$tree" "$job/env" || refuse_write environment "$job/env/."
    prepare_tree "$tree" "$job/env" || refuse prepare
    if [ -n "$6$prepare_command" ]; then
        with_environment_locked leave_out_made '' "$tree" "$job/env" || refuse_write worktree "$tree/."
    fi
    unpack "$job/prompt.md" $((given + 2)) || refuse_write prompt "$job/prompt.md"
    unpack "$job/issue.md" $((given + 3)) || refuse_write issue "$job/issue.md"
    if [ -n "$5" ] && [ ! -e "$job/$5" ]; then
        unpack "$job/$5" $((given + 4)) || refuse_write repro "$job/$5"
    fi
    [ -e "$job/worklog.md" ] || put "$job/worklog.md" '# Worklog' || refuse_write worklog "$job/worklog.md"
}

# leave_out_made - TREE ENVIRONMENT: what making the environment and preparing the tree has left in it is not the agent's work: it
# is left out of the diff, and tracked files that were changed meanwhile are put back. Once: another call may come here while the
# agent is at work already.
leave_out_made() {
    [ ! -f "$3/.legwork-left-out" ] || return 0
    mkdir -p "$2/.git/info" "$p_run" || return
    # An ignore file has no word for a line break in a name.
    plain_git -C "$2" -c core.quotePath=false ls-files --others --exclude-standard --directory --no-empty-directory |
        grep -v '^"' | sed 's/[][*?\\]/\\&/g; s/ $/\\ /; s/^/\//' >"$3/.legwork-left-out.new" || :
    # For the agent's own git, and for the comparison.
    cat "$3/.legwork-left-out.new" >>"$2/.git/info/exclude" && cp "$3/.legwork-left-out.new" "$p_run/exclude" || return
    [ -z "$prepare_command" ] || plain_git -C "$2" checkout --quiet -- . || return
    mv "$3/.legwork-left-out.new" "$3/.legwork-left-out"
}
