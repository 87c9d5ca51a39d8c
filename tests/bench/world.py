"""The world in which legwork is measured: a home of its own, and a repository of one file. Standard library only."""

import json
import subprocess
import sys
import time


def call(legwork, env, primitive, given):
    """Calls legwork, which must answer well; returns its data, and the seconds it took from its start to its end."""
    since = time.perf_counter()
    done = subprocess.run(
        [legwork, primitive, "--spec", "-"], env=env, input=json.dumps(given).encode(), stdout=subprocess.PIPE, check=False
    )
    took = time.perf_counter() - since
    answer = json.loads(done.stdout)
    if not answer["ok"]:
        sys.exit(f"{primitive}: {answer}")
    return answer["data"], took


def git(env, folder, *words):
    """Calls git as somebody; returns what it prints."""
    who = ["-c", "user.name=b", "-c", "user.email=b@example.org"]
    return subprocess.run(["git", "-C", str(folder), *who, *words], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def fill(env, repository, more=None):
    """Makes a repository of 20,000 files and what else is given by name, in one commit; returns that."""
    subprocess.run(["git", "init", "-q", str(repository)], env=env, check=True)
    for number in range(20_000):
        folder = repository / f"d{number % 200}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}.py").write_text(f"# {number}\n" + "x = 'abcdefghijklmnop'\n" * (20 + number * 7 % 480))
    for name, text in (more or {}).items():
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(text)
    git(env, repository, "add", "-A")
    git(env, repository, "commit", "-q", "-m", "big")
    return git(env, repository, "rev-parse", "HEAD").strip()


def make(top):
    """Makes both below a folder; returns the environment and the repository."""
    home = top / "home"
    home.mkdir(parents=True)
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(home),
        "LEGWORK_HOME": str(top / "state"),
        "LEGWORK_CONFIG": str(top / "config.toml"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LANG": "C.UTF-8",
    }
    repository = top / "repository"
    repository.mkdir()
    (repository / "a.txt").write_text("a\n")
    git(env, repository, "init", "-q")
    git(env, repository, "add", "-A")
    git(env, repository, "commit", "-q", "-m", "start")
    return env, repository
