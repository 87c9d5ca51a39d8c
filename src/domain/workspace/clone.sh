# Clones of a mirror, one for each job and each tree of a verification.
# Needs: the functions of lock.sh, modules.sh, plain_git.sh and of the repository's git.sh. Defines: make_clone, build_clone, remove_clone.
#
# A clone has refs, stash, configuration, hooks and shallow state of its own, and borrows the mirror's objects: what an
# agent does in it reaches neither the mirror nor another clone. Every file in it has the bytes that the repository
# holds: no filter, line ending or encoding is applied on checkout, and none when the agent's git reads it again, so
# that it is clean from the start whatever the person's git is configured to do.

# make_clone MIRROR PATH COMMIT [INDEX_COPY]: makes a clone at a commit, without a branch. A whole one that was made so
# before is left as it is. All paths are absolute. It comes into its place whole: one that was killed on its way is made
# anew, and of two at once one makes it.
# INDEX_COPY gets the index as it is before anybody has worked in the clone; beside it, under the same name with an
# ending, lie what the comparison needs to know: .mirror, .modules, .ignores and .attributes of the person.
# Where it fails it prints one record `clone-failed reason=… lock=… text=…` and returns 1; the reason is busy, folder,
# occupied or git, and lock is a lock file of git that is in the way, as far as one is.
make_clone() {
    c_lock=$(printf '%s' "$2" | cksum)
    c_lock=${1%/*}/.lock.$((${c_lock%% *} % 16))
    take_lock "$c_lock" 600
    case $? in
    0) ;;
    1) clone_failed busy 'the lock of the clone stayed taken'; return ;;
    *) clone_failed folder "cannot write $c_lock"; return ;;
    esac
    build_clone "$@"
    set -- $?
    drop_lock
    return "$1"
}

# remove_clone PATH: removes a clone with all changes in it; one that is gone already is as good. What is no clone of
# this kind is left alone. Fails as make_clone does.
remove_clone() {
    if is_occupied "$1"; then
        if [ -L "$1" ] || [ -L "$1/.git" ] || [ ! -f "$1/.git/legwork-base" ]; then
            clone_failed occupied "what is at $1 is no clone of legwork's"
            return
        fi
        if ! c_printed=$(mv "$1" "$1.gone.$$" 2>&1); then
            clone_failed folder "$c_printed"
            return
        fi
    fi
    rmdir "$1" 2>/dev/null
    remove_all "$1.gone."
}

clone_failed() {
    # Some shells do not say that it is the disk which is full.
    for c_folder in jobs control repos; do
        c_room=$(df -Pk "$LEGWORK_ROOT/$c_folder" 2>/dev/null | awk 'NR == 2 { print $4 }')
        case $c_room in
        [0-9] | 1[0-5]) set -- "$1" "$2: No space left on device" ;;
        esac
    done
    printf 'clone-failed reason=%s lock=@%s text=@%s\n' "$1" \
        "$(git_lock_in "$2" | base64 | tr -d '\n')" "$(printf '%s' "$2" | tail -c 4000 | base64 | tr -d '\n')"
    return 1
}

# remove_all PREFIX: removes the folders whose path begins so, those included in which a program took the right to write.
remove_all() {
    for c_each in "$1"*; do
        [ -e "$c_each" ] || [ -L "$c_each" ] || continue
        if ! rm -rf "$c_each" 2>/dev/null; then
            find "$c_each" -type d ! -perm -u+rwx -exec chmod u+rwx {} + 2>/dev/null
            c_printed=$(rm -rf "$c_each" 2>&1) || { clone_failed folder "$c_printed"; return; }
        fi
    done
}

is_occupied() {
    [ -e "$1" ] || [ -L "$1" ] || return 1
    # An empty folder is no obstacle.
    [ -d "$1" ] && [ ! -L "$1" ] && [ -z "$(ls -A "$1")" ] && return 1
    return 0
}

# build_clone: make_clone for who holds a lock of the place already.
build_clone() {
    if is_occupied "$2"; then
        if [ -L "$2" ] || [ -L "$2/.git" ] || [ ! -f "$2/.git/legwork-base" ]; then
            clone_failed occupied "there is something else at $2"
            return
        fi
        if [ "$(cat "$2/.git/legwork-base" 2>/dev/null)" != "$3" ]; then
            clone_failed occupied "the clone at $2 stands on another commit"
            return
        fi
        [ -z "${4:-}" ] || [ -f "$4" ] || keep_launch "$1" "$2" "$3" "$4"
        return
    fi
    remove_all "$2.new." || return
    if ! c_printed=$(mkdir -p "${2%/*}" 2>&1); then
        clone_failed folder "$c_printed"
        return
    fi
    read_person
    if ! c_printed=$(make_repository "$1" "$2.new.$$" "$3" "$1" 2>&1); then
        clone_failed git "$c_printed"
        return
    fi
    if ! c_printed=$(fill_modules "$1" "$2.new.$$" "$3" "$(mirror_url "$1")" 0 "$1" 2>&1); then
        clone_failed git "$c_printed"
        return
    fi
    [ -z "${4:-}" ] || keep_launch "$1" "$2.new.$$" "$3" "$4" || return
    if ! c_printed=$({ rmdir "$2" 2>/dev/null || [ ! -e "$2" ]; } && printf '%s\n' "$3" >"$2.new.$$/.git/legwork-base" && mv "$2.new.$$" "$2" 2>&1); then
        clone_failed folder "${c_printed:-cannot write $2}"
        return
    fi
}

# read_person: sets c_name, c_email, c_ignores and c_attributes to what the person's own git is configured with.
read_person() {
    c_name='' c_email='' c_ignores='' c_attributes=''
    c_settings=$(cd / && git config --get-regexp '^(user\.name|user\.email|core\.excludesfile|core\.attributesfile)$' 2>/dev/null)
    while IFS= read -r c_line; do
        case $c_line in
        'user.name '*) c_name=${c_line#user.name } ;;
        'user.email '*) c_email=${c_line#user.email } ;;
        'core.excludesfile '*) c_ignores=$(persons_path excludesFile "${c_line#* }") ;;
        'core.attributesfile '*) c_attributes=$(persons_path attributesFile "${c_line#* }") ;;
        esac
    done <<END
$c_settings
END
    : "${c_ignores:=${XDG_CONFIG_HOME:-${HOME:-/}/.config}/git/ignore}"
    : "${c_attributes:=${XDG_CONFIG_HOME:-${HOME:-/}/.config}/git/attributes}"
}

persons_path() {
    case $2 in
    '~'*) (cd / && git config --type=path --get "core.$1" 2>/dev/null) ;;
    *) printf '%s' "$2" ;;
    esac
}

# make_repository MIRROR PATH COMMIT SETTINGS: makes a repository that borrows the mirror's objects, and checks the
# commit out. SETTINGS is the mirror whose switches count, or nothing.
make_repository() {
    c_format=
    [ ${#3} -le 40 ] || c_format=--object-format=sha256
    # Not `git clone`: that would ask whose the mirror is, and copy where it is shallow.
    plain_git init --quiet --template= $c_format "$2" || return 1
    mkdir -p "$2/.git/info" "$2/.git/objects/info" || return 1
    printf '%s\n' "$1/objects" >"$2/.git/objects/info/alternates" || return 1
    [ ! -f "$1/shallow" ] || cp "$1/shallow" "$2/.git/shallow" || return 1
    if [ -n "$4" ] && [ -e "$4/legwork/lfs" ]; then
        printf '%s\n' '* -text -eol -ident -working-tree-encoding' >"$2/.git/info/attributes" || return 1
    else
        printf '%s\n' "$plain_attributes" >"$2/.git/info/attributes" || return 1
    fi
    # `git init` says so where the disk has no links; elsewhere the person's own setting must not count.
    grep -q symlinks "$2/.git/config" || printf '[core]\n\tsymlinks = true\n' >>"$2/.git/config" || return 1
    clone_settings "$1" >>"$2/.git/config" || return 1
    plain_git --git-dir="$1" for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags |
        sed 's, refs/heads/, refs/remotes/origin/,' >"$2/.git/packed-refs" || return 1
    c_head=$(sed -n 's,^ref: refs/heads/,,p' "$1/HEAD")
    if [ -n "$c_head" ] && grep -q " refs/remotes/origin/$c_head\$" "$2/.git/packed-refs"; then
        mkdir -p "$2/.git/refs/remotes/origin" &&
            printf 'ref: refs/remotes/origin/%s\n' "$c_head" >"$2/.git/refs/remotes/origin/HEAD" || return 1
    fi
    if [ -n "$4" ] && [ -s "$4/legwork/sparse" ]; then
        plain_git -C "$2" sparse-checkout set --cone --stdin <"$4/legwork/sparse" || return 1
    fi
    if [ -n "$4" ] && [ -e "$4/legwork/lfs" ]; then bring_lfs "$1" "$2" "$3" || return 1; fi
    # git may end well although objects were missing; it is never silent then.
    if ! c_errors=$(plain_git -C "$2" checkout --quiet --detach "$3" 2>&1) || [ -n "$c_errors" ]; then
        printf '%s\n' "$c_errors"
        return 1
    fi
}

# clone_settings MIRROR: what stands in the configuration of a clone beside what `git init` found out of the disk. It wins
# over the person's own, so that the clone is clean from the start, and an agent at nobody's terminal can commit in it.
clone_settings() {
    cat <<END
[core]
	autocrlf = false
	safecrlf = false
	fsmonitor = false
	untrackedCache = false
	excludesFile = $(quoted_setting "$c_ignores")
	logAllRefUpdates = true
[user]
	name = $(quoted_setting "${c_name:-legwork}")
	email = $(quoted_setting "${c_email:-legwork@localhost}")
[commit]
	gpgSign = false
[tag]
	gpgSign = false
[gc]
	auto = 0
[maintenance]
	auto = false
[advice]
	detachedHead = false
[remote "origin"]
	url = $(quoted_setting "$(mirror_url "$1")")
	pushUrl = legwork-brings-the-diff-back:no-push
	fetch = +refs/heads/*:refs/remotes/origin/*
END
}

# quoted_setting TEXT: a value of a configuration file.
quoted_setting() { printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"; }

# bring_lfs MIRROR PATH COMMIT: lets the clone's git check out the large files, and no other filter. The objects are copied:
# git-lfs itself would link them, and an agent could then write into the mirror's.
bring_lfs() {
    plain_git --git-dir="$1" grep -h -o -E 'filter=[^[:space:]]+' "$3" -- .gitattributes '*/.gitattributes' 2>/dev/null |
        sort -u | sed -n 's/^filter=\([A-Za-z0-9._-]*\)$/\1/p' | while IFS= read -r c_filter; do
        [ "$c_filter" != lfs ] || continue
        printf '[filter "%s"]\n\tclean =\n\tsmudge =\n\tprocess =\n\trequired = false\n' "$c_filter"
    done >>"$2/.git/config" || return 1
    cat >>"$2/.git/config" <<'END' || return 1
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
[lfs]
	repositoryformatversion = 0
END
    c_objects=$(plain_git --git-dir="$2/.git" lfs ls-files --long "$3") || return 1
    printf '%s\n' "$c_objects" | while read -r c_object _; do
        case $c_object in
        '' | *[!0-9a-f]*) continue ;;
        esac
        c_rest=${c_object#??}
        c_place=lfs/objects/${c_object%"$c_rest"}/${c_rest%"${c_rest#??}"}
        if [ ! -f "$1/$c_place/$c_object" ] || [ -e "$2/.git/$c_place/$c_object" ]; then continue; fi
        mkdir -p "$2/.git/$c_place" && cp "$1/$c_place/$c_object" "$2/.git/$c_place/$c_object" || exit 1
    done
}

# fill_modules MIRROR PATH COMMIT URL DEPTH SETTINGS: checks the submodules of a commit out, and theirs, where the switch is on.
fill_modules() {
    if [ ! -e "$6/legwork/submodules" ] || [ "$5" -ge 8 ]; then return 0; fi
    list_modules "$2/.git" "$3" "$4" | while IFS='	' read -r c_commit c_path c_url; do
        # Outside a sparse checkout there is no folder for it.
        if [ ! -d "$2/$c_path" ] || [ -L "$2/$c_path" ]; then continue; fi
        c_module=$(module_mirror "$6" "$c_url")
        make_repository "$c_module" "$2/$c_path" "$c_commit" '' || { echo "submodule $c_path"; exit 1; }
        (fill_modules "$c_module" "$2/$c_path" "$c_commit" "$c_url" $(($5 + 1)) "$6") || exit 1
    done
}

# keep_launch MIRROR PATH COMMIT INDEX_COPY
keep_launch() {
    [ -n "${c_ignores+set}" ] || read_person
    c_modules=
    [ ! -e "$1/legwork/submodules" ] || c_modules=$(list_modules "$2/.git" "$3" "$(mirror_url "$1")" | while IFS='	' read -r c_commit c_path c_url; do
        printf '%s\t%s\t%s\n' "$c_commit" "$c_path" "$(module_mirror "$1" "$c_url")"
    done)
    if ! c_printed=$({
        mkdir -p "${4%/*}" && printf '%s\n' "$1" >"$4.mirror" && printf '%s\n' "$c_modules" >"$4.modules" &&
            { [ ! -f "$c_ignores" ] || cat "$c_ignores" >"$4.ignores"; } &&
            { [ ! -f "$c_attributes" ] || cat "$c_attributes" >"$4.attributes"; } &&
            cp -p "$2/.git/index" "$4.new" && mv -f "$4.new" "$4"
    } 2>&1); then
        clone_failed folder "$c_printed"
    fi
}
