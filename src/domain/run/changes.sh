# The changes that an agent made in its worktree. Part of the supervisor.
# Needs: plain_git.sh, litter.sh, put, nap, beat. Defines: changes, locate.
#
# The comparison is made in a git directory of its own in the control folder, which borrows the mirror's objects and starts
# from the index as it was when the clone was made: what nobody touched since is unchanged by its stat data and is not even
# read. Nothing of the job's own .git has a say in it: no configuration, filter, ignore list, replace ref, or stash. Only
# from its index it is read which files the agent took off the disk by a sparse checkout, so that these are no deletions.
#
# What is left out of the diff is counted and named in `changes.list`, a record a line:
#   left kind=… count=… bytes=… names=…     names encoded: at most 12 lines of bytes and path, `?` where one has a line break
# of the kinds litter, excluded (by the configuration), filter, nested, submodule, unreadable; and, of what is in the diff,
# binary and link. The diff is partial where there is one of the kinds filter, nested, submodule or unreadable.

# locate: notes where the objects of the repository are, before the agent can say otherwise.
locate() {
    [ -n "$worktree" ] && [ -n "$base" ] && [ ! -e objects ] || return 0
    b_common=$worktree/.git
    if [ -f launch-index.mirror ]; then
        IFS= read -r b_common <launch-index.mirror
    elif [ -f "$b_common" ]; then
        # A worktree of another repository.
        b_common=$(sed -n '1s/^gitdir: //p' "$b_common")
        b_link=
        [ ! -f "$b_common/commondir" ] || IFS= read -r b_link <"$b_common/commondir"
        b_common=$(cd "$b_common/$b_link" 2>/dev/null && pwd -P) || return 0
    fi
    [ ! -f "$b_common/info/exclude" ] || cp "$b_common/info/exclude" exclude 2>/dev/null
    put objects "$b_common/objects"
}

# c ARGUMENTS...: git in the comparison's own repository, on the worktree.
c() { plain_git --git-dir="$c_git" --work-tree="$c_tree" -c core.excludesFile="$c_ignores" "$@"; }

# lines, zeros: paths that end in NUL as lines, and back. A line break within a path is 001 there.
lines() { tr '\n\000' '\001\n'; }
zeros() { tr '\001\n' '\n\000'; }

# with FILE PROGRAM [FILE]: awk, with the lines of the first file in `set`.
with() {
    w_file=$1 w_program=$2
    shift 2
    awk -v file="$w_file" 'BEGIN { while ((getline line <file) > 0) set[line] = 1 } '"$w_program" "$@"
}

# left KIND PATH [BYTES]: notes what is left out, or what is worth a look.
left() { printf '%s\t%s\n' "${3:--}" "$2" >>"$c_git/left.$1"; }

# escaped: lines of paths as patterns of an ignore file.
escaped() { sed 's/[][\\*?!# ]/\\&/g; s,^,/,'; }

# compare: writes the diff from the base commit to the worktree as it is. Returns 3 where something is missing in it.
compare() {
    c_git=$dir/.compare c_tree=$worktree c_ignores=/dev/null
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
    LC_ALL=C
    export LC_ALL
    # git would wait for a writer for ever.
    c_path=$(find "$worktree" -name .git -prune -o \( -name .gitignore -o -name .gitattributes -o -name .gitmodules \) -exec test -p {} \; -print | head -n 1)
    [ -z "$c_path" ] || {
        echo "$c_path is a pipe"
        return 1
    }
    own_repository "$c_git" "$c_objects" || return 1
    [ ! -f launch-index.ignores ] || c_ignores=$dir/launch-index.ignores
    cd "$worktree" || return 1
    launch_index || return 1
    keep_sparse
    submodules
    untracked || return 1
    c add -A --ignore-errors . 2>"$c_git/add.err" || c_whole=3
    if [ -s "$c_git/add.err" ]; then
        c_whole=3
        cat "$c_git/add.err"
        sed -n -e 's/^error: open("\(.*\)"): .*/\1/p' -e "s/^warning: could not open directory '\(.*\)': .*/\1/p" \
            -e 's/^\([^:]*\): Permission denied$/\1/p' "$c_git/add.err" | sort -u | while IFS= read -r c_path; do left unreadable "$c_path"; done
    fi
    [ ! -s "$c_git/inner" ] || zeros <"$c_git/inner" | c update-index --add -z --stdin || c_whole=3
    [ ! -s "$c_git/moved" ] || c update-index --index-info <"$c_git/moved" || c_whole=3
    take_back || return 1
    c diff --cached --binary --full-index --no-color --no-ext-diff --no-textconv --ignore-submodules=dirty "$base" -- \
        >"$dir/.changes.diff" || return 1
    of_note
    list_left >"$dir/.changes.list"
    for c_kind in filter nested submodule unreadable; do
        [ ! -s "$c_git/left.$c_kind" ] || c_whole=3
    done
    mv -f "$dir/.changes.list" "$dir/changes.list" && mv -f "$dir/.changes.diff" "$dir/changes.diff" || return 1
    return "$c_whole"
}

