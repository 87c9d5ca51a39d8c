# The environments of trees, made from a store that is checked. Needs: process.sh, lock.sh, environment_code (the text of
# environment.py), and for prepare_tree prepare_command, prepare_limit and set_variables.
# Defines: make_environment check_environment prepare_tree find_interpreter environment_python install_tree within.
#
# Where one of the first and third fails it prints one record `environment-failed reason=store|copy|tool|build|busy log=… text=…`
# or `prepare-failed exit=… log=… text=…`, texts and paths encoded, and returns 1.

# make_environment STORE TREE ENVIRONMENT: makes an environment of a tree's own, with that tree itself installed; one that
# was made so before is left as it is. All paths are absolute. An empty STORE means a profile without environments: the
# folder is made, for what a tree has of its own besides.
make_environment() {
    if [ -z "$1" ]; then
        if ! e_printed=$(mkdir -p "$3" 2>&1); then environment_failed copy "$e_printed"; fi
        return
    fi
    with_environment_locked make_environment_alone "$@"
}

make_environment_alone() {
    [ "$(cat "$3/.legwork-environment" 2>/dev/null)" != "$1 $2" ] || return 0
    rm -rf "$3"
    if ! find_interpreter "$1"; then
        environment_failed store "$e_printed"
        return
    fi
    e_printed=$(environment_python make "$1" "$2" "$3" 2>&1)
    case $? in
    0) ;;
    3) environment_failed store "$e_printed"; return ;;
    *) environment_failed copy "$e_printed"; return ;;
    esac
    case $e_printed in
    build*)
        # Words of these lines may not hold a line break, and are no patterns.
        e_before=$-
        set -f
        IFS='
'
        # shellcheck disable=SC2086 # a line each on purpose
        set -- "$2" "$3" ${e_printed#build?}
        unset IFS
        case $e_before in *f*) ;; *) set +f ;; esac
        install_tree "$@" || return
        set -- "$e_store" "$1" "$2"
        ;;
    esac
    printf '%s\n' "$1 $2" >"$3/.legwork-environment" && return 0
    environment_failed copy "cannot write $3/.legwork-environment"
}

# install_tree TREE ENVIRONMENT MODE ISOLATION PROJECT...: builds the projects of a tree and installs them, offline, with what
# the environment has. What a build writes into egg-info folders of the tree is undone.
install_tree() {
    if ! PATH=$PATH:${HOME:-/}/.cargo/bin command -v uv >/dev/null 2>&1; then
        environment_failed tool uv
        return
    fi
    i_tree=$1 i_environment=$2 i_mode=$3 i_isolation=$4
    shift 4
    environment_python hold "$i_tree" "$i_environment/.legwork-egg-info" "$@" || return
    (
        cd "$i_tree" || exit
        unset VIRTUAL_ENV PYTHONPATH PYTHONHOME CONDA_PREFIX UV_PYTHON UV_PROJECT_ENVIRONMENT
        i_count=$#
        while [ "$i_count" -gt 0 ]; do
            i_project=$1
            shift
            if [ "$i_mode" = editable ]; then set -- "$@" --editable; fi
            set -- "$@" "$i_tree/$i_project"
            i_count=$((i_count - 1))
        done
        if [ "$i_isolation" = isolated ]; then
            set -- --cache-dir "$LEGWORK_ROOT/envs/cache" "$@"
        else
            set -- --no-build-isolation --no-index --no-cache "$@"
        fi
        # uv goes by the age of pyproject.toml, not by the sources: without --reinstall an old build would stay.
        within "${environment_limit:-1800}" env PATH="$i_environment/bin:$PATH:${HOME:-/}/.cargo/bin" uv pip install --no-progress --offline --no-deps --reinstall --link-mode copy \
            --python "$i_environment/bin/python" "$@"
    ) </dev/null >"$i_environment.log" 2>&1
    i_status=$?
    environment_python release "$i_tree" "$i_environment/.legwork-egg-info" "$@"
    rm -f "$i_environment/.legwork-egg-info"
    [ "$i_status" = 0 ] && return 0
    environment_failed build "$(tail -c 4000 "$i_environment.log")" "$i_environment.log"
}

