"""Calls a legwork primitive, and retries as its envelope says. Only the standard library."""

import json
import os
import subprocess
import sys
import time

TIMEOUT_S = float(os.environ.get("LEGWORK_TIMEOUT_S", 3600))  # what one call may take; more than its `timeout_s`
KILL_AFTER_S = float(os.environ.get("LEGWORK_KILL_AFTER_S", 10))  # what it may take to answer SIGTERM


def once(primitive, fields):
    """Returns the envelope of one call; nothing where it was killed, or its line is cut off."""
    run = subprocess.Popen(["legwork", primitive, "--spec", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line, _ = run.communicate(json.dumps(fields).encode(), TIMEOUT_S)
    except subprocess.TimeoutExpired:
        run.terminate()
        try:
            line, _ = run.communicate(timeout=KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            run.kill()
            line, _ = run.communicate()
    return json.loads(line) if line.endswith(b"\n") else None


def call(primitive, fields, attempts=5):
    """Returns the envelope: `ok` true, or a failure that the same call again does not fix; nothing where there was no answer."""
    for attempt in range(attempts):
        answer = once(primitive, fields)
        if answer and (answer["ok"] or not answer["retry_safe"]) or attempt + 1 == attempts:
            return answer
        time.sleep(answer["retry"].get("after_ms", 0) / 1000 if answer else 0)


if __name__ == "__main__":
    answer = call(sys.argv[1], json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"))
    if answer:
        print(json.dumps(answer))
    sys.exit(0 if answer and answer["ok"] else 1)
