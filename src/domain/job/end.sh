# Prints the size of the diff and the log of runs that have ended, the log with its long texts cut: all lines are there,
# and every line is still JSON, so that what counts in it can be counted. Needs: with_plain.sh.
#
# $1 the bytes that may come of one log. Then for each run: its job id, its control folder below the root. Prints a record
# `end job=… diff=… log=…` for each, the log encoded; its last line is `omitted=` and the number of lines left out.

# e_digest LINES BUDGET: a log on stdin, of which LINES are known. Texts are cut to 256 bytes, those of the last 20 lines
# to 4096; beyond the budget only those last lines are printed.
e_digest() {
    LC_ALL=C awk -v last=$(($1 - 20)) -v budget="$2" '
        # Whether a text ends in a backslash that is not itself escaped.
        function escapes(text) {
            return match(text, /\\+$/) && RLENGTH % 2 == 1
        }
        # Cuts a part of a JSON text where no escape is broken.
        function shortened(text, room) {
            text = substr(text, 1, room)
            if (escapes(text)) text = substr(text, 1, length(text) - 1)
            sub(/\\u[0-9a-fA-F]?[0-9a-fA-F]?[0-9a-fA-F]?$/, "", text)
            sub(/\\u[dD][89abAB][0-9a-fA-F][0-9a-fA-F]$/, "", text)
            if (escapes(text)) text = substr(text, 1, length(text) - 1)
            return text
        }
        function show(line, cap,    parts, count, i, inside, room, cut, begin) {
            if (line !~ /^[{]/) {
                if (length(line) > cap) line = substr(line, 1, cap)
                printed += length(line) + 1
                print line
                return
            }
            if (length(line) <= cap) {
                printed += length(line) + 1
                print line
                return
            }
            count = split(line, parts, "\"")
            printf "%s", parts[1]
            printed += length(parts[1]) + 1
            inside = cut = 0
            for (i = 2; i <= count; i++) {
                if (!inside) {
                    inside = 1; cut = 0; room = cap
                    printf "\""
                    printed++
                } else if (!escapes(parts[i - 1])) {
                    inside = 0
                    printf "\""
                    printed++
                } else if (!cut) {
                    room--
                    printf "\""
                    printed++
                }
                if (inside && (cut || length(parts[i]) > room)) {
                    if (!cut) {
                        begin = shortened(parts[i], room > 0 ? room : 0)
                        printf "%s", begin
                        printed += length(begin)
                    }
                    cut = 1
                } else {
                    room -= length(parts[i])
                    printf "%s", parts[i]
                    printed += length(parts[i])
                }
            }
            print ""
        }
        # A line is held back until the next one is known: where the supervisor cut the log, both beside the cut are torn.
        function settle() {
            if (!held) return
            held = 0
            if (number > last) show(text, 4096)
            else if (printed < budget) show(text, 256)
            else omitted++
        }
        torn { torn = 0; omitted++; next }
        /^\[legwork: [0-9]+ bytes cut here\]$/ { held = 0; torn = 1; omitted++; next }
        { settle(); held = 1; text = $0; number = NR }
        END { settle(); print "omitted=" omitted + 0 }
    '
}

# e_ends LOG BUDGET: prints both of its ends, without awk.
e_ends() {
    if [ "$(wc -c <"$1")" -le "$2" ]; then
        cat "$1"
        printf '\nomitted=0\n'
    else
        head -c 16384 "$1" | sed '$d'
        tail -c "$2" "$1" | sed 1d
        printf '\nomitted=1\n'
    fi
}

e_size() { e_diff=$(wc -c </proc/self/fd/3); }

# e_log BUDGET: prints the log that with_plain has opened, encoded.
e_log() {
    # A log of this size would take awk half a minute on a small machine.
    if [ "$(wc -c </proc/self/fd/3)" -lt 33554432 ] && command -v awk >/dev/null 2>&1; then
        e_digest "$(wc -l </proc/self/fd/3)" "$1" </proc/self/fd/3
    else
        e_ends /proc/self/fd/3 "$1"
    fi | base64 | tr -d '\n'
}

e_budget=$1
shift
real_root
while [ $# -ge 2 ]; do
    e_diff=0
    with_plain "$2/changes.diff" e_size
    printf 'end job=%s diff=%s log=@' "$1" "$((e_diff + 0))"
    with_plain "$2/agent.log" e_log "$e_budget"
    printf '\n'
    shift 2
done
