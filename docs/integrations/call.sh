#!/bin/sh
# Calls a legwork primitive, and retries as its envelope says: call.sh PRIMITIVE '{"field": "value"}'
# Keys of an envelope stand in a fixed order, `retry_safe` and `retry` before any text that others wrote.
attempt=0
while :; do
    answer=$(legwork "$1" --json "${2:-"{}"}") && status=0 || status=$?
    attempt=$((attempt + 1))
    head=${answer%%,\"message\":*}
    case $status-$attempt-$head in 0-* | *-5-*) break ;; *'"retry_safe":true'*) ;; *) break ;; esac
    ms=$(printf '%s' "$head" | sed -n 's/.*"after_ms":\([0-9]*\).*/\1/p')
    sleep "$(((${ms:-0} + 999) / 1000))"
done
printf '%s\n' "$answer"
exit "$status"
