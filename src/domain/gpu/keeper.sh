# The keeper of a lease. Needs: process.sh, locks.sh.
#
# $1 folder, $2 id, $3 pid of the holder or `-`, $4 its start, $5 devices separated by commas, $6 owner. Its time is in the
# file of the lease, where a renewal changes it. It takes every lock or ends at once; it ends with its holder, with its
# time, or when the user who made it asks for that. A lock is a descriptor of this process: whatever kills it frees them.
g=$1 k_id=$2 k_pid=$3 k_start=$4 k_devices=$5 k_owner=$6 k_until=$7
k_lease=$g/leases/$k_id.lease
# take FILE...: opens and locks so many files, seven a process, and then keeps them.
take() {
    for k_number in 3 4 5 6 7 8 9; do
        [ $# -gt 0 ] || { keep; exit; }
        eval "exec $k_number<\"\$1\"" || exit 73
        # Whoever looks at a lock holds it for a moment.
        flock -n "$k_number" || { nap 0.02 && flock -n "$k_number"; } || { nap 0.1 && flock -n "$k_number"; } || exit 75
        shift
    done
    [ $# -gt 0 ] || { keep; exit; }
    # The descriptors of the next process are its own; those of this one stay with this one, which waits.
    (take "$@")
}
keep() {
    here
    put "$k_lease" "devices $k_devices
owner $k_owner
holder $k_pid $k_start
boot $boot
until $k_until" || exit 73
    while :; do
        [ -O "$g/leases/$k_id.end" ] && break
        [ "$k_pid" = - ] || alive "$k_pid" "$k_start" "$boot" || break
        gpu_now
        gpu_lease "$k_lease" || break
        number "$l_until" && [ "$now" -ge "$l_until" ] && break
        nap 0.3
    done
    rm -f "$k_lease" "$g/leases/$k_id.end"
}
gpu_file "$g/leases/$k_id.keeper"
k_files="$g/leases/$k_id.keeper"
k_rest=$k_devices,
while [ -n "$k_rest" ]; do
    gpu_file "$g/${k_rest%%,*}.lock"
    k_files="$k_files $g/${k_rest%%,*}.lock"
    k_rest=${k_rest#*,}
done
# shellcheck disable=SC2086 # neither the folder nor a device holds blanks
take $k_files
