# Does one step of a workspace, under its lock, unless it is done already.
# $1 repository  $2 step  $3 its digest  $4 seconds to wait for the lock  $5 seconds its commands may take
# $6 `uv` where there is an environment, else -  $7 `always` to do it even if done, else `missing`
# $8 steps it stands on, as `step=digest ...`  $9 steps whose work it undoes
# the rest: what the step itself needs. Payloads: the record, the user name, the password.
name=$1 step=$2 digest=$3 patience=$4 limit=$5 environment=$6 redo=$7 stands_on=$8 undoes=$9
shift 9
folder=$LEGWORK_ROOT/repos/$name
seed=$folder/seed
mirror=$LEGWORK_ROOT/mirrors/$name.git
log=$folder/logs/$step.log
seconds=0 evidence='' commit='' made='' lock_file='' full='' notes='' digest_of_mirror=''

# answer STATE EXIT: the one record this prints:
# step state=… exit=… seconds=… commit=… made=… evidence=… log=… lock=… full=… notes=… mirror=…
answer() {
    printf 'step state=%s exit=%s seconds=%s commit=%s made=%s evidence=%s log=%s lock=%s full=%s notes=%s mirror=%s\n' \
        "$1" "$2" "$seconds" "${commit:--}" "$(printf '%s' "$made" | encoded)" "$(printf '%s' "$evidence" | encoded)" \
        "$(tr -d '\000' <"$log" | tail -c 4000 | encoded)" \
        "$(printf '%s' "$lock_file" | encoded)" "$(printf '%s' "$full" | encoded)" \
        "$(printf '%s' "$notes" | encoded)" "${digest_of_mirror:--}"
}

# find_cause: looks for what a step failed for: a lock file of git, or a disk without room.
find_cause() {
    lock_file=$(git_lock_in "$(tail -c 4000 "$log")")
    for each in "$folder" "$LEGWORK_ROOT" "$LEGWORK_ROOT/envs" "${UV_CACHE_DIR:-${HOME:-/}/.cache}" "${TMPDIR:-/tmp}"; do
        if [ ! -d "$each" ] || [ ! -w "$each" ]; then continue; fi
        if ! dd if=/dev/zero of="$each/.legwork-room.$$" bs=1024 count=1024 2>/dev/null; then full=$each; fi
        rm -f "$each/.legwork-room.$$"
        [ -z "$full" ] || break
    done
}

# explain TEXT: sets the evidence of the step.
explain() {
    evidence=$(printf '%s' "$1" | tr '\n\t' '  ' | cut -c 1-400)
}

# undo: forgets that this step and those that stand on it were done.
undo() {
    for each in $undoes $step; do
        rm -f "$folder/steps/$each"
    done
}

begin_clone() { # URL
    # Nobody else makes one while this holds the lock; what a killed one left behind is of no use.
    remove_all "$mirror.new."
    [ ! -e "$mirror" ] || return 0
    mkdir -p "${mirror%/*}" || return
    # Not by copying or linking the files of a source on this disk: a mirror stands on nothing but itself.
    bounded_git -c init.defaultRefFormat=files clone --quiet --bare --no-local --template= -- "$1" "$mirror.new.$$" || return
    undo
    mkdir "$mirror.new.$$/legwork" &&
        git config --file "$mirror.new.$$/config" --get extensions.objectformat >"$mirror.new.$$/legwork/format"
    rm -rf "$mirror.new.$$/hooks" "$mirror.new.$$/info" "$mirror.new.$$/branches"
    (
        mirror=$mirror.new.$$
        mirror_config "$1" >"$mirror/config.new" && mv -f "$mirror/config.new" "$mirror/config"
    ) && mv "$mirror.new.$$" "$mirror"
}

seal_clone() {
    explain "$(git --version), default branch $(sed -n 's,^ref: refs/heads/,,p' "$mirror/HEAD")"
}

