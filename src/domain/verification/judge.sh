# Judges a diff: runs checks in clean trees of a repository, and writes down what came of each run.
#
# Runs as the program of a run. Needs: process.sh, plain_git.sh, trees.sh, and what the program puts in front of it:
#   job             the folder of the verification, in which nobody but this run works
#   root            legwork's folder
#   base            the commit that the diff was made on
#   v_inputs        the inputs in $job/in, by number, with their SHA-256, a line each: 1 is the diff, 2 the names of its tests
#   v_limit         seconds that a run of a check may take
#   v_reds v_greens runs to make of the first check without the fix and with it; v_least of each where both are 0, and up to
#                   v_most as long as all together took less than v_budget hundredths of a second
#   v_tests         yes where the diff has tests: else there are two trees, not four
#   v_base_run      yes to run the first check at the base too
#   v_regressions   the numbers of the other checks
#   v_hunks         the numbers of the inputs that hold one hunk of the diff each
#   v_check_N       the command of check N
#   v_compared      shows the files that are compared there, each by v_show
#   v_held_out      puts held-out files below $v_at
#   v_inline        gives the files of v_mix that hold code and tests their tests, each by v_mix_inline
#   v_repro         the input that the first check runs, and the name of its file; empty for none
#   legwork_environment  sets the variables of the workspace for $worktree and $environment_folder
#   v_attach        gives the reporter of a test runner the key that it is given, and v_events prints what it reported in a folder
#
# v_key seals the result; it comes through a pipe, lies in no file and in no environment. What is judged may do as it likes in
# its own folders; what it has done is collected at the end of each run, into a file without a name that only this shell has open.

v_say() { printf '%s\n' "$1" >&6; }
v_text() { printf '@%s' "$(base64 | tr -d '\n')"; }
v_stop() {
    v_say "stop reason=$1 text=$(printf '%s' "$2" | tail -c 4000 | v_text)"
    return 1
}
v_uptime() {
    read -r v_up _ </proc/uptime
    v_up=$((${v_up%.*} * 100 + 1${v_up#*.} - 100))
}

# v_take_inputs: compares the inputs with what was sent.
v_take_inputs() {
    while read -r v_number v_digest; do
        [ -n "$v_number" ] || continue
        case $(sha256sum 2>/dev/null <"$job/in/$v_number") in
        "$v_digest "*) ;;
        *)
            v_stop inputs_changed "$v_number"
            return
            ;;
        esac
    done <<END
$v_inputs
END
}

# ---- trees ---------------------------------------------------------------------------------------------------

# v_make_ids: makes the trees in a repository of our own, and notes their ids.
v_make_ids() {
    if ! v_printed=$(make_side_repository "$base" 2>&1); then
        v_stop tree_failed "$v_printed"
        return
    fi
    if ! v_id_base=$(side_git rev-parse --verify --quiet "$base^{tree}" 2>/dev/null); then
        v_stop base_missing "$base"
        return
    fi
    if ! v_printed=$({ side_git read-tree "$base" && side_git apply --cached --binary --whitespace=nowarn "$job/in/1"; } 2>&1); then
        v_stop diff_does_not_apply "$v_printed"
        return
    fi
    v_id_b=$(side_git write-tree)
    v_id_a=$v_id_base v_id_c=$v_id_b
    if [ "$v_tests" = yes ]; then
        v_id_a=$(v_mix "$v_id_base" "$v_id_b" 2>/dev/null)
        v_id_c=$(v_mix "$v_id_b" "$v_id_base" 2>/dev/null)
    fi
    if [ -z "$v_id_a" ] || [ -z "$v_id_b" ] || [ -z "$v_id_c" ]; then
        v_stop tree_failed 'git could not write the trees'
        return
    fi
    v_say "tree name=base id=$v_id_base"
    v_say "tree name=base_with_tests id=$v_id_a"
    v_say "tree name=whole id=$v_id_b"
    v_say "tree name=without_tests id=$v_id_c"
}

# v_show PATH: notes what the diff makes of a file.
v_show() { v_say "file path=$(printf %s "$1" | v_text) before=$(v_blob "$v_id_base:$1") after=$(v_blob "$v_id_b:$1")"; }

# v_blob OBJECT: prints a file of a tree, `-` where there is none.
v_blob() {
    if side_git cat-file -e "$1" 2>/dev/null; then side_git cat-file blob "$1" 2>/dev/null | head -c 1048577 | v_text; else printf -; fi
}

# v_mix TREE OTHER: prints the tree in which the tests of the diff are as OTHER has them.
v_mix() {
    v_code=$1 v_other=$2
    side_git read-tree "$1" && {
        [ ! -s "$job/in/2" ] ||
            side_git --literal-pathspecs restore --staged --source="$2" --pathspec-from-file="$job/in/2" --pathspec-file-nul
    } && v_inline && side_git write-tree
}

# v_mix_inline PATH: gives a file of Rust in the index the code that v_code has and the tests at its end that v_other has; leaves
# it as it is where its tests do not stand at the end.
v_mix_inline() {
    v_mode=$(side_git ls-tree --full-tree "$v_code" -- "$1") && v_mode=${v_mode%% *}
    case $v_mode in 100644 | 100755) ;; *) return 0 ;; esac
    side_git cat-file blob "$v_code:$1" >"$job/in/code" && side_git cat-file blob "$v_other:$1" >"$job/in/tests" || return
    v_from=$(v_tests_from <"$job/in/code") && v_to=$(v_tests_from <"$job/in/tests") || return 0
    v_blob_id=$({
        head -n $((v_from - 1)) "$job/in/code"
        tail -n "+$v_to" "$job/in/tests"
    } | side_git hash-object -w --stdin) && side_git update-index --cacheinfo "$v_mode,$v_blob_id,$1"
}

