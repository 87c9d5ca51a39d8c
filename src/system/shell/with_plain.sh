# Reads files without following a link, in any part of their path. POSIX sh on Linux.
# Defines: real_root with_plain.
#
# Whoever may write in a folder can put a link in the place of a file or of a folder between two looks at it. What is
# read here is therefore looked at once it is open, by the name that the kernel has for it.

# real_root: sets real_root to the root without the links that lead to it; false where there is no root.
real_root() { real_root=$(cd "$LEGWORK_ROOT" 2>/dev/null && pwd -P) && [ -n "$real_root" ]; }

# with_plain FILE COMMAND...: runs a function with a regular file open as descriptor 3; false where there is no such file, or where
# a part of its path below the root is a link. FILE is below the root. `</proc/self/fd/3` reads it from its beginning again.
with_plain() {
    w_file=$real_root/$1
    shift
    # shellcheck disable=SC2094 # it is only read
    [ -f "$w_file" ] && [ ! -h "$w_file" ] && {
        [ -f /proc/self/fd/3 ] && [ "$(readlink /proc/self/fd/3)" = "$w_file" ] && "$@" 2>&4 4>&-
    } 3<"$w_file"
} 4>&2 2>/dev/null
