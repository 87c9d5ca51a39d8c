# What there is of a workspace. Needs: plain_git.sh, modules.sh, environment.sh, $folder, $seed, $mirror.
# Defines: marker, encoded, in_force, mirror_config, mirror_strays, mirror_digest, mirror_lacks, check_packages.

# encoded: what it reads, as the value of a record.
encoded() {
    printf '@'
    base64 | tr -d '\n'
}

# marker STEP LINE: a line of what a step left when it was done: digest, seconds, time, commit, evidence, notes, mirror's digest,
# what it made.
marker() {
    sed -n "$2p" "$folder/steps/$1" 2>/dev/null
}

# in_force STEP: whether what a step made is still there.
in_force() {
    case $1 in
    clone) [ -f "$mirror/config" ] && [ -d "$mirror/objects" ] ;;
    resolve)
        plain_git --git-dir="$mirror" cat-file -e "$(marker resolve 4)^{commit}" 2>/dev/null &&
            [ "$(cat "$seed/.git/legwork-base" 2>/dev/null)" = "$(marker resolve 4)" ]
        ;;
    environment) [ -f "$folder/python/.legwork-complete" ] && [ -x "$folder/python/bin/python" ] ;;
    install) check_environment "$LEGWORK_ROOT/$(marker install 8)" && check_packages ;;
    *) true ;;
    esac
}

# check_packages: whether the seed's own environment has the packages that were installed in it; where not, sets e_printed to the
# difference and returns 1.
check_packages() {
    if [ ! -f "$folder/env/.legwork-complete" ]; then
        e_printed="there is no complete environment at $folder/env"
        return 1
    fi
    e_printed=$(environment_python packages "$folder/env" 2>&1 | diff "$folder/packages" - 2>&1) && return 0
    e_printed="packages of the seed: $(printf '%s' "$e_printed" | sed -n 's/^< /missing: /p; s/^> /not listed: /p')"
    return 1
}

# mirror_config URL: the whole configuration of the mirror. Nothing else may stand there when git runs with a token.
mirror_config() {
    m_format=$(cat "$mirror/legwork/format" 2>/dev/null)
    printf '[core]\n\trepositoryformatversion = 1\n\tbare = true\n\tfileMode = true\n\thooksPath = /dev/null\n'
    printf '[extensions]\n\tpreciousObjects = true\n'
    [ "$m_format" != sha256 ] || printf '\tobjectFormat = sha256\n'
    printf '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\thideRefs = refs\n'
    # Not `+refs/*`: pruning would take the refs that hold the commits of jobs.
    printf '[remote "origin"]\n\turl = "%s"\n\tfetch = +refs/heads/*:refs/heads/*\n\tfetch = +refs/tags/*:refs/tags/*\n\ttagOpt = --no-tags\n' \
        "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

# mirror_strays: prints what lies in the mirror and would make git do something else there.
mirror_strays() {
    for m_each in hooks info branches remotes worktrees modules config.worktree commondir gitdir index \
        objects/info/alternates objects/info/http-alternates; do
        [ -e "$mirror/$m_each" ] || [ -L "$mirror/$m_each" ] || continue
        printf '%s\n' "$m_each"
    done
    plain_git --git-dir="$mirror" for-each-ref --format='%(refname)' | grep -v -E '^refs/(heads|tags|legwork)/'
}

# mirror_digest: a digest of all that decides what git does in the mirror and what the names in it stand for.
mirror_digest() {
    {
        cat "$mirror/config" "$mirror/HEAD" "$mirror/legwork/format" "$mirror/legwork/sparse" 2>&1
        ls "$mirror/legwork"
        plain_git --git-dir="$mirror" for-each-ref --format='%(objectname) %(refname) %(symref)' 2>&1
        mirror_strays
    } | sha256sum | cut -c 1-64
}

# mirror_lacks COMMIT: what a clone at that commit will not hold, a line `submodules|lfs|filters …` each, with names.
mirror_lacks() {
    if [ ! -e "$mirror/legwork/submodules" ]; then
        m_paths=$(plain_git --git-dir="$mirror" ls-tree -r "$1" | sed -n 's/^160000 commit [0-9a-f]*	//p')
        [ -z "$m_paths" ] || printf 'submodules %s\n' "$(named_some "$m_paths")"
    fi
    m_filters=$(plain_git --git-dir="$mirror" grep -h -o -E '(^|[[:space:]])filter=[^[:space:]]+' "$1" -- .gitattributes '*/.gitattributes' 2>/dev/null |
        sed 's/.*filter=//' | sort -u)
    case "
$m_filters
" in
    *"
lfs
"*) [ -e "$mirror/legwork/lfs" ] || echo lfs ;;
    esac
    m_filters=$(printf '%s\n' "$m_filters" | grep -v -x -e lfs -e '')
    [ -z "$m_filters" ] || printf 'filters %s\n' "$(named_some "$m_filters")"
}

# named_some LINES: how many, and the first of them, in one line.
named_some() {
    printf '%s\n' "$1" | awk 'NR <= 5 { text = text (NR > 1 ? ", " : "") $0 } END { print NR ": " text (NR > 5 ? ", …" : "") }'
}
