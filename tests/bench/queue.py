"""Measures the queue at 100 and at 100,000 tasks. Standard library only.

    python3 tests/bench/queue.py LEGWORK [TASKS]

Each figure of a single call is that of a process of its own, from its start to its end. Claims a second are those of eight
callers, each with one long-lived `batch` process, one task at a time and ten at a time. Exits with 1 where a task was claimed twice.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import world

LEGWORK = os.path.abspath(sys.argv[1])
MANY = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
ROUNDS = int(os.environ.get("ROUNDS", "30"))
CALLERS = 8
SECONDS = float(os.environ.get("SECONDS", "5"))


class Batch:
    """One long-lived process that answers many calls."""

    def __init__(self, env):
        self.process = subprocess.Popen([LEGWORK, "batch"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0

    def call(self, primitive, body):
        """Sends one call and waits for its answer; returns seconds and data."""
        self.number += 1
        line = json.dumps({"id": self.number, "primitive": primitive, "input": body}) + "\n"
        since = time.perf_counter()
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        took = time.perf_counter() - since
        if not answer["ok"]:
            sys.exit(f"{primitive}: {answer}")
        return took, answer["data"]

    def end(self):
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def fill(env, start, end):
    """Enqueues tasks, a thousand a call; each tenth is blocked, by a task that never ends or by an approval."""
    batch = Batch(env)
    for first in range(start, end, 1000):
        tasks = []
        for number in range(first, min(first + 1000, end)):
            task = {"name": f"t{number}", "command": ["true"], "title": str(number), "priority": number % 101}
            if number % 10 == 9:
                task["requires_approval"] = True
            elif number % 10 == 8 and number > first + 10:
                task["depends_on"] = [f"t{number - 9}"] if (number - 9) % 10 == 9 else [f"t{number - 1}"]
            tasks.append(task)
        batch.call("enqueue-tasks", {"tasks": tasks})
    batch.end()


def p50(env, primitive, bodies):
    """Returns the median in ms of single calls, and the slowest."""
    times = [world.call(LEGWORK, env, primitive, body)[1] * 1000 for body in bodies]
    return statistics.median(times), max(times)


def single_calls(env, label):
    """Measures calls that are processes of their own."""
    stamp = time.time_ns()
    cases = {
        "enqueue-tasks": [{"tasks": [{"command": ["true"], "title": f"{stamp}.{n}"}]} for n in range(ROUNDS)],
        "peek-queue": [{} for _ in range(ROUNDS)],
        "claim-tasks": [{"claimer": "bench", "request_id": f"{stamp}.{n}"} for n in range(ROUNDS)],
        "list-tasks": [{"states": ["waiting"]} for _ in range(ROUNDS)],
    }
    for primitive, bodies in cases.items():
        middle, slowest = p50(env, primitive, bodies)
        print(f"{label:>9} tasks  {primitive:<14} p50 {middle:7.1f} ms   slowest {slowest:7.1f} ms")


def claims(env, count):
    """Lets eight callers claim for a while; returns claims a second, the longest wait, and all ids."""
    taken, waits = [], []
    start = threading.Barrier(CALLERS + 1)
    stamp = time.time_ns()

    def work(caller):
        batch = Batch(env)
        batch.call("peek-queue", {})
        start.wait()
        end = time.perf_counter() + SECONDS
        number, mine, longest = 0, [], 0.0
        while time.perf_counter() < end:
            number += 1
            body = {"claimer": f"bench-{caller}", "request_id": f"{stamp}.{number}", "count": count}
            took, data = batch.call("claim-tasks", body)
            longest = max(longest, took)
            mine.extend(task["task_id"] for task in data["tasks"])
        taken.append(mine)
        waits.append(longest)
        batch.end()

    threads = [threading.Thread(target=work, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    start.wait()
    since = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - since
    ids = [one for mine in taken for one in mine]
    return len(ids) / took, max(waits), ids


def main():
    """Measures all of it and prints one line for each figure."""
    with tempfile.TemporaryDirectory(prefix="lw-bench-") as folder:
        env, _ = world.make(pathlib.Path(folder))
        fill(env, 0, 100)
        single_calls(env, "100")
        since = time.perf_counter()
        fill(env, 1000, MANY)
        took = time.perf_counter() - since
        print(f"{MANY:>9} tasks  enqueued in {took:.1f} s, {(MANY - 1000) / took:.0f} a second in batches of 1000")
        single_calls(env, f"{MANY}")
        everything = []
        for count in (1, 10):
            rate, longest, ids = claims(env, count)
            everything.extend(ids)
            print(
                f"{CALLERS} callers  {count:>2} at a time   {rate:8.0f} claims a second   longest wait {longest * 1000:.0f} ms"
            )
        twice = len(everything) - len(set(everything))
        print(f"claimed {len(everything)}, twice {twice}")
        sys.exit(1 if twice else 0)


main()