# v_tests_from: prints the number of the line at which the modules of tests begin that end a file of Rust, one more than it has lines
# where it has none; false where tests stand elsewhere too.
v_tests_from() {
    awk '
        state == 2 { if (/^}/) state = 3; next }
        /^#\[cfg\(test\)\]/ { if (!from) from = NR; state = 1; next }
        state == 1 && (/^#\[/ || /^\/\//) { next }
        state == 1 { if (/^(pub(\([a-z]+\))? )?mod [A-Za-z_0-9]+ *\{ *$/) state = 2; else odd = 1; next }
        /[^ \t]/ && !/^\/\// { if (state == 3) odd = 1 }
        /#\[cfg\(test\)\]/ { odd = 1 }
        END {
            if (odd || state == 1 || state == 2) exit 1
            print from ? from : NR + 1
        }'
}

# v_name_tree NAME: sets v_tree to the folder of that tree, v_named to its name, and v_id to its id. What is the same tree has one folder.
v_name_tree() {
    case $1 in
    base) v_named=base v_id=$v_id_base v_tree=base ;;
    a) v_named=base_with_tests v_id=$v_id_a v_tree=a ;;
    b) v_named=whole v_id=$v_id_b v_tree=b ;;
    c) v_named=without_tests v_id=$v_id_c v_tree=c ;;
    h) v_named=hunk v_id=$v_id_h v_tree=b ;;
    esac
    [ "$v_tests" = yes ] && return
    case $1 in
    base) v_tree=a ;;
    c) v_tree=b ;;
    esac
}

# v_make_tree: makes the tree of v_name_tree with its environment, unless it is there.
v_make_tree() {
    [ ! -d "$job/trees/$v_tree.ready" ] || return 0
    mkdir -p "$job/trees" "$job/env"
    if ! v_printed=$(make_tree "$job/trees/$v_tree" "$base" "$v_id" 2>&1); then
        v_stop tree_failed "$v_printed"
        return
    fi
    v_at=$job/trees/$v_tree
    if ! v_printed=$(v_held_out 2>&1); then
        v_stop held_out_failed "$v_printed"
        return
    fi
    if ! v_printed=$(prepare_side "$job/trees/$v_tree" "$job/env/$v_tree" 2>&1); then
        v_reason=environment_failed
        case $v_printed in *prepare-failed*) v_reason=prepare_failed ;; esac
        v_stop $v_reason "$(printf '%s\n' "$v_printed" | sed -n 's/.* text=@//p' | base64 -d)"
        return
    fi
    mkdir "$job/trees/$v_tree.ready"
}

