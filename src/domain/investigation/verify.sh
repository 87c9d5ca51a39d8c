# Judges a fix in two clean worktrees: the check must fail without the diff and pass with it.
#
# Runs as the program of a run. Needs git.sh and worktree.sh, the variables job, root, seed, environment_folder (see its prelude),
# base, diff, check and v_limit, and the function legwork_environment, which sets the variables for $worktree.
# Writes result, before.log, after.log and fingerprint into its job's folder.
v_note() { printf '%s\n' "$1" >>"$job/.result.$$"; }
v_tidy() {
    remove_worktree "$seed" "$job/before"
    remove_worktree "$seed" "$job/after"
} >/dev/null 2>&1
# v_check NAME: runs the check in that worktree.
v_check() {
    worktree=$job/$1
    v_since=$(date +%s)
    (
        cd "$worktree" || exit 125
        legwork_environment
        timeout -k 5 "$v_limit" /bin/sh -c "$check" </dev/null
    ) >"$job/$1.all" 2>&1
    v_status=$?
    tail -c 65536 "$job/$1.all" >"$job/$1.log"
    rm -f "$job/$1.all"
    v_note "$1 status=$v_status seconds=$(($(date +%s) - v_since))"
}
v_fingerprint() {
    worktree=$job/before
    legwork_environment
    printf 'system %s\n' "$(uname -srm)"
    printf 'git %s\n' "$(git --version 2>/dev/null)"
    v_python=$(command -v python3) && printf 'python %s\n' "$("$v_python" --version 2>&1) at $v_python"
    command -v nvidia-smi >/dev/null 2>&1 &&
        printf 'gpu %s\n' "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)"
    printf 'base %s\n' "$base"
    printf 'diff %s\n' "$(sha256sum <"$diff" | cut -c 1-64)"
}
rm -f "$job"/.result.*
v_tidy
if ! add_worktree "$seed" "$job/before" "$base" || ! add_worktree "$seed" "$job/after" "$base"; then
    v_note 'stop worktree'
elif ! quiet_git -C "$job/after" apply --binary --whitespace=nowarn "$diff" 2>"$job/after.log"; then
    v_note 'stop apply'
else
    # A test that the diff brings along cannot fail for being absent: what the check names and only the diff has
    # is put beside the unfixed code too.
    set -f
    for v_word in $check; do
        v_word=${v_word%%::*}
        case $v_word in
        /* | *..* | -*) continue ;;
        esac
        if [ -f "$job/after/$v_word" ] && [ ! -e "$job/before/$v_word" ]; then
            mkdir -p "$job/before/$(dirname "$v_word")" && cp "$job/after/$v_word" "$job/before/$v_word" &&
                v_note "copied $v_word"
        fi
    done
    set +f
    (v_fingerprint) >"$job/fingerprint" 2>/dev/null
    v_check before
    v_check after
fi
v_tidy
mv -f "$job/.result.$$" "$job/result"
