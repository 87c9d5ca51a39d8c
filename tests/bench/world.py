"""The world in which legwork is measured: a home of its own, and a repository of one file. Standard library only."""

import subprocess


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
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-q", "-m", "start"],
    ):
        subprocess.run(command, cwd=repository, env=env, check=True)
    return env, repository
