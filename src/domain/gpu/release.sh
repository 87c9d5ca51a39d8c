# Ends a lease. Needs: report.sh, process.sh, locks.sh. $1 id of the lease.
# Reports `released devices`, `absent`, `locks_unusable reason`, `not_yours`, or `kept` where the keeper does not end.
gpu_release() {
    if ! gpu_folder; then
        say locks_unusable "$g_why"
        return 0
    fi
    r_lease=$g/leases/$1.lease
    if [ ! -e "$g/leases/$1.keeper" ] || gpu_surely_free "$g/leases/$1.keeper"; then
        say absent "$1"
        return 0
    fi
    gpu_lease "$r_lease"
    if [ -e "$r_lease" ] && [ ! -O "$r_lease" ]; then
        say not_yours "$1"
        return 0
    fi
    gpu_file "$g/leases/$1.end"
    r_left=60
    until gpu_free "$g/leases/$1.keeper"; do
        [ $r_left -gt 0 ] || { say kept "$1" && return 0; }
        nap 0.1
        r_left=$((r_left - 1))
    done
    say released "$l_devices"
}
gpu_release "$1"
