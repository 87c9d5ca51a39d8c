"""Kills callers of the queue at random moments, and counts what is lost and what happens twice.

    python3 tests/bench/kills.py target/release/legwork [KILLS]

Eight callers enqueue, claim, renew, report, release and complete. Most of their processes are killed (SIGKILL) after a random part of the time
that such a call takes, some are stopped for a while and woken (SIGSTOP, SIGCONT). A call whose process was killed is sent again, unchanged, until one
answers. Afterwards each acknowledged task must be there, each acknowledged end must be its end, no two claims may have held one task
at a time, no end may come of a holder that had let go, and the store must be whole.
"""

import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import world

CALLERS = 8
LEASE_S = 3600


class Bench:
    def __init__(self, legwork, env, kills):
        self.legwork, self.env, self.kills = legwork, env, kills
        self.lock = threading.Lock()
        self.killed = self.stopped = self.answered = 0
        self.faults = []
        self.enqueued = set()
        self.held = {}
        self.ended = set()
        self.took = collections.deque(maxlen=400)

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def is_over(self):
        with self.lock:
            return self.killed >= self.kills

    def send(self, chance, primitive, given):
        """Sends a call until it answers, through the deaths of its processes."""
        while True:
            since = time.perf_counter()
            process = subprocess.Popen(
                [self.legwork, primitive, "--spec", "-"],
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            process.stdin.write(json.dumps(given).encode())
            process.stdin.close()
            fate = chance.random()
            usual = sorted(self.took)[len(self.took) // 2] if self.took else 0.02
            if fate < 0.7 and not self.is_over():
                time.sleep(chance.random() * usual * 1.2)
                process.send_signal(signal.SIGKILL)
            elif fate < 0.75:
                time.sleep(chance.random() * usual)
                process.send_signal(signal.SIGSTOP)
                time.sleep(chance.random() * 0.2)
                process.send_signal(signal.SIGCONT)
                with self.lock:
                    self.stopped += 1
            line = process.stdout.read()
            status = process.wait()
            if status == -signal.SIGKILL:
                with self.lock:
                    self.killed += 1
                # It may have answered and died then: nobody read that.
                continue
            with self.lock:
                self.answered += 1
            if fate >= 0.75:
                self.took.append(time.perf_counter() - since)
            answer = json.loads(line)
            if not answer["ok"] and answer["retry_safe"] and answer["error_code"] != "lease_lost":
                continue
            return answer

    def caller(self, number):
        chance = random.Random(number)
        name = f"caller-{number}"
        turn = 0
        while not self.is_over():
            turn += 1
            key = f"{name}.{turn}"
            tasks = [{"command": ["true"], "idempotency_key": key}]
            made = self.send(chance, "enqueue-tasks", {"tasks": tasks})
            if not made["ok"]:
                self.fault(f"enqueue {key}: {made}")
                continue
            with self.lock:
                self.enqueued.add(made["data"]["tasks"][0]["task"]["task_id"])
            claim = {"claimer": name, "request_id": key, "lease_s": LEASE_S}
            got = self.send(chance, "claim-tasks", claim)
            if not got["ok"] or not got["data"]["tasks"]:
                continue
            first = got["data"]["tasks"][0]
            task_id = first["task_id"]
            fence = {"task_id": task_id, "attempt": first["attempt"], "token": first["token"]}
            with self.lock:
                other = self.held.get(task_id)
                if other:
                    self.faults.append(f"{task_id} is held by {other} and {key}")
                self.held[task_id] = key
            self.send(chance, "renew-lease", {**fence, "lease_s": LEASE_S + turn})
            self.send(chance, "report-progress", {**fence, "done_percent": 50})
            # Whoever lets go says so first: another may claim it before the answer is read.
            with self.lock:
                del self.held[task_id]
            if chance.random() < 0.2:
                self.send(chance, "release-task", fence)
                stale = self.send(chance, "complete-task", fence)
                if stale["ok"]:
                    self.fault(f"{task_id} was ended by a holder that had let go")
            else:
                done = self.send(chance, "complete-task", fence)
                if done["ok"]:
                    with self.lock:
                        if task_id in self.ended:
                            self.faults.append(f"{task_id} ended twice")
                        self.ended.add(task_id)
                else:
                    self.fault(f"complete {task_id}: {done}")


def main():
    legwork = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        env, _ = world.make(pathlib.Path(folder, "world"))
        bench = Bench(legwork, env, kills)
        since = time.perf_counter()
        callers = [threading.Thread(target=bench.caller, args=(number,)) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        took = time.perf_counter() - since
        store, _ = world.call(legwork, env, "check-store", {})
        states, cursor = {}, None
        while True:
            page, _ = world.call(legwork, env, "list-tasks", {"limit": 500, **({"cursor": cursor} if cursor else {})})
            states.update((one["task"]["task_id"], one["task"]["state"]) for one in page["tasks"])
            cursor = page["next_cursor"]
            if not cursor:
                break
    lost = [task for task in bench.enqueued if task not in states]
    unended = [task for task in bench.ended if states.get(task) != "succeeded"]
    for fault in bench.faults[:10]:
        print(fault)
    print(
        f"{bench.killed} kills, {bench.stopped} stops, {bench.answered} answers in {took:.0f} s: "
        f"{len(bench.enqueued)} tasks acknowledged, {len(lost)} lost; {len(bench.ended)} ends acknowledged, {len(unended)} lost; "
        f"{len(bench.faults)} faults; the store holds {store['rows']} rows and is whole"
    )
    if lost or unended or bench.faults:
        sys.exit(1)


main()
