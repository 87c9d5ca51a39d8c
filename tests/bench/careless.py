"""2, 8 and 32 careless jobs at once on one repository, and what a clone costs. Standard library only.

    python3 tests/bench/careless.py LEGWORK

Each job changes a file of its own and then does what careless agents do: stash, configuration, branches, sparse checkouts,
shallow fetches, gc. Each diff must be its own work, byte for byte. Then the clone of a job is timed against
`git worktree add` on 20,000 files, in turns, by the processor time of both. Exits with 1 where a measure is missed.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import world

CARELESS = [
    "git stash -q; sleep 1; git stash pop -q",
    "git add -A; git stash -q; sleep 2; git stash pop -q",
    "git config core.autocrlf true; git checkout -q -b fix; git commit -qam fix",
    "git checkout -q -b fix; git commit -qam fix; git tag v9",
    "git sparse-checkout set api",
    "git fetch -q --depth=1 origin",
    "git commit -qam wip; git gc -q --prune=now; git prune",
    "git replace HEAD:api/f2.txt HEAD:api/f1.txt; echo '* filter=x' >.git/info/attributes; git config filter.x.clean 'tr a b'",
]


def cpu(words, env):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def careless(legwork, top):
    env, repository = world.make(top)
    for part in ("api", "web"):
        (repository / part).mkdir()
        for number in range(32):
            (repository / part / f"f{number}.txt").write_text(f"{part} {number}\n")
    world.git(env, repository, "add", "-A")
    world.git(env, repository, "commit", "-q", "-m", "files")
    agents = "".join(
        f"[agents.a{n}]\nargv = ['sh', '-c', '''echo by {n} >>api/f{n}.txt; ({CARELESS[n % 8]}) 2>/dev/null; true''']\n" for n in range(32)
    )
    (top / "config.toml").write_text(f"[repositories.r]\nurl = '{repository}'\n{agents}")
    world.call(legwork, env, "provision-workspace", {"repository": "r"})
    faults = 0
    for count in (2, 8, 32):
        def order(number):
            return json.dumps({"repository": "r", "agent": f"a{number}", "message": f"{count} at once"})

        started = [
            subprocess.Popen([legwork, "launch-investigation", "--json", order(n)], env=env, stdout=subprocess.PIPE, text=True)
            for n in range(count)
        ]
        jobs = [json.loads(one.communicate()[0])["data"]["job"]["job_id"] for one in started]
        good = 0
        for number, job in enumerate(jobs):
            world.call(legwork, env, "wait-job", {"job_id": job, "wait_s": 600, "timeout_s": 900})
            fetched, _ = world.call(legwork, env, "fetch-artifacts", {"job_id": job})
            diff = (pathlib.Path(fetched["folder"]) / "changes.diff").read_text()
            file = repository / "api" / f"f{number}.txt"
            before = file.read_text()
            file.write_text(before + f"by {number}\n")
            good += diff == world.git(env, repository, "diff", "--full-index")
            file.write_text(before)
        print(f"{count} careless jobs at once: {good} diffs of {count} are their own work", flush=True)
        faults += good != count
    return faults


def cost(top, source):
    env = {"PATH": os.environ["PATH"], "HOME": str(top), "GIT_CONFIG_NOSYSTEM": "1"}
    big = top / "big"
    base = world.fill(env, big)
    mirror = top / "mirror.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--no-local", str(big), str(mirror)], env=env, check=True)
    parts = ["system/shell/forget_git", "system/shell/plain_git", "system/shell/git_settings", "system/shell/process"]
    parts += ["domain/repository/git", "domain/workspace/lock", "domain/workspace/modules", "domain/workspace/clone"]
    functions = "\n".join((source / f"{part}.sh").read_text() for part in parts)
    script = top / "clone.sh"
    script.write_text(f'{functions}\nprepare_git\nmake_clone "$@"\n')
    pairs = []
    for number in range(5):
        tree = cpu(["git", "-C", str(big), "worktree", "add", "-q", "--detach", str(top / f"w{number}"), base], env)
        clone = cpu(["sh", str(script), str(mirror), str(top / f"c{number}/work"), base, str(top / f"c{number}/index")], env)
        pairs.append((tree, clone))
    tree, clone = (min(column) for column in zip(*pairs))
    extra = sum(file.stat().st_size for file in (top / "c0" / "work" / ".git").rglob("*") if file.is_file())
    print(f"20,000 files: git worktree add {tree:.2f} s, clone of a job {clone:.2f} s ({clone / tree:.2f} times), {extra / 1e6:.1f} MB beside the files")
    return int(clone > 1.2 * tree)


def main():
    legwork = os.path.abspath(sys.argv[1])
    source = pathlib.Path(__file__).resolve().parents[2] / "src"
    with tempfile.TemporaryDirectory(prefix="legwork-careless-") as folder:
        top = pathlib.Path(folder)
        faults = careless(legwork, top / "jobs") + cost(top, source)
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
