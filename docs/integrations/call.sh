#!/bin/sh
# Calls a legwork primitive, and retries as its envelope says: call.sh PRIMITIVE '{"field": "value"}'
# Keys of an envelope stand in a fixed order, `ok` first, `retry_safe` and `retry` before any text that others wrote.
attempt=0 status=1 newline='
'
while [ "$attempt" -lt 5 ]; do
    attempt=$((attempt + 1))
    # A call has a time, and a little more to answer SIGTERM; a line without its end was cut off.
    answer=$(printf '%s' "${2:-"{}"}" |
        timeout -k "${LEGWORK_KILL_AFTER_S:-10}" "${LEGWORK_TIMEOUT_S:-3600}" legwork "$1" --spec -; echo .)
    case $answer in *"$newline.") answer=${answer%??} ;; *) answer= && continue ;; esac
    case $answer in '{"ok":true,'*) status=0 && break ;; esac
    head=${answer%%,\"message\":*}
    case $attempt-$head in 5-*) ;; *'"retry_safe":true'*)
        ms=$(printf '%s' "$head" | sed -n 's/.*"after_ms":\([0-9]*\).*/\1/p')
        sleep "$(((${ms:-0} + 999) / 1000))" && continue ;; esac
    break
done
[ -z "$answer" ] || printf '%s\n' "$answer"
exit "$status"
