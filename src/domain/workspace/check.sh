# Looks at a workspace, and changes nothing. Prints the records
# fact name=… status=pass|warn|fail|unknown|skipped evidence=… / worktrees count=… stale=… / disk used_kib=… free_kib=…
# $1 repository  $2 environment (relative, or -)  $3 url  $4 commit  $5 smoke command, or nothing to leave it out
# $6 seconds a command may take
environment=$2 url=$3 commit=$4 smoke=$5 limit=$6
folder=$LEGWORK_ROOT/repos/$1
seed=$folder/seed

fact() {
    evidence=$(printf '%s' "$3" | tr '\n\t' '  ' | cut -c 1-400)
    printf 'fact name=%s status=%s evidence=%s\n' "$1" "$2" "$(printf '%s' "$evidence" | encoded)"
}

check_seed() {
    if [ ! -d "$seed/.git" ]; then
        fact seed fail "there is no clone at $seed"
        for each in remote base_commit clean worktrees; do
            fact "$each" unknown 'there is no clone'
        done
        return
    fi
    if printed=$(quiet_git -C "$seed" rev-parse --verify 'HEAD^{tree}' 2>&1); then
        fact seed pass "$seed at $(quiet_git -C "$seed" rev-parse HEAD)"
    else
        fact seed fail "$printed"
    fi
    printed=$(quiet_git -C "$seed" config --local --get remote.origin.url 2>/dev/null)
    if [ "$printed" = "$url" ]; then fact remote pass "$printed"; else fact remote fail "$printed"; fi
    if [ -z "$commit" ]; then
        fact base_commit unknown 'the ref was never resolved'
    elif printed=$(quiet_git -C "$seed" cat-file -e "$commit^{commit}" 2>&1); then
        fact base_commit pass "$commit"
    else
        fact base_commit fail "$commit is not in the clone: $printed"
    fi
    if printed=$(bounded git -c core.fsmonitor=false -C "$seed" status --porcelain --untracked-files=no 2>&1); then
        if [ -z "$printed" ]; then fact clean pass 'no tracked file differs'; else fact clean fail "$printed"; fi
    else
        fact clean unknown "$printed"
    fi
    count=0 stale=0
    for each in "$seed"/.git/worktrees/*/gitdir; do
        [ -f "$each" ] || continue
        count=$((count + 1))
        [ -e "$(cat "$each")" ] || stale=$((stale + 1))
    done
    echo "worktrees count=$count stale=$stale"
    if [ "$stale" = 0 ]; then
        fact worktrees pass "$count"
    else
        fact worktrees warn "$stale of $count are gone from the disk"
    fi
}

check_environment() {
    if [ "$environment" = - ]; then
        fact environment skipped 'the profile makes none'
        return
    fi
    python=$LEGWORK_ROOT/$environment/bin/python
    if [ ! -f "$LEGWORK_ROOT/$environment/.legwork-complete" ]; then
        fact environment fail "there is no complete environment at $LEGWORK_ROOT/$environment"
    elif printed=$(bounded "$python" -c 'import sys; print(sys.version.split()[0], sys.prefix)' 2>&1); then
        fact environment pass "$printed"
    else
        fact environment fail "$printed"
    fi
}

check_smoke() {
    if [ -z "$smoke" ]; then
        fact smoke skipped 'not asked for, or the profile has none'
        return
    fi
    if printed=$(
        cd "$seed" || exit
        worktree=$seed environment_folder=
        [ "$environment" = - ] || environment_folder=$LEGWORK_ROOT/$environment
        set_variables
        find_timeout
        # In the background, so that a signal is noticed while it runs and handed on: `timeout` is a group of its own.
        trap 'kill "$!" 2>/dev/null' TERM
        # shellcheck disable=SC2086 # these are several words on purpose
        $timeout_words sh -c "$smoke" 2>&1 &
        wait "$!"
    ); then
        fact smoke pass "$(printf '%s' "$printed" | tail -n 1)"
    else
        fact smoke fail "$(printf '%s' "$printed" | tail -n 5)"
    fi
}

check_disk() {
    if printed=$(bounded du -sk "$folder" 2>/dev/null); then
        used=${printed%%[!0-9]*}
        if [ "$environment" != - ] && printed=$(bounded du -sk "$LEGWORK_ROOT/$environment" 2>/dev/null); then
            used=$((used + ${printed%%[!0-9]*}))
        fi
        free=$(df -Pk "$LEGWORK_ROOT" 2>/dev/null | awk 'NR == 2 { print $4 }')
        echo "disk used_kib=$used free_kib=${free:--}"
        fact disk pass "$used KiB used, ${free:-unknown} KiB free"
    else
        fact disk unknown "$folder could not be measured"
    fi
}

prepare_git
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME
check_seed
check_environment
check_smoke
check_disk
