"""Interrupts calls by the hundred and counts what their answers got wrong. Standard library only; called by run.sh.

Each part sends the same call again afterwards and looks at the tally that agents and set-up steps write themselves,
so that an answer is judged by what happened and not by another answer. Numbers of rounds are those of the page; a
first argument after the program divides them, for a quick look.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import world

LEGWORK = os.path.abspath(sys.argv[1])
SHARE = int(sys.argv[2]) if len(sys.argv) > 2 else 1
SEED = int(os.environ.get("SEED", time.time_ns() % 2**32))


def read(output):
    """Reads the one line of an answer; None where there is not exactly one."""
    lines = output.decode("utf-8", "replace").splitlines()
    try:
        return json.loads(lines[0]) if len(lines) == 1 else None
    except json.JSONDecodeError:
        return None


def call(env, *arguments):
    """Calls legwork and returns its envelope."""
    done = subprocess.run([LEGWORK, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return read(done.stdout)


def must(env, *arguments):
    """Calls legwork, which must succeed."""
    envelope = call(env, *arguments)
    if not (envelope and envelope["ok"]):
        sys.exit(f"{' '.join(arguments)}: {envelope}")
    return envelope


def interrupted(env, number, after_s, *arguments):
    """Starts a call, sends it a signal after a time, and returns its envelope."""
    running = subprocess.Popen([LEGWORK, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    running.send_signal(number)
    return read(running.communicate()[0])


def make_world(top, root):
    """Makes a home with one configuration, a repository, and agents that write a tally."""
    env, repository = world.make(top)
    agent = f"pwd >> {top}/agents; echo b > a.txt"
    setup = f"echo start $(pwd) >> {top}/setups; sleep 0.4; echo end $(pwd) >> {top}/setups"
    (top / "config.toml").write_text(
        f"[hosts.local]\nroot = {json.dumps(str(root))}\n"
        f"[agents.quick]\nargv = [\"sh\", \"-c\", {json.dumps(agent)}]\n"
        f"[profiles.slow]\nsetup = {json.dumps(setup)}\n"
    )
    return env, repository


def ran(top):
    """Lists the jobs whose agents ran, one entry a run."""
    tally = top / "agents"
    lines = tally.read_text().splitlines() if tally.exists() else []
    return [pathlib.Path(line).parent.name for line in lines]


def launches(env, top, count):
    """Interrupts launches early; an answer without effect must be of an agent that did not run."""
    lies = silent = 0
    answers = []
    for number in range(count):
        message = ["--repository", "r", "--agent", "quick", "--message", f"early {number}"]
        kind = random.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
        answers.append((message, interrupted(env, kind, random.uniform(0.003, 0.012), "launch-investigation", *message)))
    time.sleep(3)
    early = set(ran(top))
    for message, answer in answers:
        again = must(env, "launch-investigation", *message)
        job = again["data"]["job"]["job_id"]
        silent += answer is None
        lies += bool(answer and not answer["ok"] and answer["effect"] == "none" and job in early)
    active = call(env, "list-jobs", "--active")["data"]["jobs"]
    for job in active:
        must(env, "wait-job", "--job-id", job["job_id"], "--wait-s", "30")
    jobs = ran(top)
    twice = len(jobs) - len(set(jobs))
    print(f"| {count} launches signalled 3 to 12 ms after their start | {lies} said `none` and ran; {silent} without a line; {twice} agents twice |", flush=True)
    return lies + silent + twice


def provisions(env, top, repository, count):
    """Interrupts set-ups by a signal to their whole group; two of one workspace must never overlap."""

    def one(number):
        mine = {**env, "LEGWORK_HOME": str(top / f"state-{number % 4}")}
        arguments = ["provision-workspace", "--repository", f"p{number}", "--url", str(repository), "--profile", "slow"]
        kind = random.choice(["TERM", "KILL", "INT", "HUP"])
        subprocess.run(
            ["timeout", "-s", kind, f"{random.uniform(0.05, 0.9):.2f}", LEGWORK, *arguments],
            env=mine, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, start_new_session=True,
        )
        return bool((call(mine, *arguments) or {}).get("ok"))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        unmade = list(pool.map(one, range(count))).count(False)
    time.sleep(2)
    running, overlaps = {}, 0
    for entry in (top / "setups").read_text().splitlines():
        what, _, where = entry.partition(" ")
        overlaps += what == "start" and running.get(where, False)
        running[where] = what == "start"
    print(f"| {count} provisions under `timeout`, the group signalled | {overlaps} overlaps; {unmade} not made by the same call |", flush=True)
    return overlaps + unmade


def verifications(env, job, rounds):
    """Sends the same verification six times at once; all must be answered, and one must have been made."""
    refused = made = 0
    for attempt in range(1, rounds + 1):
        arguments = ["verify-fix", "--job-id", job, "--attempt", str(attempt)]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: call(env, *arguments), range(6)))
        refused += sum(not (answer and answer["ok"]) for answer in answers)
        made += sum(bool(answer and answer["ok"] and answer["effect"] == "applied") for answer in answers)
    print(f"| {rounds * 6} identical verifications, six at once | {refused} refused; {made} `applied` of {rounds} |", flush=True)
    return refused + abs(made - rounds)


def kills(env, top, repository, count):
    """Ends calls by SIGKILL at any moment; the same call must then succeed, and no agent runs twice."""
    unmade = 0
    job = 0
    for number in range(count):
        turn = number % 5
        if turn == 0:
            job += 1
        message = ["--repository", "r", "--agent", "quick", "--message", f"killed {job}", "--verify", "grep b a.txt"]
        calls = {0: ["launch-investigation", *message]}
        if turn > 0:
            job_id = must(env, "launch-investigation", *message)["data"]["job"]["job_id"]
            if turn == 1:
                must(env, "wait-job", "--job-id", job_id, "--wait-s", "30")
            calls = {
                1: ["fetch-artifacts", "--job-id", job_id],
                2: ["verify-fix", "--job-id", job_id],
                3: ["apply-diff", "--job-id", job_id, "--checkout", str(repository)],
                4: ["cancel-job", "--job-id", job_id],
            }
        arguments = calls[turn]
        interrupted(env, signal.SIGKILL, random.uniform(0.0, 0.15 if turn in (2, 3) else 0.03), *arguments)
        for _ in range(20):
            again = call(env, *arguments)
            if not again or again["ok"] or not again["retry_safe"]:
                break
            time.sleep(again["retry"].get("after_ms", 100) / 1000)
        if not (again and again["ok"]):
            unmade += 1
            print(f"{arguments}: {again}", file=sys.stderr)
    jobs = ran(top)
    twice = len(jobs) - len(set(jobs))
    print(f"| {count} SIGKILLs at random moments of five primitives | {unmade} did not converge; {twice} agents twice |", flush=True)
    return unmade + twice


def main():
    random.seed(SEED)
    top = pathlib.Path(tempfile.mkdtemp(prefix="lwi-", dir="/tmp"))
    env, repository = make_world(top, top / "root")
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, seed {SEED}\n\n| what was done | what went wrong |\n|---|---|")
    try:
        must(env, "provision-workspace", "--repository", "r", "--url", str(repository))
        faults = launches(env, top, 500 // SHARE)
        job = must(env, "launch-investigation", "--repository", "r", "--agent", "quick", "--message", "v", "--verify", "grep b a.txt")
        job = job["data"]["job"]["job_id"]
        must(env, "wait-job", "--job-id", job, "--wait-s", "30")
        faults += verifications(env, job, max(1, 12 // SHARE))
        faults += kills(env, top, repository, 1000 // SHARE)
        faults += provisions(env, top, repository, 300 // SHARE)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    sys.exit(1 if faults else 0)


main()