# check_outer STORE: compares the store around it, which many projects may share, with its name.
check_outer() {
    find_outer_interpreter "$1" || return
    e_printed=$(environment_python check_one "$1" 2>&1)
}

# check_environment STORE: compares a store with its name; where it differs, sets e_printed to what does and returns 1.
check_environment() {
    find_interpreter "$1" || return
    e_printed=$(environment_python check "$1" 2>&1)
}

# find_interpreter STORE: sets e_python to the interpreter that the environments of a store are for. It is read from the
# manifest, which the store's name vouches for: a program inside the store is not run before it was compared.
find_interpreter() {
    e_store=$1
    if [ ! -f "$1/manifest" ]; then
        e_printed="there is no complete environment at $1"
        return 1
    fi
    find_outer_interpreter "${1%/*}"
}

find_outer_interpreter() {
    e_outer=$1
    e_wanted=${e_outer##*-}
    if [ "${#e_wanted}" -lt 32 ] || [ ! -f "$e_outer/manifest" ]; then
        e_printed="there is no complete environment at $1"
        return 1
    fi
    case $(sha256sum <"$e_outer/manifest") in
    "$e_wanted"*) ;;
    *)
        e_printed="changed: $e_outer/manifest"
        return 1
        ;;
    esac
    e_python=$(sed -n 's/^\["link", "\(.*\)", 0, "template\/bin\/python"\]$/\1/p' "$e_outer/manifest")
    if [ ! -x "$e_python" ]; then
        e_printed="missing: the interpreter ${e_python:-that the environment was made with}"
        return 1
    fi
}

# environment_python ACTION ARGUMENTS...: runs environment.py by that interpreter, and nothing else of an environment.
environment_python() { "$e_python" -I -S -B -c "$environment_code" "$@"; }

# prepare_tree TREE ENVIRONMENT: runs the command that prepares each tree, within its time and once.
prepare_tree() {
    [ -n "$prepare_command" ] || return 0
    with_environment_locked prepare_tree_alone "$prepare_command" "$@"
}

prepare_tree_alone() {
    [ ! -f "$3/.legwork-prepared" ] || return 0
    (
        cd "$2" || exit
        worktree=$2 environment_folder=$3
        set_variables
        within "$prepare_limit" sh -c "$1"
    ) </dev/null >"$3.log" 2>&1
    e_status=$?
    [ "$e_status" != 0 ] || : >"$3/.legwork-prepared" || e_status=1
    [ "$e_status" != 0 ] || return 0
    printf 'prepare-failed exit=%s log=@%s text=@%s\n' "$e_status" "$(printf '%s' "$3.log" | base64 | tr -d '\n')" \
        "$(tail -c 4000 "$3.log" | base64 | tr -d '\n')"
    return 1
}

# with_environment_locked FUNCTION FIRST TREE ENVIRONMENT: calls the function while nobody else works on that environment.
with_environment_locked() {
    if ! e_printed=$(mkdir -p "${4%/*}" 2>&1); then
        environment_failed copy "$e_printed"
        return
    fi
    take_lock "$4.lock" 3600
    case $? in
    0) ;;
    1) environment_failed busy "$4.lock stayed taken"; return ;;
    *) environment_failed copy "cannot write $4.lock"; return ;;
    esac
    "$@"
    set -- $?
    drop_lock
    return "$1"
}

# environment_failed REASON TEXT [LOG]
environment_failed() {
    printf 'environment-failed reason=%s log=@%s text=@%s\n' "$1" "$(printf '%s' "${3:-}" | base64 | tr -d '\n')" \
        "$(printf '%s' "$2" | tail -c 4000 | base64 | tr -d '\n')"
    return 1
}

# within SECONDS COMMAND...: ends a command after so many seconds. Where a lock is held, the command holds it too.
within() {
    if timeout -k 10 1 true 2>/dev/null; then
        w_limit="timeout -k 10 $1"
    elif timeout 1 true 2>/dev/null; then
        w_limit="timeout $1"
    else
        w_limit=
    fi
    shift
    # shellcheck disable=SC2086 # these are several words on purpose
    holding $w_limit "$@"
}
