# The trees of a verification: how they are made out of the workspace, with their environments. Needs: plain_git.sh, clone.sh,
# environment.sh; the variables job, mirror and store. All that knows how a workspace is built stands here.
# Defines: side_git make_side_repository make_tree prepare_side side_environment remove_sides.

# side_git ARGUMENTS...: git in the repository of the verification, in which nobody else works.
side_git() { plain_git --git-dir="$job/git" --work-tree="$job" "$@"; }

# make_side_repository COMMIT: makes that repository, which borrows the objects of the workspace.
make_side_repository() {
    side_format=
    [ ${#1} -le 40 ] || side_format=--object-format=sha256
    plain_git init --quiet --bare --template= $side_format "$job/git" && mkdir -p "$job/git/info" "$job/git/objects/info" &&
        printf '%s\n' "$mirror/objects" >"$job/git/objects/info/alternates" &&
        printf '%s\n' "$plain_attributes" >"$job/git/info/attributes"
}

# make_tree PATH COMMIT TREE: makes a clone that stands at the commit and whose files are those of the tree; one that is there is
# changed into that.
make_tree() {
    make_clone "$mirror" "$1" "$2" || return
    grep -qxF "$job/git/objects" "$1/.git/objects/info/alternates" 2>/dev/null ||
        printf '%s\n' "$job/git/objects" >>"$1/.git/objects/info/alternates" || return
    plain_index=$1/.git/index
    plain_git --git-dir="$job/git" --work-tree="$1" read-tree --reset -u "$3"
    set -- $?
    plain_index=
    return "$1"
}

# prepare_side PATH ENVIRONMENT: makes the environment of a tree, and prepares the tree.
prepare_side() { make_environment "$store" "$1" "$2" && prepare_tree "$1" "$2"; }

# side_environment NAME: prints the folder of the environment of a tree.
side_environment() { printf '%s' "$job/env/$1"; }

# remove_sides: removes everything but the result.
remove_sides() {
    # A program may have taken the right to write from what it made.
    rm -rf "$job/trees" "$job/env" "$job/own" 2>/dev/null || chmod -R u+rwx "$job/trees" "$job/env" "$job/own" 2>/dev/null
    rm -rf "$job/git" "$job/trees" "$job/env" "$job/own" "$job/in" 2>/dev/null
}
