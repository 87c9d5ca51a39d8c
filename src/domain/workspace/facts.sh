# What there is of a workspace. Needs: $folder, $seed, $environment (relative, or -).
# Defines: marker, encoded, in_force.

# encoded: what it reads, as the value of a record.
encoded() {
    printf '@'
    base64 | tr -d '\n'
}

# marker STEP LINE: a line of what a step left when it was done: digest, seconds, time, commit, evidence.
marker() {
    sed -n "$2p" "$folder/steps/$1" 2>/dev/null
}

# in_force STEP: whether what a step made is still there.
in_force() {
    case $1 in
    clone) [ -d "$seed/.git" ] ;;
    resolve) quiet_git -C "$seed" cat-file -e "$(marker resolve 4)^{commit}" 2>/dev/null ;;
    environment) [ -f "$LEGWORK_ROOT/$environment/.legwork-complete" ] && [ -x "$LEGWORK_ROOT/$environment/bin/python" ] ;;
    *) true ;;
    esac
}
