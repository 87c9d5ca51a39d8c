"""What the clone and the environment of a job cost in a ready workspace, beside `git worktree add`. Standard library only.

    python3 tests/bench/environments.py LEGWORK FOLDER_OF_UV FOLDER_OF_WHEELS

The peer is a worktree that shares the one environment of the workspace: a repository of 20,000 files, of which no package
is copied. A job has a clone and an environment of its own. What a launch costs in itself, with one file and without an
environment, is measured in the same run and taken away; the whole is said too. Exits with 1 where a measure is missed.
"""

import os
import pathlib
import statistics
import sys
import tempfile
import time

import world

ROUNDS = 5
PACKAGE = {
    "cart/__init__.py": "def total(prices):\n    return sum(prices)\n",
    "pyproject.toml": """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "cart"
version = "1.0"
[tool.setuptools]
packages = ["cart"]
""",
}


def megabytes(folder, but=None):
    """Returns the disk that a folder takes, but for one folder of it."""
    seen = sum(one.lstat().st_blocks * 512 for one in folder.rglob("*") if but is None or but not in one.parents)
    return seen / 1e6


def launched(legwork, env, repository, number):
    """Launches a job, waits for its end, and returns its folder and the seconds that the launch took."""
    given = {"host": "local", "repository": repository, "agent": "looks", "message": f"{repository} {number}"}
    answer, took = world.call(legwork, env, "launch-investigation", given)
    job = answer["job"]["job_id"]
    ended, _ = world.call(legwork, env, "wait-job", {"job_id": job, "wait_s": 120})
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
        base = world.fill(env, big, PACKAGE)
        (top / "config.toml").write_text(
            f"[repositories.small]\nurl = '{small}'\n[repositories.big]\nurl = '{big}'\nprofile = 'offline'\n"
            "[profiles.offline]\nextends = 'python-uv'\npackages = ['pytest', 'setuptools', 'wheel']\n"
            f"install_arguments = ['--no-index', '--find-links', '{wheels}']\n"
            "[agents.looks]\nargv = ['sh', '-c', 'python3 -m pytest --version 2>/dev/null || true']\n"
        )
        for repository in ("small", "big"):
            world.call(legwork, env, "provision-workspace", {"host": "local", "repository": repository})
        rounds, job = [], None
        for number in range(ROUNDS):
            since = time.perf_counter()
            world.git(env, big, "worktree", "add", "-q", "--detach", str(top / f"worktree-{number}"), base)
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
