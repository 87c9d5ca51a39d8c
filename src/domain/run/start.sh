# Starts a run, once, and prints its state. Needs: process.sh.
#
# $1 control folder below the root, $2 name of what is run, $3 file name of the supervisor below bin, $4 its digest, $5 names of the
# variables that the run keeps of this environment, or `-` for all. Payload 5 is what only the run may know.
# Prints the run's state line, or, where none came within ten seconds, `legwork-missing job=… dir=yes|no claim=yes|no`.

# forget_others NAMES: unsets every variable but these.
forget_others() {
    # shellcheck disable=SC2013 # a name is one word
    for f_name in $(awk 'BEGIN { for (name in ENVIRON) print name }' </dev/null); do
        case $f_name in
        BASH_FUNC_*%%)
            f_name=${f_name#BASH_FUNC_}
            unset -f "${f_name%%%%}"
            continue
            ;;
        *[!A-Za-z0-9_]*) continue ;;
        esac
        case " $1 LEGWORK_POINT " in
        *" $f_name "*) ;;
        *) unset "$f_name" ;;
        esac
    done
}
# supervise_run [--finalize]: calls a supervisor, and hands it what only the run may know through a pipe.
supervise_run() {
    payload 5 | (
        [ "$s_kept" = - ] || forget_others "$s_kept"
        exec sh "$s_supervisor" --detach "$@" "$s_run" "$s_digest"
    )
}
legwork_start() {
    here
    s_run=$LEGWORK_ROOT/$1 s_supervisor=$LEGWORK_ROOT/bin/$3 s_digest=$4 s_kept=$5
    if [ -d "$s_run" ] && ! ended "$s_run" && deploy "$s_supervisor" "$s_digest"; then
        # A run that is claimed is not started again. Its supervisor may be gone, though, and then a new one is
        # called; where it lives, that call does nothing.
        if [ -d "$s_run/claim" ]; then supervise_run --finalize; else supervise_run; fi
    fi
    s_try=0
    state_line=
    while [ -d "$s_run" ] && [ $s_try -lt 250 ]; do
        ended "$s_run" && break
        case $state_line in
        *' state=running '*) break ;;
        esac
        s_try=$((s_try + 1))
        sleep 0.04 2>/dev/null || { sleep 1 && s_try=$((s_try + 24)); }
    done
    if [ -n "$state_line" ]; then
        printf '%s\n' "$state_line"
    else
        s_dir=no s_claim=no
        [ -d "$s_run" ] && s_dir=yes
        [ -d "$s_run/claim" ] && s_claim=yes
        printf 'legwork-missing job=%s dir=%s claim=%s\n' "$2" $s_dir $s_claim
    fi
}
legwork_start "$@"
