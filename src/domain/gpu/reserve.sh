# Reserves GPUs, all or none. Needs: report.sh, process.sh, locks.sh; payload 1 is the keeper with what it needs.
#
# $1 id of the lease, $2 how many, $3 seconds, $4 pid of the holder or `-`, $5 owner, then the devices that may be taken, the best first.
# Reports `reserved devices`, `renewed devices` where the lease is there already, with `left seconds`; or `short n` where only so many are free,
# `holder_gone`, `locks_unusable reason`, or `keeper_failed`.
gpu_reserve() {
    r_id=$1 r_count=$2 r_seconds=$3 r_pid=$4 r_owner=$5
    shift 5
    if ! gpu_folder; then
        say locks_unusable "$g_why"
        return 0
    fi
    here
    r_start=-
    if [ "$r_pid" != - ]; then
        if ! identify "$r_pid"; then
            say holder_gone "$r_pid"
            return 0
        fi
        r_start=$p_start
    fi
    gpu_file "$g/choice"
    # One choice at a time; the locks of the devices would do without, but two that choose at once could both come short.
    exec 9<"$g/choice"
    if ! flock -w 20 9; then
        say locks_unusable 'somebody keeps choosing for longer than 20 s'
        return 0
    fi
    # What ended leases left is taken away here, where nobody else can be taking their locks.
    for r_file in "$g"/leases/*.keeper; do
        if [ ! -e "$r_file" ] || ! gpu_free "$r_file"; then continue; fi
        rm -f "$r_file" "${r_file%.keeper}.lease" "${r_file%.keeper}.end" 2>/dev/null
    done
    gpu_now
    r_until=$((now + r_seconds))
    r_lease=$g/leases/$r_id.lease
    gpu_file "$g/leases/$r_id.keeper"
    if ! gpu_surely_free "$g/leases/$r_id.keeper"; then
        r_left=50
        while ! gpu_lease "$r_lease" && [ $r_left -gt 0 ]; do
            nap 0.1
            r_left=$((r_left - 1))
        done
        if gpu_lease "$r_lease" && [ -O "$r_lease" ]; then
            # What has just begun need not be written again.
            [ $((r_until - l_until)) -le $((r_seconds / 10)) ] && r_until=$l_until
            [ "$r_until" = "$l_until" ] || put "$r_lease" "devices $l_devices
owner $l_owner
holder $l_pid $l_start
boot $l_boot
until $r_until"
            say renewed "$l_devices"
            say left $((r_until - now))
        else
            say keeper_failed 'the lease belongs to another user'
        fi
        return 0
    fi
    r_chosen='' r_found=0
    for r_device in "$@"; do
        [ $r_found -lt "$r_count" ] || break
        if ! gpu_file "$g/$r_device.lock" || ! gpu_surely_free "$g/$r_device.lock"; then continue; fi
        r_chosen=$r_chosen,$r_device
        r_found=$((r_found + 1))
    done
    if [ $r_found -lt "$r_count" ]; then
        say short "$r_found"
        return 0
    fi
    r_chosen=${r_chosen#,}
    r_program=$(payload 1) || return 1
    # It must outlive the connection, and hold nothing of it.
    setsid -f sh -c "$r_program" legwork-gpu-keeper "$g" "$r_id" "$r_pid" "$r_start" "$r_chosen" "$r_owner" "$r_until" </dev/null >/dev/null 2>&1 9<&-
    r_left=100
    while ! gpu_lease "$r_lease" && [ $r_left -gt 0 ]; do
        nap 0.05
        r_left=$((r_left - 1))
    done
    if gpu_lease "$r_lease" && ! gpu_free "$g/leases/$r_id.keeper"; then
        say reserved "$l_devices"
        say left "$r_seconds"
    else
        # One that is only late must not hold them either.
        gpu_file "$g/leases/$r_id.end"
        say keeper_failed 'it did not take its locks'
    fi
}
gpu_reserve "$@"
