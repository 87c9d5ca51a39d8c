# The changes that an agent made in its worktree. Part of the supervisor.
# Needs: put, nap, beat, forget_git. Defines: changes, locate.

# plain: a git that hears nothing of the environment or of anybody's configuration.
plain() {
    forget_git
    unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS
    HOME=$dir XDG_CONFIG_HOME=$dir/.none
    GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
    GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_NO_LAZY_FETCH=1 GIT_PAGER=cat GIT_ADVICE=0
    export HOME XDG_CONFIG_HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_SYSTEM GIT_CONFIG_GLOBAL GIT_ATTR_NOSYSTEM
    export GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT GIT_NO_LAZY_FETCH GIT_PAGER GIT_ADVICE
}

# locate: notes where the objects of the repository are, before the agent can say otherwise.
locate() {
    [ -n "$worktree" ] && [ -n "$base" ] && [ ! -e objects ] || return 0
    b_common=$(
        plain
        # Whose repository it is does not matter to this question.
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
        export GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
        cd "$worktree" && b_dir=$(git rev-parse --git-common-dir) && cd "$b_dir" && pwd -P
    ) 2>/dev/null || return 0
    [ ! -f "$b_common/info/exclude" ] || cp "$b_common/info/exclude" exclude 2>/dev/null
    put objects "$b_common/objects"
}

# compare: writes the diff from the base commit to the worktree as it is.
# It looks through a repository of its own that borrows the objects: the agent's index is not touched, and no
# filter, hook, monitor or driver that a configuration names is run.
compare() {
    c_git=$dir/.compare
    rm -rf "$c_git"
    if [ ! -d "$worktree" ] || [ -h "$worktree" ]; then
        echo "the worktree is not there"
        return 1
    fi
    case $base in
    '' | *[!0-9a-f]*)
        echo "the base is not a commit id"
        return 1
        ;;
    esac
    c_objects=
    [ ! -f objects ] || IFS= read -r c_objects <objects
    [ -d "$c_objects" ] || {
        echo "the repository of the worktree was not found"
        return 1
    }
    c_format=
    [ ${#base} -le 40 ] || c_format=--object-format=sha256
    plain
    git init -q --bare --template= $c_format "$c_git" || return 1
    mkdir -p "$c_git/objects/info" "$c_git/info" || return 1
    printf '%s\n' "$c_objects" >"$c_git/objects/info/alternates" || return 1
    # What tools leave behind unasked is no work of the agent.
    printf '%s\n' '__pycache__/' '*.pyc' 'node_modules/' '.DS_Store' >"$c_git/info/exclude" || return 1
    [ ! -f exclude ] || cat exclude >>"$c_git/info/exclude"
    GIT_DIR=$c_git GIT_WORK_TREE=$worktree GIT_INDEX_FILE=$c_git/index
    export GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
    git config core.bare false && git config core.looseCompression 0 && git config core.hooksPath /dev/null &&
        git config gc.auto 0 && git config core.quotePath true && git config diff.renames true || return 1
    if command -v git-lfs >/dev/null 2>&1; then
        git config filter.lfs.clean 'git-lfs clean -- %f'
    fi
    cd "$worktree" || return 1
    git read-tree "$base" || return 1
    c_whole=0
    if ! git add -A --ignore-errors .; then
        c_whole=3
        # A repository without a commit, made inside the worktree, stops all of the above.
        git add -u --ignore-errors .
        git ls-files -z --others --exclude-standard | git update-index -z --add --stdin
    fi
    git diff --cached --binary --full-index --no-color --no-ext-diff --no-textconv "$base" -- \
        >"$dir/.changes.diff" || return 1
    mv -f "$dir/.changes.diff" "$dir/changes.diff" || return 1
    return $c_whole
}

# changes: sets diff to ok, partial, failed or none.
changes() {
    diff=none
    [ -n "$worktree" ] && [ -n "$base" ] || return 0
    locate
    (compare) >.changes.err 2>&1 &
    g_pid=$!
    while kill -0 $g_pid 2>/dev/null; do
        nap 0.02
        [ -z "$recorded" ] || beat
    done
    wait $g_pid
    case $? in
    0) diff=ok ;;
    3) diff=partial ;;
    *) diff=failed ;;
    esac
    rm -rf .compare .changes.diff
    if [ $diff = ok ]; then rm -f .changes.err changes.err; else mv -f .changes.err changes.err; fi
}
