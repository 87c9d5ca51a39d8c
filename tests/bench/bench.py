"""Measures legwork beside named peers in one run. Standard library only; called by run.sh."""

import json
import os
import pathlib
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import surfaces
import world

LEGWORK, PEER, TOKENIZER = (os.path.abspath(path) for path in sys.argv[1:4])
SKILL = pathlib.Path(__file__).parents[2] / "slash_commands/skills/legwork/SKILL.md"
ROUNDS = int(os.environ.get("ROUNDS", "40"))


def peak_memory(argv, env):
    """Returns a program's peak memory in MB; what this process itself holds must not count, hence the small one between."""
    timed = subprocess.run(
        ["/usr/bin/time", "-f", "%M", *argv], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    return int(timed.stderr.split()[-1]) / 1024


def spawn(argv, env):
    """Runs a program; returns seconds, output, exit status."""
    reader, writer = os.pipe()
    null = os.open("/dev/null", os.O_RDWR)
    since = time.perf_counter()
    pid = os.posix_spawn(
        argv[0],
        argv,
        env,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0),
            (os.POSIX_SPAWN_DUP2, writer, 1),
            (os.POSIX_SPAWN_DUP2, null, 2),
        ],
    )
    os.close(writer)
    chunks = []
    while chunk := os.read(reader, 1 << 16):
        chunks.append(chunk)
    os.close(reader)
    os.close(null)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter() - since
    return took, b"".join(chunks), os.waitstatus_to_exitcode(status)


