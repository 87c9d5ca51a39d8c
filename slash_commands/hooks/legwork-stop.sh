#!/bin/sh
# Stop hook of Claude Code: while jobs that this conversation launched are active, it does not end without having said
# how they are watched, as `Watching <job_id>: ...`.
#
# Opt-in: does nothing unless LEGWORK_STOP_HOOK=1. Never holds twice in a row, and never because something is amiss here:
# then it lets go. Reads the hook's input as Claude Code 2.1.329 writes it.
[ "${LEGWORK_STOP_HOOK:-}" = 1 ] || exit 0
input=$(cat) || exit 0
printf '%s' "$input" | grep -Eq '"stop_hook_active"[[:space:]]*:[[:space:]]*true' && exit 0
transcript=$(printf '%s' "$input" | sed -n 's/.*"transcript_path"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' | head -n 1)
[ -n "$transcript" ] || exit 0

active=$(legwork list-jobs --active=true --limit 500 2>/dev/null) || exit 0
active=$(printf '%s' "$active" | grep -Eo '"job_id":"[a-z0-9-]+"' | cut -d'"' -f4 | sort -u)
[ -n "$active" ] || exit 0

# Answers of launches, however often the transcript escapes them. Its end may be written only after this hook has begun.
launches=
for _ in 1 2 3 4 5 6; do
    launches=$(grep -E 'primitive[\\]*"[[:space:]]*:[[:space:]]*[\\]*"launch-investigation' "$transcript" 2>/dev/null) && break
    sleep 0.3 2>/dev/null || sleep 1
done
[ -n "$launches" ] || exit 0
# The last word is in the input; older versions have it only in the transcript.
said=$(printf '%s\n' "$input" | grep 'last_assistant_message') ||
    said=$(grep -E '"type"[[:space:]]*:[[:space:]]*"assistant"' "$transcript" | tail -n 1)

left=
for job in $active; do
    printf '%s' "$launches" | grep -Fq "\"job_id\\\":\\\"$job\\\"" || printf '%s' "$launches" | grep -Fq "\"job_id\":\"$job\"" || continue
    printf '%s' "$said" | grep -Eiq "watching[^a-z0-9]*$job([^a-z0-9-]|\$)" && continue
    left="$left $job"
done
[ -n "$left" ] || exit 0
printf '{"decision":"block","reason":"Jobs launched in this conversation are active:%s. Wait for them (legwork wait-job), or end with a line for each: Watching <job_id>: and how it is watched, or that the person looks after it."}\n' "$left"
