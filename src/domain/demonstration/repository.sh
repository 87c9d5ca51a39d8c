# Makes the demonstration's repository, once; the same on every machine, commit id included.
#
# $1 its name. Payloads: 1 calendar.sh, 2 tests/run.sh. Prints `legwork-repository made|found PATH`.
umask 077
d_top=${TMPDIR:-/tmp}/legwork-demo-$(id -u)
mkdir -p "$d_top" || exit 1
# The name can be guessed by others, so that what lies there must be nobody else's.
if [ ! -O "$d_top" ] || [ -L "$d_top" ]; then
    echo "$d_top belongs to somebody else" >&2
    exit 1
fi
d_repository=$d_top/$1 d_how=found
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C
GIT_AUTHOR_NAME='Ada Demo' GIT_AUTHOR_EMAIL=ada@example.org GIT_AUTHOR_DATE='2024-02-29T12:00:00Z'
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM LC_ALL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
if [ ! -d "$d_repository/.git" ]; then
    d_new=$d_top/new.$$
    rm -rf "$d_new"
    mkdir -p "$d_new/tests" && payload 1 >"$d_new/calendar.sh" && payload 2 >"$d_new/tests/run.sh" &&
        chmod 644 "$d_new/calendar.sh" "$d_new/tests/run.sh" &&
        git init -q --template= "$d_new" && git -C "$d_new" symbolic-ref HEAD refs/heads/main &&
        git -C "$d_new" add calendar.sh tests/run.sh && git -C "$d_new" commit -q -m 'Count the days of February' || exit 1
    # Two calls at once: the second one finds the repository that the first one made.
    if mv -T "$d_new" "$d_repository" 2>/dev/null; then d_how=made; else rm -rf "$d_new"; fi
fi
git -C "$d_repository" rev-parse --verify 'refs/heads/main^{commit}' >/dev/null || exit 1
printf 'legwork-repository %s %s\n' $d_how "$d_repository"
