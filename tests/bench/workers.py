"""Measures how fast a worker empties a queue of commands that do nothing. Standard library only.

    python3 tests/bench/workers.py LEGWORK [TASKS] [CONCURRENCY]

Beside it, where it is installed (or PARALLEL names its script), GNU parallel runs the same commands, in turns, so that both meet
the same machine. Also measures how long an idle worker takes to begin a task that is enqueued. Exits with 1 where not
every task succeeded at its first attempt.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import world

LEGWORK = os.path.abspath(sys.argv[1])
TASKS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
CONCURRENCY = sys.argv[3] if len(sys.argv) > 3 else "8"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
PARALLEL = os.environ.get("PARALLEL") or shutil.which("parallel")


def enqueue(env, stamp):
    """Enqueues the tasks, a thousand a call."""
    for first in range(0, TASKS, 1000):
        tasks = [{"command": ["true"], "title": f"{stamp}.{n}"} for n in range(first, min(first + 1000, TASKS))]
        world.call(LEGWORK, env, "enqueue-tasks", {"tasks": tasks})


def drain(env):
    """Lets a worker do all of it; returns seconds and its counts."""
    since = time.perf_counter()
    output = subprocess.run(
        [LEGWORK, "run-worker", "--idle-exit-s", "0", "--concurrency", CONCURRENCY],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - since, json.loads(output.stdout)["data"]["counts"]


def parallel(env):
    """Lets GNU parallel run as many commands; returns seconds."""
    since = time.perf_counter()
    subprocess.run(
        ["perl", PARALLEL, "--will-cite", "-j", CONCURRENCY, "true", "{}"],
        env=env,
        input="".join(f"{n}\n" for n in range(TASKS)).encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - since


def begin(env, folder):
    """Returns the milliseconds from enqueueing a task to its first line, with a worker that waits."""
    worker = subprocess.Popen([LEGWORK, "run-worker"], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(3)
    took = []
    for number in range(10):
        mark = folder / f"mark-{number}"
        since = time.perf_counter()
        world.call(LEGWORK, env, "enqueue-tasks", {"tasks": [{"command": ["touch", str(mark)]}]})
        answered = time.perf_counter()
        while not mark.exists():
            time.sleep(0.001)
        took.append((time.perf_counter() - max(since, answered)) * 1000)
        time.sleep(1)
    worker.terminate()
    worker.wait()
    return statistics.median(took), max(took)


def main():
    """Measures all of it and prints one line for each figure."""
    failed = False
    with tempfile.TemporaryDirectory(prefix="lw-bench-") as name:
        folder = pathlib.Path(name)
        env, _ = world.make(folder)
        for number in range(ROUNDS):
            enqueue(env, f"{time.time_ns()}.{number}")
            took, counts = drain(env)
            failed |= counts["succeeded"] != TASKS or counts["claimed"] != TASKS
            line = f"{TASKS} tasks, {CONCURRENCY} at once: {TASKS / took:7.0f} a second"
            if PARALLEL:
                other = parallel(env)
                line += f"   GNU parallel {TASKS / other:7.0f} a second   {other / took:.1f} x"
            print(line, flush=True)
        middle, most = begin(env, folder)
        print(f"from the answer of enqueue-tasks to the first line of the task: median {middle:.0f} ms, most {most:.0f} ms")
    sys.exit(1 if failed else 0)


main()
