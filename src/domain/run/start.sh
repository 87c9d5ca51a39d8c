# Starts a run, once, and says what became of it.
#
# $1 job folder, $2 run number, $3 path of the supervisor. Prints the run's state line, or, where none came
# within ten seconds, `legwork-missing job=… dir=yes|no claim=yes|no`.
legwork_start() {
    s_run=$1/runs/$2
    s_mode=
    # A run that is claimed is not started again. Its supervisor may be gone, though, and then a new one is
    # called; where it lives, that call does nothing.
    [ -d "$s_run/claim" ] && s_mode=--finalize
    if [ -d "$s_run" ] && ! legwork_ended; then
        sh "$3" --detach $s_mode "$s_run"
    fi
    s_try=0
    s_line=
    while [ -d "$s_run" ] && [ $s_try -lt 250 ]; do
        legwork_ended && break
        case $s_line in
        *' state=running '*) break ;;
        esac
        s_try=$((s_try + 1))
        sleep 0.04 2>/dev/null || { sleep 1 && s_try=$((s_try + 24)); }
    done
    if [ -n "$s_line" ]; then
        printf '%s\n' "$s_line"
    else
        s_dir=no s_claim=no
        [ -d "$s_run" ] && s_dir=yes
        [ -d "$s_run/claim" ] && s_claim=yes
        printf 'legwork-missing job=%s dir=%s claim=%s\n' "${1##*/}" $s_dir $s_claim
    fi
}
legwork_ended() {
    s_line=
    [ -f "$s_run/state" ] && read -r s_line <"$s_run/state"
    case $s_line in
    *' state=succeeded '* | *' state=failed '* | *' state=cancelled '* | *' state=timed_out '* | *' state=lost '*) ;;
    *) return 1 ;;
    esac
}
legwork_start "$@"
