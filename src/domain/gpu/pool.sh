# Sets which GPUs may be handed out here. Needs: report.sh, process.sh, locks.sh.
# $1 devices separated by commas, `-` for all; $2 the most of one lease, 0 for no bound; $3 bytes that must be free. Reports `pool set|kept`, `not_yours`, `locks_unusable reason`.
gpu_pool() {
    if ! gpu_folder; then
        say locks_unusable "$g_why"
        return 0
    fi
    r_wanted="devices $1
most $2
min_free_bytes $3"
    if [ -f "$g/pool" ] && [ "$(cat "$g/pool")" = "$r_wanted" ]; then
        say pool kept
    elif [ -e "$g/pool" ] && [ ! -O "$g/pool" ]; then
        say not_yours pool
    elif put "$g/pool" "$r_wanted"; then
        say pool set
    else
        say locks_unusable "$g/pool cannot be written"
    fi
}
gpu_pool "$@"