# own_repository PATH OBJECTS: a repository that nobody else has ever written to.
own_repository() {
    c_whole=0 c_format=
    [ ${#base} -le 40 ] || c_format=--object-format=sha256
    # shellcheck disable=SC2086 # it may be no word at all
    plain_git init -q --bare --template= $c_format "$1" || return 1
    mkdir -p "$1/objects/info" "$1/info" || return 1
    printf '%s\n' "$2" >"$1/objects/info/alternates" &&
        # How a diff is written is not for the judged to say either: only what is binary is written as such.
        printf '%s\n* !diff\n' "$plain_attributes" >"$1/info/attributes" &&
        plain_git --git-dir="$1" config core.looseCompression 0
}

# launch_index: the index to start from. Without one that is sound every file is read: slower, and the same in the end.
launch_index() {
    if [ -f "$dir/launch-index" ] && cp -p "$dir/launch-index" "$c_git/index" &&
        c diff-index --cached --quiet --ignore-submodules=dirty "$base" -- 2>/dev/null; then
        return 0
    fi
    rm -f "$c_git/index"
    c read-tree "$base"
}

# keep_sparse: what a sparse checkout keeps from the disk is unchanged; what is there all the same is compared.
# shellcheck disable=SC2016 # the expressions are awk's
keep_sparse() {
    c ls-files -t -z | lines | sed -n 's/^S //p' | while IFS= read -r c_path; do
        if [ -e "$c_path" ] || [ -L "$c_path" ]; then printf '%s\n' "$c_path"; fi
    done | zeros | c update-index -z --no-skip-worktree --stdin
    c ls-files -z --deleted | lines >"$c_git/gone"
    c_index=$worktree/.git/index
    if [ -s "$c_git/gone" ] && [ ! -L "$worktree/.git" ] && [ -f "$c_index" ] && [ ! -L "$c_index" ] &&
        cp "$c_index" "$c_git/agent-index"; then
            (
            plain_index=$c_git/agent-index
            c ls-files -t -z 2>/dev/null
        ) | lines | with "$c_git/gone" '/^S / && substr($0, 3) in set { print substr($0, 3) }' |
            zeros | c update-index -z --skip-worktree --stdin
    fi
}

# submodules: a diff cannot hold what is inside of one. What was done there is named; a move to a commit that the other side
# has is a change like any other. git itself is kept from looking, since it would start another git in the agent's hands.
submodules() {
    c ls-files -s -z | lines | sed -n 's/^160000 \([0-9a-f]*\) [0-3]	/\1	/p' >"$c_git/links"
    [ -s "$c_git/links" ] || return 0
    while IFS='	' read -r s_commit s_path; do
        if [ -d "$s_path" ] && [ ! -L "$s_path" ]; then
            printf '%s\n' "$s_path"
            [ -z "$(ls -A "$s_path")" ] || (submodule "$s_commit" "$s_path" 1) >&2
        fi
    done <"$c_git/links" >"$c_git/looked"
    zeros <"$c_git/looked" | c update-index -z --skip-worktree --stdin
}

submodule() { # COMMIT PATH DEPTH
    s_mirror=$(awk -F '\t' -v path="$2" '$2 == path { print $3 }' "$dir/launch-index.modules" 2>/dev/null)
    # What git reads here was written by the agent, and may be a pipe.
    plain_limit=
    ! timeout 1 true 2>/dev/null || plain_limit='timeout 20'
    s_head=$(plain_git --git-dir="$2/.git" rev-parse --verify --quiet 'HEAD^{commit}')
    s_base=$1
    if [ -n "$s_head" ] && [ "$s_head" != "$1" ]; then
        if [ "$3" = 1 ] && [ -n "$s_mirror" ] && plain_git --git-dir="$s_mirror" cat-file -e "$s_head^{commit}" 2>/dev/null; then
            s_base=$s_head
            printf '160000 %s\t%s\n' "$s_head" "$2" >>"$c_git/moved"
        else
            left submodule "$2"
        fi
    fi
    s_objects=$(plain_git --git-dir="$2/.git" rev-parse --git-path objects 2>/dev/null)
    plain_limit=
    case $s_objects in
    /*) ;;
    *) s_objects=$worktree/$s_objects ;;
    esac
    (
        c_tree=$worktree/$2
        c_git=$c_git/module.$3
        rm -rf "$c_git"
        own_repository "$c_git" "${s_mirror:+$s_mirror/objects
}$s_objects" && litter_patterns >"$c_git/info/exclude" && cd "$c_tree" && c read-tree "$s_base" 2>/dev/null &&
            c ls-files -s -z | lines | sed -n 's/^160000 \([0-9a-f]*\) [0-3]	/\1	/p' >"$c_git/links" &&
            cut -f 2 "$c_git/links" | zeros | c update-index -z --skip-worktree --stdin &&
            c add -A --ignore-errors . 2>/dev/null && c diff --cached --name-only -z --no-renames "$s_base" -- | lines
    ) >"$c_git/inside.$3" || {
        left submodule "$2"
        return
    }
    while IFS= read -r s_path; do left submodule "$2/$s_path"; done <"$c_git/inside.$3"
    [ "$3" -lt 8 ] || return 0
    while IFS='	' read -r s_commit s_path; do
        if [ ! -d "$2/$s_path" ] || [ -L "$2/$s_path" ] || [ -z "$(ls -A "$2/$s_path")" ]; then continue; fi
        (submodule "$s_commit" "$2/$s_path" $(($3 + 1)))
    done <"$c_git/module.$3/links"
}

# untracked: finds litter, and repositories that the agent made, and keeps both from being added as they are.
# shellcheck disable=SC2016 # the expressions are awk's
untracked() {
    c ls-files -o -z --exclude-standard 2>/dev/null | lines >"$c_git/untracked"
    {
        litter_patterns
        litter_folders <"$c_git/untracked" | escaped
        litter_programs <"$c_git/untracked" | escaped
        # What was ignored before the agent came, and what the configuration says, has the last word.
        [ ! -f "$dir/exclude" ] || cat "$dir/exclude"
        [ ! -f "$dir/launch-index.exclude" ] || {
            cat "$dir/launch-index.exclude"
            echo
        }
    } >"$c_git/info/exclude" || return 1
    c check-ignore -z --no-index --stdin <"$c_git/untracked.z" 2>/dev/null | lines >"$c_git/litter"
    note_litter
    # A name with a slash at its end is a repository.
    with "$c_git/litter" '/\/$/ && !($0 in set)' "$c_git/untracked" >"$c_git/nested"
    while IFS= read -r c_path; do nested "$c_path"; done <"$c_git/nested"
    escaped <"$c_git/nested" >>"$c_git/info/exclude"
}

# nested PATH/: files of a repository that the agent began come along as files. One that was cloned from elsewhere, or that
# belongs to another, is named.
nested() {
    n_git=$1.git
    if [ -L "$n_git" ] || [ ! -d "$n_git" ] || [ ! -f "$n_git/config" ] || [ -n "$(c config --file "$n_git/config" --get-regexp '^remote\.' 2>/dev/null)" ]; then
        left nested "$1"
        return
    fi
    (
        c_tree=$worktree/$1 plain_index=$c_git/no-index
        cd "$c_tree" && c ls-files -o -z --exclude-standard | lines
    ) >"$c_git/files" || {
        left nested "$1"
        return
    }
    if [ "$(wc -l <"$c_git/files")" -gt 2000 ]; then
        left nested "$1"
        return
    fi
    awk -v path="$1" '!/\/$/ { print path $0 }' "$c_git/files" >>"$c_git/inner"
    grep '/$' "$c_git/files" | while IFS= read -r n_each; do left nested "$1$n_each"; done
}

# raw: the changes as lines `:MODE MODE ID ID STATUS`, each followed by a line with its path.
raw() { c diff --cached --raw -z --no-renames --no-abbrev --ignore-submodules=dirty "$base" -- | lines; }

# take_back: takes out of the index what must not be in the diff: files under a filter, which is not run, so that what is on
# the disk may be what the repository must not hold; and what the configuration leaves out.
# shellcheck disable=SC2016 # the expressions are awk's
take_back() {
    raw >"$c_git/raw" || return 1
    [ -s "$c_git/raw" ] || return 0
    # The attributes are those of the base commit and of the person.
    (
        plain_index=$c_git/base-index
        c read-tree "$base"
    ) && mv "$c_git/info/attributes" "$c_git/attributes" || return 1
    awk '/^:/ { split($0, f, " "); getline path; if (f[5] != "D" && f[2] ~ /^100/ && f[3] != f[4]) print path }' "$c_git/raw" |
        zeros | (
        plain_index=$c_git/base-index c_attributes=/dev/null
        [ ! -f "$dir/launch-index.attributes" ] || c_attributes=$dir/launch-index.attributes
        c -c core.attributesFile="$c_attributes" check-attr --cached -z --stdin filter
    ) | lines | awk 'NR % 3 == 1 { path = $0 } NR % 3 == 0 && $0 != "unspecified" && $0 != "unset" { print $0 "\t" path }' >"$c_git/filtered"
    mv "$c_git/attributes" "$c_git/info/attributes" || return 1
    : >"$c_git/back"
    while IFS='	' read -r t_filter t_path; do
        printf '%s\n' "$t_path" >>"$c_git/back"
        [ "$t_filter" = lfs ] && same_large_file "$t_path" && continue
        left filter "$t_path" "$(wc -c <"$t_path" 2>/dev/null)"
        printf '%s: it is under the filter %s, which is not run\n' "$t_path" "$t_filter"
    done <"$c_git/filtered"
    if [ -s "$dir/launch-index.exclude" ]; then
        c ls-files -z -c -i -X "$dir/launch-index.exclude" | lines >"$c_git/matched"
        with "$c_git/matched" '/^:/ { getline path; if (path in set) print path }' "$c_git/raw" >"$c_git/excluded"
        while IFS= read -r t_path; do left excluded "$t_path" "$(wc -c <"$t_path" 2>/dev/null)"; done <"$c_git/excluded"
        cat "$c_git/excluded" >>"$c_git/back"
    fi
    [ -s "$c_git/back" ] || return 0
    with "$c_git/back" '/^:/ { split(substr($0, 2), f, " "); getline path
        if (path in set) { if (f[1] == "000000") f[1] = "0"; print f[1] " " f[3] "\t" path } }' "$c_git/raw" |
        zeros | c update-index -z --index-info || return 1
    raw >"$c_git/raw"
}

# same_large_file PATH: whether a file is what the pointer in the base commit stands for.
same_large_file() {
    t_pointer=$(c cat-file blob "$base:$1" 2>/dev/null | sed -n 's/^oid sha256:\([0-9a-f]*\)$/\1/p')
    [ -n "$t_pointer" ] && t_sum=$(sha256sum <"$1") && [ "${t_sum%% *}" = "$t_pointer" ]
}

# of_note: names what is in the diff and is no text.
# shellcheck disable=SC2016 # the expressions are awk's
of_note() {
    [ -s "$c_git/raw" ] || return 0
    c diff --cached --numstat -z --no-renames --ignore-submodules=dirty "$base" -- | lines |
        sed -n 's/^-	-	//p' >"$c_git/binary"
    with "$c_git/binary" '/^:/ { split($0, f, " "); getline path
        if (f[2] == "120000") print f[4] "\tlink\t" path
        else if (path in set && f[5] != "D") print f[4] "\tbinary\t" path }' "$c_git/raw" >"$c_git/note"
    cut -f 1 "$c_git/note" | c cat-file --batch-check='%(objectsize)' | paste - "$c_git/note" |
        while IFS='	' read -r o_bytes _ o_kind o_path; do left "$o_kind" "$o_path" "$o_bytes"; done
}

# list_left: the records of changes.list.
list_left() {
    for l_kind in litter excluded filter nested submodule unreadable binary link; do
        [ -s "$c_git/left.$l_kind" ] || continue
        l_names=$(awk -F '\t' 'NR <= 12 { print $1 "\t" substr($2, 1, 160) }' "$c_git/left.$l_kind" | tr '\001' '?' | base64 | tr -d '\n')
        # A line of litter is a folder or a file; how many files are in it stands in a file of its own.
        if [ "$l_kind" = litter ]; then
            l_sums=$(cat "$c_git/litter.sums")
        else
            l_sums=$(awk -F '\t' '{ bytes += $1 } END { printf "%d %.0f", NR, bytes }' "$c_git/left.$l_kind")
        fi
        printf 'left kind=%s count=%s bytes=%s names=@%s\n' "$l_kind" "${l_sums% *}" "${l_sums#* }" "$l_names"
    done
}

# changes: sets diff to ok, partial, failed or none, and changes_list to what was left out, encoded, or to -.
changes() {
    diff=none changes_list=-
    [ -n "$worktree" ] && [ -n "$base" ] || return 0
    locate
    rm -f changes.list
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
    rm -rf .compare .changes.diff .changes.list
    [ ! -s changes.list ] || changes_list=@$(awk '{ size += length($0) + 1 } size < 12288' changes.list | base64 | tr -d '\n')
    if [ $diff = ok ]; then rm -f .changes.err changes.err; else mv -f .changes.err changes.err; fi
}
