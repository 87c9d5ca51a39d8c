"""What the clone and the environment of a job cost in a ready workspace, beside `git worktree add`. Standard library only.

    python3 tests/bench/environments.py LEGWORK FOLDER_OF_UV FOLDER_OF_WHEELS

The peer is a worktree that shares the one environment of the workspace: a repository of 20,000 files, of which no package
is copied. A job has a clone and an environment of its own. What a launch costs in itself, with one file and without an
environment, is measured in the same run and taken away; the whole is said too. Exits with 1 where a measure is missed.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import world

ROUNDS = 5
PYPROJECT = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "cart"
version = "1.0"
[tool.setuptools]
packages = ["cart"]
"""


def call(legwork, env, primitive, **fields):
    """Calls legwork; returns its answer, which must be ok, and the seconds it took."""
    since = time.perf_counter()
    done = subprocess.run([legwork, primitive, "--json", json.dumps(fields)], env=env, stdout=subprocess.PIPE, check=False)
    took = time.perf_counter() - since
    envelope = json.loads(done.stdout)
    if not envelope["ok"]:
        sys.exit(f"{primitive}: {envelope}")
    return envelope["data"], took


def git(env, folder, *words):
    """Calls git, as somebody; returns what it prints."""
    who = ["-c", "user.name=b", "-c", "user.email=b@example.org"]
    return subprocess.run(["git", "-C", str(folder), *who, *words], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def fill(env, repository):
    """Makes the repository one of 20,000 files and one package."""
    for number in range(20_000):
        folder = repository / f"d{number % 200}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}.py").write_text(f"# {number}\n" + "x = 'abcdefghijklmnop'\n" * (20 + number * 7 % 480))
    (repository / "cart").mkdir()
    (repository / "cart" / "__init__.py").write_text("def total(prices):\n    return sum(prices)\n")
    (repository / "pyproject.toml").write_text(PYPROJECT)
    git(env, repository, "add", "-A")
    git(env, repository, "commit", "-q", "-m", "big")


def megabytes(folder, but=None):
    """Returns the disk that a folder takes, but for one folder of it."""
    seen = sum(one.lstat().st_blocks * 512 for one in folder.rglob("*") if but is None or but not in one.parents)
    return seen / 1e6


def launched(legwork, env, repository, number):
    """Launches a job, waits for its end, and returns its folder and the seconds that the launch took."""
    given = {"host": "local", "repository": repository, "agent": "looks", "message": f"{repository} {number}"}
    answer, took = call(legwork, env, "launch-investigation", **given)
    job = answer["job"]["job_id"]
    ended, _ = call(legwork, env, "wait-job", job_id=job, wait_s=120)
    if ended["job"]["state"] != "succeeded":
        sys.exit(f"the job ended otherwise: {ended}")
    return pathlib.Path(env["HOME"]) / "legwork/jobs" / job, took


def main():
    """Launches in turns with worktrees, and prints the ratios."""
    legwork, tools, wheels = (os.path.abspath(one) for one in sys.argv[1:4])
    with tempfile.TemporaryDirectory(prefix="legwork-environments-") as folder:
        top = pathlib.Path(folder)
        env, small = world.make(top)
        env["PATH"] = f"{tools}:{env['PATH']}"
        big = top / "big"
        subprocess.run(["git", "init", "-q", str(big)], env=env, check=True)
        fill(env, big)
        (top / "config.toml").write_text(
            f"[repositories.small]\nurl = '{small}'\n[repositories.big]\nurl = '{big}'\nprofile = 'offline'\n"
            "[profiles.offline]\nextends = 'python-uv'\npackages = ['pytest', 'setuptools', 'wheel']\n"
            f"install_arguments = ['--no-index', '--find-links', '{wheels}']\n"
            "[agents.looks]\nargv = ['sh', '-c', 'python3 -m pytest --version 2>/dev/null || true']\n"
        )
        for repository in ("small", "big"):
            call(legwork, env, "provision-workspace", host="local", repository=repository)
        base = git(env, big, "rev-parse", "HEAD").strip()
        rounds, job = [], None
        for number in range(ROUNDS):
            since = time.perf_counter()
            git(env, big, "worktree", "add", "-q", "--detach", str(top / f"worktree-{number}"), base)
            tree = time.perf_counter() - since
            job, whole = launched(legwork, env, "big", number)
            rounds.append((tree, whole, launched(legwork, env, "small", number)[1]))
        if not (job / "env").is_dir():
            sys.exit("the job has no environment of its own")
        tree, whole, bare = (statistics.median(column) for column in zip(*rounds))
        ratio = (whole - bare) / tree
        # Hard links are counted where they stand: this is the most that a job can take.
        print(
            f"20,000 files: git worktree add {tree:.2f} s; clone and environment of a job {whole - bare:.2f} s, {ratio:.2f} times"
            f" (reach: 1.5){'' if ratio <= 1.5 else '  NOT MET'}; the whole launch {whole:.2f} s, {whole / tree:.2f} times;"
            f" disk beside the files: environment {megabytes(job / 'env'):.1f} MB, git {megabytes(job / 'work' / '.git'):.1f} MB,"
            f" files {megabytes(job / 'work', job / 'work' / '.git'):.1f} MB"
        )
    sys.exit(ratio > 1.5)


if __name__ == "__main__":
    main()
