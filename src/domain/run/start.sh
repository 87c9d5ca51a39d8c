# Starts a run, once, and prints its state. Needs: process.sh.
#
# $1 job, $2 run number, $3 file name of the supervisor below bin. Prints the run's state line, or, where none came
# within ten seconds, `legwork-missing job=… dir=yes|no claim=yes|no`.
legwork_start() {
    s_run=$LEGWORK_ROOT/jobs/$1/runs/$2
    s_mode=
    # A run that is claimed is not started again. Its supervisor may be gone, though, and then a new one is
    # called; where it lives, that call does nothing.
    [ -d "$s_run/claim" ] && s_mode=--finalize
    if [ -d "$s_run" ] && ! ended "$s_run"; then
        sh "$LEGWORK_ROOT/bin/$3" --detach $s_mode "$s_run"
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
        printf 'legwork-missing job=%s dir=%s claim=%s\n' "${1##*/}" $s_dir $s_claim
    fi
}
legwork_start "$@"
