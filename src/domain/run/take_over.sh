# Calls supervisors for runs that have none, where poll.sh found no supervisor on the host that it could trust. Needs: process.sh.
#
# $1 file name of the supervisor below bin, $2 its digest, then the control folders of the runs below the root. Payload 1 is the
# supervisor.
legwork_take_over() {
    t_supervisor=$LEGWORK_ROOT/bin/$1 t_digest=$2
    shift 2
    deploy "$t_supervisor" "$t_digest" || return
    for t_run; do
        [ ! -d "$LEGWORK_ROOT/$t_run" ] ||
            sh "$t_supervisor" --detach --finalize "$LEGWORK_ROOT/$t_run" "$t_digest" </dev/null
    done
}
legwork_take_over "$@"
