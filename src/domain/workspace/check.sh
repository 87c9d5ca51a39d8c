# Looks at a workspace, and changes nothing. Prints the records
# fact name=… status=pass|warn|fail|unknown|skipped evidence=… / clones count=… / disk used_kib=… free_kib=…
# $1 repository  $2 what environments are made from (relative; - where none are, ? where it is not known)  $3 url  $4 commit
# $5 smoke command, or nothing to leave it out  $6 seconds a command may take  $7 the mirror's digest as it is known here, or -
environment=$2 url=$3 commit=$4 smoke=$5 limit=$6 known_mirror=$7
folder=$LEGWORK_ROOT/repos/$1
seed=$folder/seed mirror=$LEGWORK_ROOT/mirrors/$1.git

fact() {
    evidence=$(printf '%s' "$3" | tr '\n\t' '  ' | cut -c 1-400)
    printf 'fact name=%s status=%s evidence=%s\n' "$1" "$2" "$(printf '%s' "$evidence" | encoded)"
}

check_mirror() {
    if [ ! -f "$mirror/config" ]; then
        fact mirror fail "there is no mirror at $mirror"
        for each in remote base_commit; do
            fact "$each" unknown 'there is no mirror'
        done
        return
    fi
    m_now=$(mirror_digest)
    if [ "$(cat "$mirror/config" 2>/dev/null)" != "$(mirror_config "$url")" ]; then
        fact mirror fail "its configuration is not what legwork wrote"
    elif printed=$(mirror_strays) && [ -n "$printed" ]; then
        fact mirror fail "in it lies what legwork did not put there: $printed"
    elif [ "$known_mirror" = - ] || [ "$m_now" = "$known_mirror" ]; then
        fact mirror pass "$mirror"
    elif [ "$m_now" = "$(marker resolve 7)" ]; then
        fact mirror warn "its refs were fetched since, by another caller of this host"
    else
        fact mirror fail "its refs are not those that legwork fetched"
    fi
    printed=$(mirror_url "$mirror")
    if [ "$printed" = "$url" ]; then fact remote pass "$printed"; else fact remote fail "$printed"; fi
    if [ -z "$commit" ]; then
        fact base_commit unknown 'the ref was never resolved'
    elif printed=$(plain_git --git-dir="$mirror" rev-parse --verify "$commit^{tree}" 2>&1); then
        fact base_commit pass "$commit"
        mirror_lacks "$commit" | while read -r lacking printed; do
            case $lacking in
            submodules) fact submodules warn "jobs find these empty, since the repository's configuration does not switch submodules on: $printed" ;;
            lfs) fact lfs warn "jobs find pointers in place of large files, since the repository's configuration does not switch lfs on" ;;
            filters) fact filters warn "jobs find what the repository holds, not what these filters make of it: $printed" ;;
            esac
        done
    else
        fact base_commit fail "$commit is not in the mirror: $printed"
    fi
}

check_seed() {
    count=0
    for each in "$LEGWORK_ROOT"/jobs/*/work/.git/objects/info/alternates; do
        [ -f "$each" ] && [ "$(head -n 1 "$each" 2>/dev/null)" = "$mirror/objects" ] && count=$((count + 1))
    done
    echo "clones count=$count"
    if [ ! -f "$seed/.git/legwork-base" ]; then
        fact seed fail "there is no clone at $seed"
        fact clean unknown 'there is no clone'
        return
    fi
    printed=$(cat "$seed/.git/legwork-base" 2>/dev/null)
    if [ -n "$commit" ] && [ "$printed" != "$commit" ]; then
        fact seed fail "it stands on $printed"
    elif printed=$(plain_git -C "$seed" rev-parse --verify 'HEAD^{tree}' 2>&1); then
        fact seed pass "$seed"
    else
        fact seed fail "$printed"
    fi
    if printed=$(plain_git -C "$seed" status --porcelain --untracked-files=no 2>&1); then
        if [ -z "$printed" ]; then fact clean pass 'no tracked file differs'; else fact clean fail "$printed"; fi
    else
        fact clean unknown "$printed"
    fi
}

check_python() {
    case $environment in
    -)
        fact environment skipped 'the profile makes none'
        fact packages skipped 'the profile makes none'
        return
        ;;
    '?')
        fact environment fail 'none was recorded'
        fact packages unknown 'none was recorded'
        return
        ;;
    esac
    if ! check_environment "$LEGWORK_ROOT/$environment"; then
        fact environment fail "$e_printed"
    elif printed=$(bounded "$e_python" -c 'import sys; print(sys.version.split()[0], sys.executable)' 2>&1); then
        fact environment pass "$printed, $environment"
    else
        fact environment fail "$printed"
    fi
    if [ -z "${e_python:-}" ]; then
        fact packages unknown "there is no interpreter to ask"
    elif check_packages; then
        fact packages pass "$(wc -l <"$folder/packages" | tr -d ' ')"
    else
        fact packages fail "$e_printed"
    fi
}

check_smoke() {
    if [ -z "$smoke" ]; then
        fact smoke skipped 'not asked for, or the profile has none'
        return
    fi
    if printed=$(
        cd "$seed" || exit
        worktree=$seed environment_folder=$folder/env
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
        if printed=$(bounded du -sk "$mirror" 2>/dev/null); then used=$((used + ${printed%%[!0-9]*})); fi
        if [ -e "${mirror%.git}.modules" ] && printed=$(bounded du -sk "${mirror%.git}.modules" 2>/dev/null); then
            used=$((used + ${printed%%[!0-9]*}))
        fi
        printed=${environment%/*}
        if [ "${#environment}" -gt 1 ] && printed=$(bounded du -sk "$LEGWORK_ROOT/$printed" 2>/dev/null); then
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
check_mirror
check_seed
check_python
check_smoke
check_disk