# v_put NUMBER PATH: puts a held-out file in its place below $v_at, whatever the diff has there.
v_put() {
    v_rest=$2 v_way=$v_at
    while :; do
        case $v_rest in
        */*)
            v_way=$v_way/${v_rest%%/*}
            v_rest=${v_rest#*/}
            # A link would lead out of the tree.
            if [ -L "$v_way" ] || { [ -e "$v_way" ] && [ ! -d "$v_way" ]; }; then rm -f "$v_way" || return; fi
            mkdir -p "$v_way" || return
            ;;
        *) break ;;
        esac
    done
    rm -rf "$v_way/${v_rest:?}" && cp "$job/in/$1" "$v_way/$v_rest"
}

# ---- runs ----------------------------------------------------------------------------------------------------

# v_find_container: sets v_contain to what makes all that a command starts end with it, or to nothing.
v_find_container() {
    for v_contain in 'unshare --pid --fork --mount-proc --kill-child' \
        'unshare --user --map-current-user --pid --fork --mount-proc --kill-child'; do
        # shellcheck disable=SC2016,SC2086 # the inner shell expands it, and these are several words on purpose
        [ "$($v_contain sh -c 'echo $$' 2>/dev/null)" != 1 ] || return 0
    done
    v_contain=
}

# v_clean_environment: forgets what is nobody's but the caller's, and keeps what a toolchain is found by.
v_clean_environment() {
    # shellcheck disable=SC2046 # a name each
    for v_variable in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
        case $v_variable in
        PATH | LANG | LANGUAGE | LC_* | TZ | USER | LOGNAME | SHELL | LEGWORK_RUN) ;;
        http_proxy | https_proxy | no_proxy | ftp_proxy | all_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY | ALL_PROXY) ;;
        SSL_CERT_FILE | SSL_CERT_DIR | LD_LIBRARY_PATH | JAVA_HOME | GOROOT | CUDA_* | MODULEPATH | MODULESHOME | LMOD_*) ;;
        RUSTUP_HOME | RUSTUP_TOOLCHAIN | CARGO_HOME | NVM_DIR | VOLTA_HOME | PYENV_ROOT | RBENV_ROOT | ASDF_DATA_DIR | GOMODCACHE) ;;
        *) unset "$v_variable" ;;
        esac
    done
    # An empty home hides toolchains that are found below the home of their user. Their caches are checked by digest.
    for v_place in RUSTUP_HOME=.rustup CARGO_HOME=.cargo NVM_DIR=.nvm VOLTA_HOME=.volta PYENV_ROOT=.pyenv RBENV_ROOT=.rbenv \
        ASDF_DATA_DIR=.asdf GOMODCACHE=go/pkg/mod; do
        eval "v_set=\${${v_place%%=*}-}"
        if [ -z "$v_set" ] && [ -d "${v_home:-/nowhere}/${v_place#*=}" ]; then
            eval "${v_place%%=*}=\$v_home/\${v_place#*=}; export ${v_place%%=*}"
        fi
    done
}

