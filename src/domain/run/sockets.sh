# A folder for the sockets of what a run starts. Part of the supervisor.
# Needs: dir, root, token. Defines: own_sockets, remove_sockets.
#
# Servers that serve more than one client (tmux, screen, build daemons, agents for keys) are found by a socket in a place that
# all of a user's programs share. A run that wakes such a server shares it with the person, who loses it at the run's end; a
# run that finds one has it do things outside of the run. So each run has places of its own. The name of a socket may have 107
# bytes at most, hence the short folder, and another one where the root is far down.

# name_sockets: sets sockets to the folder, whether there is one or not.
name_sockets() {
    k_short=${token%"${token#????????????????}"}
    sockets=$root/tmp/run.$k_short
    if [ -z "$root" ] || [ ${#sockets} -gt 70 ]; then sockets=/tmp/legwork.$k_short; fi
}

# own_sockets: makes the folder, and sets sockets to it; to nothing where it cannot be made.
own_sockets() {
    name_sockets
    mkdir -p "${sockets%/*}" 2>/dev/null
    if mkdir -m 700 "$sockets" 2>/dev/null; then
        mkdir -m 700 "$sockets/screen" "$sockets/run" "$sockets/gnupg" "$sockets/zellij" 2>/dev/null
    else
        sockets=
    fi
}

# remove_sockets: removes the folder with what is left in it.
remove_sockets() {
    name_sockets
    [ ! -d "$sockets" ] || [ -h "$sockets" ] || rm -rf "$sockets"
}
