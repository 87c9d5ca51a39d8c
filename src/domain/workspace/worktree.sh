# Worktrees of a seed clone. Needs: the functions of lock.sh and of the repository's git.sh.
# Defines: add_worktree, remove_worktree.

# add_worktree SEED PATH COMMIT: makes a worktree without a branch, one at a time in each repository, since git
# itself cannot make several at once. A whole one that was made so before is left as it is. All paths are absolute.
# Where it fails it prints one record `worktree-failed reason=… lock=… text=…` and returns 1; the reason is busy,
# folder, occupied or git, and lock is a lock file of git that is in the way, as far as one is.
add_worktree() { under_repository_lock make_worktree "$@"; }

# remove_worktree SEED PATH: removes a worktree with all changes in it; one that is gone already is as good.
# What is no worktree of the seed is left alone. Fails as add_worktree does.
remove_worktree() { under_repository_lock discard_worktree "$@"; }

# under_repository_lock FUNCTION SEED ARGUMENTS...: calls the function while nobody else changes worktrees of the seed.
under_repository_lock() {
    take_lock "${2%/*}/lock" 600
    case $? in
    0) ;;
    1) worktree_failed busy 'the lock of the repository stayed taken'; return ;;
    *) worktree_failed folder "cannot write ${2%/*}/lock"; return ;;
    esac
    "$@"
    set -- $?
    drop_lock
    return "$1"
}

worktree_failed() {
    printf 'worktree-failed reason=%s lock=@%s text=@%s\n' "$1" \
        "$(git_lock_in "$2" | base64 | tr -d '\n')" "$(printf '%s' "$2" | tail -c 4000 | base64 | tr -d '\n')"
    return 1
}

make_worktree() {
    if is_occupied "$2"; then
        if ! find_administration "$1" "$2"; then
            worktree_failed occupied "there is something else at $2"
            return
        fi
        # git keeps a new worktree locked until its last file is written, and this function is not left before:
        # nobody has ever worked in one that is still locked so.
        case $(cat "$administration/locked" 2>/dev/null) in
        initializing*) remove_found "$2" || return ;;
        *)
            if [ "$(cat "$administration/legwork-base" 2>/dev/null || quiet_git -C "$2" rev-parse HEAD 2>/dev/null)" = "$3" ]; then
                printf '%s\n' "$3" >"$administration/legwork-base"
                return 0
            fi
            worktree_failed occupied "the worktree at $2 stands on another commit"
            return
            ;;
        esac
    fi
    # Nothing is at the path, so what git remembers of it is out of date: twice the force makes it forget.
    if ! worktree_printed=$(mkdir -p "${2%/*}" 2>&1); then
        worktree_failed folder "$worktree_printed"
        return
    fi
    if ! worktree_printed=$(quiet_git -C "$1" worktree add --quiet --force --force --detach "$2" "$3" 2>&1); then
        worktree_failed git "$worktree_printed"
        return
    fi
    if ! find_administration "$1" "$2"; then
        worktree_failed git "git made no worktree at $2: $worktree_printed"
        return
    fi
    printf '%s\n' "$3" >"$administration/legwork-base"
}

discard_worktree() {
    if is_occupied "$2"; then
        if ! find_administration "$1" "$2"; then
            worktree_failed occupied "what is at $2 is no worktree of $1"
            return
        fi
        remove_found "$2" || return
    fi
    rmdir "$2" 2>/dev/null
    quiet_git -C "$1" worktree prune 2>/dev/null
    return 0
}

is_occupied() {
    [ -e "$1" ] || [ -L "$1" ] || return 1
    # An empty folder is no obstacle.
    [ -d "$1" ] && [ ! -L "$1" ] && [ -z "$(ls -A "$1")" ] && return 1
    return 0
}

# find_administration SEED PATH: sets $administration to the folder in which the seed keeps a worktree's state;
# returns 1 unless the worktree and the seed agree that they belong together.
find_administration() {
    administration=
    [ -d "$2" ] && [ ! -L "$2" ] && [ -f "$2/.git" ] && [ ! -L "$2/.git" ] || return 1
    administration=$(sed -n '1s/^gitdir: //p' "$2/.git")
    case $administration in
    */.git/worktrees/*/*) return 1 ;;
    */.git/worktrees/?*) ;;
    *) return 1 ;;
    esac
    [ "$(cd -P "${administration%/*}" 2>/dev/null && pwd -P)" = "$(cd -P "$1/.git/worktrees" 2>/dev/null && pwd -P)" ] || return 1
    worktree_known=$(cat "$administration/gitdir" 2>/dev/null)
    [ "$(cd -P "${worktree_known%/.git}" 2>/dev/null && pwd -P)" = "$(cd -P "$2" && pwd -P)" ]
}

# remove_found PATH: removes the worktree that find_administration has just found.
remove_found() {
    if ! worktree_printed=$(rm -rf "$1" 2>&1) || [ -e "$1" ]; then
        worktree_failed folder "$worktree_printed"
        return
    fi
    rm -rf "$administration"
}