# restore_mirror URL DIGEST: makes the mirror's configuration what legwork wrote, and takes away what else would make git
# do something of its own there, before git is run with anybody's token. Notes what it found otherwise. Sets
# $refs_changed where refs are not those that were fetched; the fetch that follows puts them right.
restore_mirror() {
    refs_changed=no restored=
    # Only this script works in the mirror, under the lock: locks in it are those of a killed one.
    find "$mirror" -name '*.lock' -not -path '*/objects/*' -exec rm -f {} + 2>/dev/null
    if [ -L "$mirror/config" ] || [ "$(cat "$mirror/config" 2>/dev/null)" != "$(mirror_config "$1")" ]; then
        restored=' config'
        mirror_config "$1" >"$mirror/config.new" && mv -f "$mirror/config.new" "$mirror/config" || return
    fi
    for each in $(mirror_strays); do
        restored="$restored $each"
        case $each in
        refs/*) plain_git --git-dir="$mirror" update-ref --no-deref -d "$each" || return ;;
        *) rm -rf "${mirror:?}/$each" || return ;;
        esac
    done
    if [ "$2" != - ] && [ "$(mirror_digest)" != "$2" ]; then
        refs_changed=yes
        [ -n "$restored" ] || restored=' refs'
    fi
    [ -z "$restored" ] || notes="restored$restored"
}

# set_switches WORD...: records what clones of the mirror hold beside the files: submodules, lfs, sparse=FOLDER. Sets $switched
# where that is something new.
set_switches() {
    switches_before=$(cat "$mirror/legwork/switches" 2>/dev/null)
    switches_now=$(printf '%s\n' "$@")
    [ "$switches_before" = "$switches_now" ] || switched=yes
    rm -f "$mirror/legwork/submodules" "$mirror/legwork/lfs" "$mirror/legwork/sparse"
    mkdir -p "$mirror/legwork" && printf '%s\n' "$@" >"$mirror/legwork/switches" || return
    for each in "$@"; do
        case $each in
        sparse=*) printf '%s\n' "${each#sparse=}" >>"$mirror/legwork/sparse" ;;
        ?*) : >"$mirror/legwork/$each" ;;
        esac || return
    done
}

begin_resolve() { # REFERENCE, `fetch` or `cloned`, URL, the mirror's digest or -, SWITCHES...
    commit='' switched=no url=$3
    restore_mirror "$3" "$4" || return
    if is_digits "$1" && [ "${#1}" -ge 40 ]; then commit=$(commit_of "$1"); fi
    if { [ -z "$commit" ] && [ "$2" = fetch ]; } || [ "$refs_changed" = yes ]; then
        bounded_git --git-dir="$mirror" fetch --quiet --no-tags --force --prune --no-recurse-submodules origin || return
        if [ -z "$1" ]; then find_default_branch; fi
    fi
    if [ -z "$commit" ]; then
        case $1 in
        '') commit=$(commit_of HEAD) ;;
        refs/heads/* | refs/tags/*) commit=$(commit_of "$1") ;;
        refs/*)
            bounded_git --git-dir="$mirror" fetch --quiet --no-tags --no-recurse-submodules origin "+$1:refs/legwork/ref/${1#refs/}" || return
            commit=$(commit_of "refs/legwork/ref/${1#refs/}")
            ;;
        *)
            commit=$(commit_of "refs/heads/$1")
            [ -n "$commit" ] || commit=$(commit_of "refs/tags/$1")
            [ -n "$commit" ] || commit_by_digits "$1"
            ;;
        esac
    fi
    [ -n "$commit" ] || return 90
    shift 4
    set_switches "$@" || return
    # Whatever becomes of the branch, this commit and all before it stay: jobs borrow them.
    quiet_git --git-dir="$mirror" update-ref "refs/legwork/hold/$commit" "$commit" || return
    if [ -e "$mirror/legwork/lfs" ]; then
        bounded_git --git-dir="$mirror" lfs fetch origin "$commit" || return
        # git-lfs links the files of a source on this disk, and writes settings of its own.
        find "$mirror/lfs/objects" -type f -links +1 | while IFS= read -r each; do
            cp "$each" "$each.own" && mv -f "$each.own" "$each" || exit 1
        done || return
        mirror_config "$url" >"$mirror/config.new" && mv -f "$mirror/config.new" "$mirror/config" || return
    fi
    if [ -e "$mirror/legwork/submodules" ]; then fetch_modules "$mirror" "$commit" "$url" 0 || return; fi
    unset LEGWORK_GIT_USER LEGWORK_GIT_PASSWORD LEGWORK_GIT_ORIGIN
    if [ "$switched" = yes ] || [ "$(cat "$seed/.git/legwork-base" 2>/dev/null)" != "$commit" ]; then
        undo
        # It holds nothing but what set-up made there, and that is made again.
        if [ -e "$seed" ] || [ -L "$seed" ]; then mv "$seed" "$seed.gone.$$" || return; fi
        remove_all "$seed.gone." || return
        seed_failure=$(build_clone "$mirror" "$seed" "$commit") || {
            # The record is not for the log.
            printf '%s\n' "$seed_failure" | sed 's/.*text=@//' | base64 -d
            return 1
        }
    fi
}

# find_default_branch: points the mirror's HEAD where the other side's points. An empty repository has none; what comes of
# that is reported by who looks for the commit.
find_default_branch() {
    default_branch=$(bounded_git --git-dir="$mirror" ls-remote --symref origin HEAD 2>/dev/null |
        sed -n 's,^ref: \(refs/heads/[^	]*\)	HEAD$,\1,p')
    [ -z "$default_branch" ] || quiet_git --git-dir="$mirror" symbolic-ref HEAD "$default_branch"
}

# fetch_modules MIRROR COMMIT URL DEPTH: fetches the submodules of a commit, and theirs, into mirrors of their own. The name
# and the password are for the repository's own server alone, and one from a network names nothing on this disk.
fetch_modules() {
    [ "$4" -lt 8 ] || return 0
    case $url in
    http://* | https://* | ssh://* | git://*) module_protocols=http:https:ssh:git ;;
    *) module_protocols=file:http:https:ssh:git ;;
    esac
    list_modules "$1" "$2" "$3" | while IFS='	' read -r f_commit f_path f_url; do
        f_mirror=$(module_mirror "$mirror" "$f_url")
        if ! plain_git --git-dir="$f_mirror" cat-file -e "$f_commit^{commit}" 2>/dev/null; then
            fetch_module "$f_mirror" "$f_commit" "$f_url" || {
                printf 'the submodule %s could not be fetched from %s\n' "$f_path" "$f_url"
                exit 1
            }
        fi
        (fetch_modules "$f_mirror" "$f_commit" "$f_url" $(($4 + 1))) || exit 1
    done
}

fetch_module() ( # MIRROR COMMIT URL
    mirror=$1
    GIT_ALLOW_PROTOCOL=$module_protocols
    export GIT_ALLOW_PROTOCOL
    if [ ! -e "$mirror" ]; then
        m_objects=
        [ ${#2} -le 40 ] || m_objects=--object-format=sha256
        # shellcheck disable=SC2086 # it may be no word at all
        plain_git init --quiet --bare --template= $m_objects "$mirror" || exit
        mkdir "$mirror/legwork" && { [ -z "$m_objects" ] || echo sha256; } >"$mirror/legwork/format" || exit
    fi
    mirror_config "$3" >"$mirror/config.new" && mv -f "$mirror/config.new" "$mirror/config" || exit
    for each in $(mirror_strays); do
        case $each in
        refs/*) plain_git --git-dir="$mirror" update-ref --no-deref -d "$each" || exit ;;
        *) rm -rf "${mirror:?}/$each" || exit ;;
        esac
    done
    bounded_git --git-dir="$mirror" fetch --quiet --no-tags --force --prune --no-recurse-submodules origin || exit
    plain_git --git-dir="$mirror" cat-file -e "$2^{commit}" 2>/dev/null ||
        bounded_git --git-dir="$mirror" fetch --quiet --no-tags --no-recurse-submodules origin "$2" || exit
    quiet_git --git-dir="$mirror" update-ref "refs/legwork/hold/$2" "$2"
)

seal_resolve() {
    explain "$commit of $(plain_git --git-dir="$mirror" log -1 --format=%cI "$commit")"
    digest_of_mirror=$(mirror_digest)
    lacks=$(mirror_lacks "$commit" | tr '\t\n' ' \t')
    notes=$(printf '%s' "$notes${notes:+	}$lacks" | cut -c 1-1000)
}

commit_of() {
    plain_git --git-dir="$mirror" rev-parse --verify --quiet "$1^{commit}"
}

# commit_by_digits TEXT: a commit named by its digest, fetched by it where no branch has brought it.
commit_by_digits() {
    is_digits "$1" || return 0
    commit=$(commit_of "$1")
    if [ -z "$commit" ] && [ "${#1}" -ge 40 ] &&
        bounded_git --git-dir="$mirror" fetch --quiet --no-tags --no-recurse-submodules origin "$1"; then
        commit=$(commit_of "$1")
    fi
}

# is_digits TEXT: whether it may be the digest of a commit, or the beginning of one.
is_digits() {
    case $1 in
    *[!0-9a-fA-F]*) false ;;
    *) [ "${#1}" -ge 7 ] ;;
    esac
}

begin_environment() { # PYTHON
    # A half-made one differs from a whole one by its marker alone.
    rm -rf "$folder/python" || return
    if [ -n "$1" ]; then set -- --python "$1"; else set --; fi
    # What is made from it is copied to other places.
    bounded uv venv --no-progress --no-project --relocatable "$@" "$folder/python" || return
    : >"$folder/python/.legwork-complete"
}

seal_environment() {
    explain "$("$folder/python/bin/python" --version 2>&1)"
}

# begin_install: makes a lock of all that the environment needs, the store that environments are made from, and the seed's own
# environment by really building the repository.
# $1 `none`, `editable` or `wheel`  $2 `project` where the lock holds what the repository itself needs, else -
# $3 the beginning of the store's name; the rest: arguments of `uv pip compile` alone.
# Payloads: 4 packages, a line each, 5 arguments for whatever uv installs, as words of the shell, 6 the store of the same lock
# that the caller knows of, relative, or nothing: one that only lies here may be anybody's.
begin_install() {
    installing=$1 with_project=$2 store_name=$3
    shift 3
    making=$folder/making
    rm -rf "$making" && mkdir -p "$making" "$LEGWORK_ROOT/envs" && cd "$seed" || return
    # uv believes what lies in its cache without comparing it with the digests of a lock: nothing that others may have written.
    UV_CACHE_DIR=$making/cache
    export UV_CACHE_DIR
    sources=$(payload 5)
    e_python=$(readlink "$folder/python/bin/python") &&
        environment_python hold "$seed" "$making/egg-info" . || return
    install_all "$@"
    each=$?
    # Whatever reads the metadata of the repository has its backend write them into the seed.
    environment_python release "$seed" "$making/egg-info" . || return
    [ "$each" != 0 ] || rm -rf "$making"
    return "$each"
}

install_all() { # arguments of `uv pip compile`
    write_lock "$@" && find_store || return
    if [ -z "$store" ]; then make_store || return; fi
    install_seed
}

# with_sources COMMAND...: runs it with the arguments for whatever uv installs.
with_sources() {
    eval "set -- \"\$@\" $sources"
    bounded "$@"
}

write_lock() { # arguments of `uv pip compile`
    payload 4 >"$making/packages.in" || return
    : >"$making/build.in"
    if [ "$with_project" = project ]; then
        for each in pyproject.toml setup.py setup.cfg none; do
            [ ! -f "$seed/$each" ] || break
        done
        if [ "$each" = none ]; then
            echo "The repository has no pyproject.toml, setup.py or setup.cfg at its top: there is no project to install."
            echo "Use a profile with install = 'none', and name what it needs in packages or requirements."
            return 1
        fi
        set -- "$@" "$seed/$each"
        [ "$installing" = none ] || find_build_requirements || return
    fi
    isolation=shared
    if ! compile_lock "$making/build.in" "$@"; then
        [ -s "$making/build.in" ] || return 1
        # What a build needs may contradict what the project needs; then builds have an environment of their own.
        isolation=isolated
        compile_lock "$making/packages.in" "$@" &&
            probe --cache-dir "$LEGWORK_ROOT/envs/cache" --reinstall -r "$making/build.in" || return
    fi
    {
        printf '# %s\n' "$("$e_python" -VV 2>&1 | tr '\n' ' ')" "$e_python"
        cat "$making/lock.new"
    } >"$making/lock.txt" &&
        environment_python locals_of "$seed" "$making/lock.txt" >"$making/roots"
}

compile_lock() {
    rm -f "$making/lock.new"
    with_sources uv pip compile --quiet --generate-hashes --no-header --no-annotate --python "$folder/python/bin/python" \
        --output-file "$making/lock.new" "$making/packages.in" "$@" >/dev/null
}

# find_build_requirements: writes down what building the repository needs, as it says itself and as its backend says.
find_build_requirements() {
    cp -RPp "$folder/python" "$making/probe" || return
    if ! "$e_python" -I -S -c 'import tomllib' 2>/dev/null && [ -f pyproject.toml ]; then
        probe tomli || return
    fi
    ask requires >"$making/build.in" || return
    ask may_ask >/dev/null || return 0
    if [ -s "$making/build.in" ]; then probe -r "$making/build.in" || return; fi
    ask asks >>"$making/build.in"
}

# probe ARGUMENTS...: installs what a backend needs to be asked, into an environment that is thrown away.
probe() {
    with_sources uv pip install --quiet --no-progress --link-mode hardlink --python "$making/probe/bin/python" "$@"
}

# ask ACTION: runs an action of environment.py on the seed in that environment.
ask() {
    bounded env PATH="$making/probe/bin:$PATH" "$making/probe/bin/python" -I -B -c "$environment_code" "$1" "$seed"
}

# find_store: sets store to the one that the caller knows of, if it was made from this very lock and is whole.
find_store() {
    store=$(payload 6)
    [ -n "$store" ] || return 0
    store=$LEGWORK_ROOT/$store
    if ! cmp -s "$store/lock.txt" "$making/lock.txt" || ! check_outer "$store"; then store=; fi
}

make_store() {
    mkdir "$making/store" && cp -RPp "$folder/python" "$making/store/template" && cp "$making/lock.txt" "$making/store/" || return
    rm -f "$making/store/template/.legwork-complete"
    if grep -q '^[^#]' "$making/lock.txt"; then
        with_sources uv pip sync --no-progress --link-mode copy --python "$making/store/template/bin/python" "$making/lock.txt" || return
    fi
    # A package whose own list is wrong is no reason to stop: it is what its index has.
    environment_python records "$making/store/template"
    each=$(environment_python seal "$making/store") || return
    store=$LEGWORK_ROOT/envs/$store_name-$(printf %.32s "$each")
    # Another repository with the same lock has the same store, and jobs may be copying it.
    ! check_outer "$store" || return 0
    rm -rf "$store" && mv "$making/store" "$store"
}

# install_seed: installs the repository into an environment of the seed's, and keeps what that added for other trees.
install_seed() {
    rm -rf "$folder/env" "$making/project"
    mkdir "$making/project" || return
    cp -RPp "$store/template" "$folder/env" || return
    if [ "$installing" = none ]; then
        environment_python describe "$making/project" none shared || return
    else
        # shellcheck disable=SC2046 # a line each on purpose; a path of a project with a blank in it is not supported
        environment_python describe "$making/project" "$installing" "$isolation" . $(grep -vx '\.' "$making/roots") &&
            environment_python list_tree "$seed" "$making/before" || return
        # shellcheck disable=SC2046
        install_tree "$seed" "$folder/env" "$installing" "$isolation" . $(grep -vx '\.' "$making/roots") >"$making/failure" || {
            cat "$folder/env.log" 2>/dev/null || cat "$making/failure"
            return 1
        }
        cat "$folder/env.log"
        environment_python capture "$store" "$seed" "$folder/env" "$making/before" "$making/project" || return
    fi
    each=$(environment_python seal "$making/project") || return
    each=$store/$(printf %.32s "$each")
    rm -rf "$each" && mv "$making/project" "$each" || return
    made=${each#"$LEGWORK_ROOT/"}
    environment_python packages "$folder/env" >"$folder/packages" && : >"$folder/env/.legwork-complete"
}

seal_install() {
    explain "$(wc -l <"$folder/packages" | tr -d ' ') packages, lock $(sha256sum <"$store/lock.txt" | cut -c 1-12)"
}

run_command() ( # COMMAND
    # A subshell starts with the signals as they were; it must not end before what it waits for.
    trap : INT TERM
    cd "$seed" || exit
    worktree=$seed
    environment_folder=$folder/env
    mkdir -p "$folder/env" || exit
    set_variables
    bounded sh -c "$1"
)

begin_setup() { run_command "$1"; }
begin_prepare() { run_command "$1"; }
begin_smoke() { run_command "$1"; }
seal_setup() { explain "$(grep -v '^ *$' "$log" | tail -n 1)"; }
seal_prepare() { seal_setup; }
seal_smoke() { seal_setup; }

write_marker() {
    put "$folder/steps/$step" "$digest
$seconds
$(date +%s)
$commit
$evidence
$notes
$digest_of_mirror
$made" && unpack "$folder/workspace.json" 1
}

perform() {
    if ! printed=$(mkdir -p "$folder/steps" "$folder/logs" 2>&1); then
        evidence=$printed
        find_cause
        answer folder 1
        return
    fi
    take_lock "$folder/provision.lock" "$patience"
    case $? in
    0) ;;
    1)
        answer busy 1
        return
        ;;
    *)
        evidence="cannot write $folder/provision.lock"
        answer folder 1
        return
        ;;
    esac
    perform_alone "$@"
    drop_lock
}

perform_alone() {
    for each in $stands_on; do
        if [ "$(marker "${each%%=*}" 1)" != "${each#*=}" ]; then
            answer overtaken 1
            return
        fi
    done
    if [ "$redo" = missing ] && [ "$(marker "$step" 1)" = "$digest" ] && in_force "$step"; then
        seconds=$(marker "$step" 2) commit=$(marker "$step" 4) evidence=$(marker "$step" 5) notes=$(marker "$step" 6)
        digest_of_mirror=$(marker "$step" 7) made=$(marker "$step" 8)
        log=/dev/null
        answer 'done' 0
        return
    fi
    if [ "$step" = clone ] && [ -e "$mirror" ]; then
        evidence=$(mirror_url "$mirror")
        if [ "$evidence" != "$1" ]; then
            answer mismatch 1
            return
        fi
    fi
    # What was done before stays done until something is really changed: a mistyped ref spoils nothing.
    case $step in
    clone | resolve) ;;
    *) undo ;;
    esac
    LEGWORK_GIT_USER=$(payload 2) LEGWORK_GIT_PASSWORD=$(payload 3)
    LEGWORK_GIT_ORIGIN=$(git_origin "$1")
    [ "$step" = clone ] || LEGWORK_GIT_ORIGIN=$(git_origin "${3:-}")
    case $step in
    clone | resolve) [ -z "$LEGWORK_GIT_USER" ] || export LEGWORK_GIT_USER LEGWORK_GIT_PASSWORD LEGWORK_GIT_ORIGIN ;;
    *) unset LEGWORK_GIT_USER LEGWORK_GIT_PASSWORD ;;
    esac
    begin=$(date +%s)
    # The log takes its room first: on a full disk it could not record that the disk is full.
    if ! printed=$(dd if=/dev/zero of="$log" bs=1024 count=64 2>&1); then
        rm -f "$log"
        log=/dev/null
        evidence=$printed
        find_cause
        answer folder 1
        return
    fi
    # Not in a subshell: the commit it finds is needed below.
    start_folder=$PWD
    { "begin_$step" "$@"; } 1<>"$log" 2>&1
    status=$?
    cd "$start_folder" 2>/dev/null || cd /
    if tr -d '\000' <"$log" >"$log.$$"; then mv -f "$log.$$" "$log"; else rm -f "$log.$$"; fi
    seconds=$(($(date +%s) - begin))
    if [ "$status" -ne 0 ]; then
        find_cause
        answer failed "$status"
        return
    fi
    "seal_$step"
    if ! printed=$(write_marker 2>&1); then
        printf '%s\n' "${printed:-cannot write $folder/steps/$step}" >>"$log"
        find_cause
        answer failed 1
        return
    fi
    answer ran 0
}

prepare_git
PATH=$PATH:${HOME:-/}/.cargo/bin
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME CONDA_PREFIX UV_PYTHON UV_PROJECT_ENVIRONMENT
# In the background, and deaf to hang-ups: the step goes on to its end when the call that began it is cut off,
# so that asking again finds it done or waits for it.
(
    trap '' HUP
    trap : INT TERM PIPE
    perform "$@"
) &
wait $!