# v_run CHECK TREE: runs a check in a tree, with a home of its own, and notes what came of it; sets v_status, and v_spent.
v_run() {
    v_name_tree "$2"
    v_make_tree || return
    v_count=$((v_count + 1))
    v_own=$job/own/$v_count
    mkdir -p "$v_own/home" "$v_own/tmp" "$v_own/cache" "$v_own/run" "$v_own/reports" || {
        v_stop folder_unwritable "$v_own"
        return
    }
    chmod 700 "$v_own/run"
    eval "v_command=\$v_check_$1"
    # shellcheck disable=SC2154 # eval sets it
    v_key_now=$(printf '%s %s' "$v_key" "$v_count" | sha256sum | cut -c 1-64)
    v_uptime
    v_since=$v_up
    (
        exec 6>&- 7<&-
        v_home=${HOME-}
        v_clean_environment
        worktree=$job/trees/$v_tree environment_folder=$(side_environment "$v_tree")
        cd "$worktree" || exit 125
        legwork_environment
        HOME=$v_own/home TMPDIR=$v_own/tmp XDG_CACHE_HOME=$v_own/cache XDG_RUNTIME_DIR=$v_own/run TMUX_TMPDIR=$v_own/run
        XDG_CONFIG_HOME=$v_own/home/.config XDG_DATA_HOME=$v_own/home/.local/share XDG_STATE_HOME=$v_own/home/.local/state
        LEGWORK_WORKTREE=$worktree LEGWORK_REPORTS=$v_own/reports
        export HOME TMPDIR XDG_CACHE_HOME XDG_RUNTIME_DIR TMUX_TMPDIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME
        export LEGWORK_WORKTREE LEGWORK_REPORTS
        TERM=dumb PYTHONDONTWRITEBYTECODE=1
        export TERM PYTHONDONTWRITEBYTECODE
        v_attach "$v_key_now"
        if [ -n "$v_repro" ]; then
            LEGWORK_CHECK=$v_own/check
            export LEGWORK_CHECK
            mkdir "$LEGWORK_CHECK" && cp "$job/in/${v_repro%% *}" "$LEGWORK_CHECK/${v_repro#* }" || exit 125
        fi
        unset v_key v_key_now
        # The first process of a namespace takes no signal that it does not catch, so the time is kept below it.
        # shellcheck disable=SC2016,SC2086 # the inner shell expands it, and these are several words on purpose
        exec $v_contain sh -c '"$@"; exit $?' sh $v_timeout /bin/sh -c "$v_command"
    ) </dev/null >"$v_own/out" 2>&1
    v_status=$?
    v_uptime
    v_spent=$((v_up - v_since))
    v_end_all
    v_bytes=$(wc -c <"$v_own/out" | tr -d ' ')
    v_digest=$(sha256sum <"$v_own/out" | cut -c 1-64)
    v_say "run check=$1 tree=$v_named at=$(printf %s "$job/trees/$v_tree" | v_text) status=$v_status ms=$((v_spent * 10)) sha256=$v_digest out=$(v_bounded "$v_own/out") events=$(v_events "$v_own")"
    for v_report in "$v_own"/reports/*; do
        if [ ! -f "$v_report" ] || [ -L "$v_report" ]; then continue; fi
        v_say "report name=$(printf %s "${v_report##*/}" | v_text) text=$(head -c 1048576 "$v_report" | v_text)"
    done
    rm -rf "$v_own" 2>/dev/null || { chmod -R u+rwx "$v_own" && rm -rf "$v_own"; } 2>/dev/null
    return 0
}

# v_bounded FILE: prints the beginning and the end of a file.
v_bounded() {
    if [ "$v_bytes" -le 524288 ]; then
        v_text <"$1"
    else
        {
            head -c 131072 "$1"
            printf '\n[legwork: %s bytes cut here]\n' $((v_bytes - 524288))
            tail -c 393216 "$1"
        } | v_text
    fi
}

