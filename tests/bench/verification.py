"""Measures what a verification costs beside the runs of its checks. Standard library only; called by run.sh."""

import pathlib
import shutil
import statistics
import sys
import tempfile

import world

LEGWORK = str(pathlib.Path(sys.argv[1]).resolve())
ROUNDS = 5
CHECK = "python3 -m unittest -q test_cart"
CART = "def total(prices):\n    if not prices:\n        return None\n    return sum(prices)\n"
FIXED = "def total(prices):\n    return sum(prices)\n"
TEST = """import unittest
from cart import total


class Cart(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(total([]), 0)
"""


def main():
    """Verifies a small fix a few times, with everything by default, and prints the ratio."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="legwork-bench-"))
    try:
        env, repository = world.make(top)
        (repository / "cart.py").write_text(CART)
        (repository / "test_cart.py").write_text(TEST)
        world.git(env, repository, "add", "-A")
        world.git(env, repository, "commit", "-q", "-m", "a cart")
        world.call(LEGWORK, env, "provision-workspace", {"host": "local", "repository": "r", "url": str(repository)})
        (repository / "cart.py").write_text(FIXED)
        (top / "fix.diff").write_text(world.git(env, repository, "diff"))
        ratios, seconds, counts = [], [], None
        for attempt in range(1, ROUNDS + 1):
            given = {"diff": str(top / "fix.diff"), "repository": "r", "on": "local", "check": CHECK, "attempt": attempt}
            found, took = world.call(LEGWORK, env, "check-diff", given)
            runs = found["verification"]["runs"]
            if found["verdict"] != "fixed":
                sys.exit(f"the fix is {found['verdict']}")
            checks = sum(run["duration_ms"] for run in runs) / 1000
            ratios.append(took / checks)
            seconds.append(took)
            counts = len(runs)
        ratio = statistics.median(ratios)
        print(
            f"verification of a small Python fix, defaults: {statistics.median(seconds):.2f} s for {counts} runs of its check,"
            f" {ratio:.2f} × the time of these (reach: 3){'' if ratio <= 3 else '  NOT MET'}"
        )
        return 0 if ratio <= 3 else 1
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    sys.exit(main())
