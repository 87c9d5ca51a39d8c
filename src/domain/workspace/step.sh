# Does one step of a workspace, under its lock, unless it is done already.
# $1 repository  $2 step  $3 its digest  $4 seconds to wait for the lock  $5 seconds its commands may take
# $6 environment (relative, or -)  $7 `always` to do it even if done, else `missing`
# $8 steps it stands on, as `step=digest ...`  $9 steps whose work it undoes
# the rest: what the step itself needs. Payloads: the record, the user name, the password.
name=$1 step=$2 digest=$3 patience=$4 limit=$5 environment=$6 redo=$7 stands_on=$8 undoes=$9
shift 9
folder=$LEGWORK_ROOT/repos/$name
seed=$folder/seed
log=$folder/logs/$step.log
seconds=0 evidence='' commit='' lock_file='' full=''

# answer STATE EXIT: the one record this prints:
# step state=… exit=… seconds=… commit=… evidence=… log=… lock=… full=…
answer() {
    printf 'step state=%s exit=%s seconds=%s commit=%s evidence=%s log=%s lock=%s full=%s\n' \
        "$1" "$2" "$seconds" "${commit:--}" "$(printf '%s' "$evidence" | encoded)" \
        "$(tr -d '\000' <"$log" | tail -c 4000 | encoded)" \
        "$(printf '%s' "$lock_file" | encoded)" "$(printf '%s' "$full" | encoded)"
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
    rm -rf "$folder"/seed.new.*
    [ ! -e "$seed" ] || return 0
    bounded_git clone --quiet --no-checkout --template= -- "$1" "$folder/seed.new.$$" || return
    undo
    mv "$folder/seed.new.$$" "$seed"
}

seal_clone() {
    explain "$(git --version), default branch $(quiet_git -C "$seed" symbolic-ref --quiet --short refs/remotes/origin/HEAD || echo unknown)"
}

begin_resolve() { # REFERENCE, `fetch` or `cloned`
    # A fetch or a checkout that was killed leaves its locks, and only this script fetches into or checks out
    # the seed itself; agents at work in worktrees may hold the others for a moment.
    rm -f "$seed/.git/index.lock" "$seed/.git/HEAD.lock"
    find "$seed/.git/refs/remotes" "$seed/.git/refs/legwork" -name '*.lock' -exec rm -f {} + 2>/dev/null
    find "$seed/.git" -maxdepth 1 -name '*.lock' -mmin +10 -exec rm -f {} + 2>/dev/null
    commit=
    if is_digits "$1" && [ "${#1}" -ge 40 ]; then commit=$(commit_of "$1"); fi
    if [ -z "$commit" ] && [ "$2" = fetch ]; then
        bounded_git -C "$seed" fetch --quiet --tags --force --prune --no-recurse-submodules origin || return
        if [ -z "$1" ]; then
            # An empty repository has no default branch; what comes of that is reported below.
            bounded_git -C "$seed" remote set-head origin --auto >/dev/null
        fi
    fi
    if [ -z "$commit" ]; then
        case $1 in
        '') commit=$(commit_of refs/remotes/origin/HEAD) ;;
        refs/heads/*) commit=$(commit_of "refs/remotes/origin/${1#refs/heads/}") ;;
        refs/tags/*) commit=$(commit_of "$1") ;;
        refs/*)
            bounded_git -C "$seed" fetch --quiet --no-tags --no-recurse-submodules origin "+$1:refs/legwork/${1#refs/}" || return
            commit=$(commit_of "refs/legwork/${1#refs/}")
            ;;
        *)
            commit=$(commit_of "refs/remotes/origin/$1")
            [ -n "$commit" ] || commit=$(commit_of "refs/tags/$1")
            [ -n "$commit" ] || commit_by_digits "$1"
            ;;
        esac
    fi
    [ -n "$commit" ] || return 90
    undo
    quiet_git -C "$seed" checkout --quiet --detach --force "$commit"
}

seal_resolve() {
    explain "$commit of $(quiet_git -C "$seed" log -1 --format=%cI "$commit")"
}

commit_of() {
    quiet_git -C "$seed" rev-parse --verify --quiet "$1^{commit}"
}

# commit_by_digits TEXT: a commit named by its digest, fetched by it where no branch has brought it.
commit_by_digits() {
    is_digits "$1" || return 0
    commit=$(commit_of "$1")
    if [ -z "$commit" ] && [ "${#1}" -ge 40 ] &&
        bounded_git -C "$seed" fetch --quiet --no-tags --no-recurse-submodules origin "$1"; then
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
    # A half-made one differs from a whole one by its marker alone, and an environment cannot be moved.
    rm -rf "${LEGWORK_ROOT:?}/$environment" || return
    mkdir -p "$LEGWORK_ROOT/envs" || return
    if [ -n "$1" ]; then
        bounded uv venv --no-progress --python "$1" "$LEGWORK_ROOT/$environment" || return
    else
        bounded uv venv --no-progress "$LEGWORK_ROOT/$environment" || return
    fi
    : >"$LEGWORK_ROOT/$environment/.legwork-complete"
}

seal_environment() {
    explain "$("$LEGWORK_ROOT/$environment/bin/python" --version 2>&1)"
}

begin_install() { # `none`, `editable` or `wheel`, then arguments and packages
    installing=$1
    shift
    cd "$seed" || return
    case $installing in
    editable) set -- "$@" --editable "$seed" ;;
    # uv goes by the age of pyproject.toml, not by the sources: without this an old build would stay.
    wheel) set -- --reinstall "$@" "$seed" ;;
    *) ;;
    esac
    bounded uv pip install --no-progress --python "$LEGWORK_ROOT/$environment/bin/python" "$@"
}

seal_install() {
    explain "$(uv pip freeze --python "$LEGWORK_ROOT/$environment/bin/python" 2>/dev/null | wc -l | tr -d ' ') packages"
}

run_command() ( # COMMAND
    # A subshell starts with the signals as they were; it must not end before what it waits for.
    trap : INT TERM
    cd "$seed" || exit
    worktree=$seed
    environment_folder=
    [ "$environment" = - ] || environment_folder=$LEGWORK_ROOT/$environment
    set_variables
    bounded sh -c "$1"
)

begin_setup() { run_command "$1"; }
begin_smoke() { run_command "$1"; }
seal_setup() { explain "$(grep -v '^ *$' "$log" | tail -n 1)"; }
seal_smoke() { seal_setup; }

write_marker() {
    put "$folder/steps/$step" "$digest
$seconds
$(date +%s)
$commit
$evidence" && unpack "$folder/workspace.json" 1
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
        seconds=$(marker "$step" 2) commit=$(marker "$step" 4) evidence=$(marker "$step" 5)
        log=/dev/null
        answer 'done' 0
        return
    fi
    if [ "$step" = clone ] && [ -e "$seed" ]; then
        evidence=$(quiet_git -C "$seed" config --local --get remote.origin.url 2>/dev/null)
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
    case $step in
    clone | resolve) [ -z "$LEGWORK_GIT_USER" ] || export LEGWORK_GIT_USER LEGWORK_GIT_PASSWORD ;;
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