# v_end_all: ends what a run left behind, where nothing else did.
v_end_all() {
    [ -z "$v_contain" ] || return 0
    v_round=0
    while [ $v_round -lt 20 ]; do
        v_round=$((v_round + 1))
        v_left=$(grep -lsF "TMPDIR=$v_own/tmp" /proc/[0-9]*/environ 2>/dev/null)
        [ -n "$v_left" ] || return 0
        for v_path in $v_left; do
            v_path=${v_path#/proc/}
            kill -9 "${v_path%/environ}" 2>/dev/null
        done
        nap 0.05
    done
}

# v_prove: runs the first check without the fix and with it, by turns, until that is enough or disagrees.
v_prove() {
    v_turn=0 v_red=0 v_green=0 v_all=0
    if [ "$v_reds" = 0 ] && [ "$v_greens" = 0 ]; then
        v_adaptive=yes v_reds=$v_most v_greens=$v_most
    else
        v_adaptive=no
    fi
    while [ $v_red -lt "$v_reds" ] || [ $v_green -lt "$v_greens" ]; do
        # A, B, B, A: what merely alternates with every run is found out.
        v_turn=$((v_turn + 1))
        if [ $((v_turn % 2)) = 1 ]; then set -- a b; else set -- b a; fi
        for v_side in "$@"; do
            case $v_side in
            a) [ $v_red -lt "$v_reds" ] || continue ;;
            b) [ $v_green -lt "$v_greens" ] || continue ;;
            esac
            v_run 0 "$v_side" || return
            v_all=$((v_all + v_spent))
            case $v_side in
            a)
                v_red=$((v_red + 1))
                [ "$v_status" != 0 ] || return 1
                ;;
            b)
                v_green=$((v_green + 1))
                [ "$v_status" = 0 ] || return 1
                ;;
            esac
        done
        if [ $v_adaptive = yes ] && [ $v_red -ge "$v_least" ] && [ $v_all -ge "$v_budget" ]; then break; fi
    done
}

# v_compare: runs what passed before again, at the base and with the diff's code.
v_compare() {
    if [ "$v_base_run" = yes ]; then v_run 0 base || return; fi
    for v_other in $v_regressions; do
        v_run "$v_other" base || return
        v_run "$v_other" c || return
        # With the diff's own tests too: a test that fails only in the form it had before was changed by the diff.
        [ "$v_status" = 0 ] || v_run "$v_other" b || return
    done
}

# v_take_apart: runs the first check without each hunk in turn.
v_take_apart() {
    for v_hunk in $v_hunks; do
        if ! { side_git read-tree "$v_id_b" && side_git apply --cached --binary --whitespace=nowarn -R "$job/in/$v_hunk"; } 2>/dev/null ||
            ! v_id_h=$(side_git write-tree 2>/dev/null); then
            v_say "hunk input=$v_hunk"
            continue
        fi
        v_say "hunk input=$v_hunk"
        rmdir "$job/trees/b.ready"
        v_run 0 h || return
    done
}

v_fingerprint() {
    printf 'system %s\n' "$(uname -srm)"
    printf 'git %s\n' "$(git --version 2>/dev/null)"
    worktree=$job/trees/a environment_folder=$(side_environment a)
    legwork_environment
    v_python=$(command -v python3) && printf 'python %s at %s\n' "$("$v_python" -I --version 2>&1)" "$v_python"
    v_node=$(command -v node) && printf 'node %s\n' "$("$v_node" --version 2>&1)"
    command -v nvidia-smi >/dev/null 2>&1 &&
        printf 'gpu %s\n' "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)"
    printf 'contained %s\n' "$([ -n "$v_contain" ] && echo pid_namespace || echo best_effort)"
}

v_judge() {
    v_take_inputs && v_make_ids && v_compared || return
    v_name_tree a
    v_make_tree || return
    v_name_tree b
    v_make_tree || return
    v_say "fingerprint text=$( (v_fingerprint) 2>/dev/null | v_text)"
    v_prove && v_compare && v_take_apart
}

# v_seal: writes the result with what proves that this run wrote it.
v_seal() {
    {
        cat <&7
        printf 'done\n'
    } >"$job/.result"
    printf 'seal mac=%s\n' "$({
        printf '%s\n' "$v_key"
        cat "$job/.result"
        printf '%s\n' "$v_key"
    } | sha256sum | cut -c 1-64)" >>"$job/.result"
    mv -f "$job/.result" "$job/result"
}

exec </dev/null
: >"$job/.records"
exec 6>>"$job/.records"
exec 7<"$job/.records"
rm -f "$job/.records"
v_count=0
v_timeout=
if timeout -k 5 1 true 2>/dev/null; then v_timeout="timeout -k 5 $v_limit"; elif timeout 1 true 2>/dev/null; then v_timeout="timeout $v_limit"; fi
v_find_container
v_judge
remove_sides
v_seal
