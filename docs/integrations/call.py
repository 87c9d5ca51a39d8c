"""Calls a legwork primitive, and retries as its envelope says. Only the standard library."""

import json
import subprocess
import sys
import time


def call(primitive, attempts=5, **fields):
    """Returns the envelope: `ok` true, or a failure that is not to be retried by the very same call."""
    for _ in range(attempts):
        run = subprocess.run(["legwork", primitive, "--spec", "-"], input=json.dumps(fields), stdout=subprocess.PIPE, text=True)
        answer = json.loads(run.stdout)
        if answer["ok"] or not answer["retry_safe"]:
            break
        time.sleep(answer["retry"].get("after_ms", 0) / 1000)
    return answer


if __name__ == "__main__":
    answer = call(sys.argv[1], **json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"))
    print(json.dumps(answer))
    sys.exit(0 if answer["ok"] else 1)
