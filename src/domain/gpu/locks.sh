# Leases of GPUs on this machine. Needs: report.sh, process.sh.
#
# The truth is the kernel's: a GPU is taken while some process holds a lock (flock) on its file, and a process that is
# gone holds nothing. A lease is such a process, the keeper; its file beside the locks says whose it is and how long it
# lasts. All of it lies in one folder of a local file system that every user of the machine can write: on a network file
# system a lock is granted twice, and a folder of one's own would hide the leases of others.

# gpu_folder [look]: sets g to the folder, below g_chosen if that is set, and makes it unless it is only looked at; false
# where there is none that can be used, with the reason in g_why.
gpu_folder() {
    command -v flock >/dev/null 2>&1 || { g_why='there is no flock on the PATH (package util-linux)'; return 1; }
    g_why=
    # shellcheck disable=SC2086 # two words where none was chosen
    for g_above in ${g_chosen:-/run/lock /tmp}; do
        if ! [ -d "$g_above" ] || ! [ -w "$g_above" ]; then
            g_why="$g_above is no folder that can be written"
            continue
        fi
        case $(stat -f -c %T "$g_above" 2>/dev/null) in
        nfs* | smb* | cifs* | fuse* | 9p | v9fs | afs | ceph* | lustre* | gpfs* | *0x65735546* | '')
            g_why="$g_above is on a network file system, or its kind is not known"
            continue
            ;;
        esac
        g=$g_above/legwork-gpus
        # Whoever comes first makes it for all.
        [ "${1:-}" = look ] && [ ! -e "$g" ] && return 0
        if [ ! -d "$g/leases" ] && [ ! -h "$g" ]; then
            # Two may come first at once: each makes what the other has not.
            (umask 0; mkdir -m 1777 "$g"; mkdir -m 1777 "$g/leases") 2>/dev/null
        fi
        if [ -d "$g/leases" ] && [ ! -h "$g" ] && [ ! -h "$g/leases" ] && [ -w "$g/leases" ]; then
            return 0
        fi
        g_why="$g is there and cannot be written"
        return 1
    done
    return 1
}

# gpu_file FILE: makes a file that every user can open, and nobody needs to write.
gpu_file() { [ -e "$1" ] || (umask 0 && : >"$1") 2>/dev/null || [ -e "$1" ]; }

# gpu_free FILE: whether nobody holds the lock of that file. Looking takes the lock for a moment.
gpu_free() { (exec 9<"$1" && flock -n 9) 2>/dev/null; }

# gpu_surely_free FILE: the same, where somebody else may be looking at that very moment.
gpu_surely_free() { gpu_free "$1" || { nap 0.02 && gpu_free "$1"; } || { nap 0.05 && gpu_free "$1"; }; }

# gpu_lease FILE: sets the fields of a lease, false where there are none: l_devices, l_owner, l_pid, l_start, l_boot, l_until.
gpu_lease() {
    l_devices='' l_owner='' l_pid='' l_start='' l_boot='' l_until=''
    while read -r l_key l_value; do
        case $l_key in
        devices) l_devices=$l_value ;;
        owner) l_owner=$l_value ;;
        holder) l_pid=${l_value%% *} l_start=${l_value#* } ;;
        boot) l_boot=$l_value ;;
        until) l_until=$l_value ;;
        esac
    done 2>/dev/null <"$1"
    [ -n "$l_devices" ]
}

# gpu_now: sets now, seconds since the start of this machine: a clock that nobody sets.
gpu_now() { read -r now g_rest </proc/uptime && now=${now%%.*}; }

# gpu_report: reports the folder, the locks that are held, the leases and the pool.
gpu_report() {
    if ! gpu_folder look; then
        say locks_unusable "$g_why"
        return 0
    fi
    say locks "$g"
    [ -d "$g/leases" ] || return 0
    gpu_now
    # Looking takes each lock for a moment, which whoever is choosing must not meet.
    if [ -e "$g/choice" ]; then
        exec 8<"$g/choice"
        flock -s -w 5 8 2>/dev/null
    fi
    for g_file in "$g"/*.lock; do
        [ -e "$g_file" ] || continue
        gpu_free "$g_file" || { g_name=${g_file##*/} && say busy "${g_name%.lock}"; }
    done
    for g_file in "$g"/leases/*.lease; do
        if [ ! -f "$g_file" ] || [ -h "$g_file" ]; then continue; fi
        g_name=${g_file##*/} g_name=${g_name%.lease}
        # A lease whose keeper is gone is none.
        if [ ! -e "$g/leases/$g_name.keeper" ] || gpu_free "$g/leases/$g_name.keeper"; then continue; fi
        gpu_lease "$g_file" || continue
        number "$l_until" && l_left=$((l_until - now)) || l_left=-
        say lease "$g_name $l_devices ${l_pid:--} $l_left $l_owner"
    done
    exec 8<&-
    if [ -f "$g/pool" ] && [ ! -h "$g/pool" ]; then
        while read -r g_key g_value; do
            case $g_key in
            devices | most | min_free_bytes) say "pool_$g_key" "$g_value" ;;
            esac
        done <"$g/pool"
    fi
}