def measure(cases, rounds=ROUNDS):
    """Interleaves the cases, so that what else the machine does falls on all of them; returns p50 in ms."""
    times = {name: [] for name in cases}
    for name, (argv, env) in cases.items():
        spawn(argv, env)
    for _ in range(rounds):
        for name, (argv, env) in cases.items():
            times[name].append(spawn(argv, env)[0] * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def call(env, *arguments):
    """Calls legwork and returns its envelope, which must be ok."""
    _, output, _ = spawn([LEGWORK, *arguments], env)
    envelope = json.loads(output)
    if not envelope["ok"]:
        sys.exit(f"{' '.join(arguments)}: {envelope}")
    return envelope


def tokens(path):
    """Counts the tokens of a text."""
    count = "console.log(require('@anthropic-ai/tokenizer').countTokens(require('fs').readFileSync(0, 'utf8')))"
    environment = {**os.environ, "NODE_PATH": f"{TOKENIZER}/node_modules"}
    counted = subprocess.run(["node", "-e", count], input=path.read_bytes(), env=environment, stdout=subprocess.PIPE, check=True)
    return int(counted.stdout)


def make_world(top):
    """Makes a home with one configuration and two agents, and a repository."""
    env, repository = world.make(top)
    (top / "config.toml").write_text(
        f"[ssh]\nconfig_file = {json.dumps(str(top / 'ssh_config'))}\n"
        f"[hosts.local]\nroot = {json.dumps(str(top / 'root'))}\n"
        f"[hosts.bench]\nroot = {json.dumps(str(top / 'remote'))}\n"
        '[agents.quick]\nargv = ["sh", "-c", "echo b > a.txt"]\n'
        '[agents.slow]\nargv = ["sleep", "600"]\n'
    )
    return env, repository


def start_sshd(top):
    """Starts a stock sshd on a loopback address of its own; returns the process and writes the client's configuration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(top / name)], check=True)
    shutil.copy(top / "user.pub", top / "authorized")
    host_key = (top / "host.pub").read_text().split()
    (top / "known").write_text(f"[127.0.0.1]:{port} {host_key[0]} {host_key[1]}\n")
    empty = top / "remote_home"
    empty.mkdir()
    (top / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {top}/host\nPidFile {top}/sshd.pid\n"
        f"AuthorizedKeysFile {top}/authorized\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        f"KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nUseDNS no\nSetEnv HOME={empty}\n"
    )
    (top / "ssh_config").write_text(
        f"Host bench\n  HostName 127.0.0.1\n  Port {port}\n  User {os.environ.get('USER') or 'root'}\n"
        f"  IdentityFile {top}/user\n  IdentitiesOnly yes\n  UserKnownHostsFile {top}/known\n"
    )
    pathlib.Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(top / "sshd_config")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return server
        except OSError:
            time.sleep(0.05)
    sys.exit("sshd did not start")


def fill(database, count):
    """Multiplies the one job of a database until there are `count`."""
    connection = sqlite3.connect(database)
    row = connection.execute(
        "SELECT job_id, input_digest, host, repository, agent, state, active, outcome, record, created_at, updated_at FROM jobs LIMIT 1"
    ).fetchone()
    have = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
    with connection:
        connection.executemany(
            "INSERT INTO jobs (job_id, idempotency_key, input_digest, host, repository, agent, state, active, outcome,"
            " record, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (f"j{n}", f"k{n}", *row[1:8], row[8].replace(row[0], f"j{n}"), *row[9:])
                for n in range(have, count)
            ),
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def line(measure_name, value, reach, met):
    print(f"| {measure_name} | {value} | {reach} | {'yes' if met else 'NO'} |")


def applied(top, env):
    """Returns the seconds of apply-diff with 5,000 new files, and of git for the same: the best of three each."""
    home = top / "apply"
    home.mkdir()

    def git(folder, *arguments):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=env, stdout=subprocess.DEVNULL)

    origin, diff, clone = home / "origin", home / "large.diff", home / "clone"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    git(origin, "config", "user.name", "bench")
    git(origin, "config", "user.email", "bench@localhost")
    (origin / "readme").write_text("x\n")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "base")
    for number in range(5000):
        file = origin / f"src/d{number % 50}/f{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"def f{number}():\n    return {number}\n" * 20)
    git(origin, "add", "-A")
    with diff.open("wb") as output:
        subprocess.run(["git", "-C", str(origin), "diff", "--cached", "--binary"], check=True, env=env, stdout=output)
    git(origin, "reset", "-q", "--hard")
    git(origin, "gc", "-q", "--prune=now")

    def by_legwork():
        call(env, "apply-diff", "--diff", str(diff), "--checkout", str(clone))

    def by_git():
        git(clone, "apply", "--cached", str(diff))
        git(clone, "-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-qm", "x")

    # Each on a clone of its own: objects that are there already are not written again.
    times = {by_legwork: [], by_git: []}
    for work in list(times) * 3:
        git(home, "clone", "-q", str(origin), str(clone))
        since = time.perf_counter()
        work()
        times[work].append(time.perf_counter() - since)
        shutil.rmtree(clone)
    return min(times[by_legwork]), min(times[by_git])


def main():
    top = pathlib.Path(tempfile.mkdtemp(prefix="lwb-", dir="/tmp"))
    env, repository = make_world(top)
    server = start_sshd(top)
    jobs = []
    try:
        call(env, "provision-workspace", "--repository", "r", "--url", str(repository))
        job = call(env, "launch-investigation", "--repository", "r", "--message", "m", "--agent", "quick")
        job = job["data"]["job"]["job_id"]
        call(env, "wait-job", "--job-id", job, "--wait-s", "30")
        peer_env = {**env, "HPC_JOURNAL_DIR": str(top / "journal")}
        cases = {
            "capabilities": ([LEGWORK, "capabilities"], env),
            "list-jobs": ([LEGWORK, "list-jobs"], env),
            "poll-job": ([LEGWORK, "poll-job", "--job-ids", job], env),
            "peer ordinary": ([PEER, "clusters", "list"], peer_env),
            "peer fastest": ([PEER, "list-in-flight"], peer_env),
            "true": (["/bin/true"], env),
        }
        p50 = measure(cases)
        print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {ROUNDS} rounds interleaved; ms are p50\n")
        print("| measure | measured | reach | met |\n|---|---|---|---|")
        ours = ("capabilities", "list-jobs", "poll-job")
        for name in ours:
            line(f"cold `{name}`", f"{p50[name]:.1f} ms (`/bin/true` {p50['true']:.1f})", "≤ 5 ms on an idle machine", p50[name] <= 5)
        slowest = max(p50[name] for name in ours)
        ratio = p50["peer ordinary"] / slowest
        line("hpc-agent's ordinary call ÷ ours", f"{ratio:.0f} × ({p50['peer ordinary']:.0f} ms)", "≥ 100 ×", ratio >= 100)
        ratio = p50["peer fastest"] / slowest
        line("hpc-agent's fastest call ÷ ours", f"{ratio:.1f} × ({p50['peer fastest']:.0f} ms)", "≥ 10 ×", ratio >= 10)
        memory = max(peak_memory(*cases[name]) for name in ours)
        theirs = peak_memory(*cases["peer ordinary"])
        line("peak memory of such a call", f"{memory:.1f} MB (hpc-agent {theirs:.0f})", "≤ 12 MB", memory <= 12)

        ours, theirs = (len(spawn(case, env)[1]) for case in ([LEGWORK, "capabilities"], [PEER, "capabilities"]))
        line("bytes to learn what there is (`capabilities`)", f"{ours} (hpc-agent {theirs})", "≤ 4096", 0 < ours <= 4096)
        count = tokens(SKILL)
        line("tokens of the skill", f"{count}", "≤ 500", count <= 500)
        listed, tools, memory, rate = surfaces.mcp(LEGWORK, env, ROUNDS)
        line(f"MCP: start to `tools/list` ({tools} tools)", f"{listed:.0f} ms", "≤ 50 ms", listed <= 50)
        line("MCP: peak memory, calls included", f"{memory:.1f} MB", "≤ 25 MB", memory <= 25)
        line("MCP: `list-jobs` over one connection", f"{rate:.0f} / s", "≥ 1,000 / s", rate >= 1000)
        rate = surfaces.batch(LEGWORK, env)
        line("`batch`: the same", f"{rate:.0f} / s", "≥ 5,000 / s", rate >= 5000)

        ours, theirs = applied(top, env)
        line("`apply-diff` of 5,000 files ÷ `git apply --cached` + commit", f"{ours / theirs:.1f} × ({ours:.2f} s)", "≤ 2 ×", ours <= 2 * theirs)

        small, large = top / "small", top / "large"
        for folder, count in ((small, 100), (large, 100_000)):
            folder.mkdir()
            source = sqlite3.connect(top / "state" / "legwork.db")
            target = sqlite3.connect(folder / "legwork.db")
            source.backup(target)
            target.execute("PRAGMA journal_mode = WAL")
            target.close()
            fill(folder / "legwork.db", count)
        cases = {
            name: ([LEGWORK, "list-jobs"], {**env, "LEGWORK_HOME": str(folder)})
            for name, folder in (("small", small), ("large", large))
        }
        p50 = measure(cases, ROUNDS * 2)
        ratio = p50["large"] / p50["small"]
        line("`list-jobs` at 100,000 jobs ÷ at 100", f"{ratio:.2f} ({p50['large']:.1f} / {p50['small']:.1f} ms)", "≤ 1.3", ratio <= 1.3)

        call(env, "provision-workspace", "--host", "bench", "--repository", "r", "--url", str(repository))
        trips = 0
        for number in range(50):
            launched = call(
                env, "launch-investigation", "--host", "bench", "--repository", "r",
                "--agent", "slow", "--message", f"number {number}",
            )
            trips = max(trips, launched["meta"]["round_trips"])
            jobs.append(launched["data"]["job"]["job_id"])
        line("`launch-investigation` in a ready workspace", f"{trips} round trips", "≤ 3", trips <= 3)
        control = top / "mux"
        ssh = ["/usr/bin/ssh", "-F", str(top / "ssh_config"), "-S", str(control)]
        subprocess.run([*ssh, "-M", "-f", "-N", "-o", "ControlPersist=120", "bench"], check=True, env=env)
        polled = call(env, "poll-job", "--job-ids", json.dumps(jobs))
        active = sum(1 for job in polled["data"]["jobs"] if job["state"] == "running")
        polled = call(env, "poll-job", "--job-ids", json.dumps(jobs))
        trips = polled["meta"]["round_trips"]
        cases = {
            "poll": ([LEGWORK, "poll-job", "--job-ids", json.dumps(jobs)], env),
            "ssh": ([*ssh, "bench", "true"], env),
        }
        p50 = measure(cases)
        line(f"warm `poll-job` of 50 jobs on one host ({active} running)", f"{trips} round trips", "1", trips == 1)
        ratio = p50["poll"] / p50["ssh"]
        line("the same ÷ bare multiplexed `ssh host true`", f"{ratio:.2f} × ({p50['poll']:.1f} / {p50['ssh']:.1f} ms)", "≤ 1.3 ×", ratio <= 1.3)
        subprocess.run([*ssh, "-O", "exit", "bench"], check=False, env=env, stderr=subprocess.DEVNULL)
    finally:
        for job in jobs:
            spawn([LEGWORK, "cancel-job", "--job-id", job, "--grace-s", "1"], env)
        for note in (top / "state" / "ssh").glob("*.master"):
            subprocess.run(["ssh", "-S", note.read_text(), "-O", "exit", "bench"], check=False, stderr=subprocess.DEVNULL)
        server.terminate()
        server.wait()
        shutil.rmtree(top, ignore_errors=True)


main()
