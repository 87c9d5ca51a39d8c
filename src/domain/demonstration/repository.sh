# Makes the demonstration's repository, once; the same on every machine, commit id included. Needs: forget_git.
#
# $1 its name. Payloads: 1 calendar.sh, 2 tests/run.sh. Prints a record `repository is_new=yes|no path=…`, the path encoded.
umask 077
d_top=${TMPDIR:-/tmp}/legwork-demo-$(id -u)
mkdir -p "$d_top" || exit 1
# The name can be guessed by others, so that what lies there must be nobody else's.
if [ ! -O "$d_top" ] || [ -L "$d_top" ]; then
    echo "$d_top belongs to somebody else" >&2
    exit 1
fi
d_repository=$d_top/$1 d_new=no
forget_git
unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS
GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C
GIT_AUTHOR_NAME='Ada Demo' GIT_AUTHOR_EMAIL=ada@example.org GIT_AUTHOR_DATE='2024-02-29T12:00:00Z'
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM LC_ALL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
if [ ! -d "$d_repository/.git" ]; then
    d_draft=$d_top/new.$$
    rm -rf "$d_draft"
    mkdir -p "$d_draft/tests" && payload 1 >"$d_draft/calendar.sh" && payload 2 >"$d_draft/tests/run.sh" &&
        chmod 644 "$d_draft/calendar.sh" "$d_draft/tests/run.sh" &&
        git init -q --template= "$d_draft" && git -C "$d_draft" symbolic-ref HEAD refs/heads/main &&
        git -C "$d_draft" add calendar.sh tests/run.sh && git -C "$d_draft" commit -q -m 'Count the days of February' || exit 1
    # Two calls at once: the second one finds the repository that the first one made.
    if mv -T "$d_draft" "$d_repository" 2>/dev/null; then d_new=yes; else rm -rf "$d_draft"; fi
fi
git -C "$d_repository" rev-parse --verify 'refs/heads/main^{commit}' >/dev/null || exit 1
printf 'repository is_new=%s path=@%s\n' $d_new "$(printf %s "$d_repository" | base64 | tr -d '\n')"
