"""Lists the functions that short calls run, in the form in which build.rs gives them to the linker.

    cargo build --release --config profile.release.strip=false --target-dir target/symbols
    python3 tests/bench/first_functions.py target/symbols/release/legwork > src/first_functions.ld

A short call runs some 2,000 of 24,000 functions. Where the linker leaves them lie, they are spread over all of the program, and the kernel
maps what lies round each of them. Each call is traced by valgrind, so nothing here depends on how busy the machine is. What changes
from one build to the next in the name of a function (hashes, numbers of copies) is left open, so the list outlives new
versions of the compiler and of libraries; functions that are no more are passed over, and a list that has grown old costs nothing but time.
All functions of a name are listed, of which a call may run one: leaving out those of which there are many was measured, and was worse.
"""

import bisect
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import world

TASK = {"command": ["true"]}
CALLS = [
    ("capabilities", {}),
    ("describe", {"primitive": "list-jobs"}),
    ("add-host", {"name": "there"}),
    ("list-hosts", {}),
    ("list-jobs", {}),
    ("poll-job", {"job_ids": ["20260101-000000-aaaaaa"]}),
    ("check-input", {"primitive": "list-hosts", "input": {}}),
    ("get-config", {}),
    ("list-workspaces", {}),
    ("peek-queue", {}),
    ("enqueue-tasks", {"tasks": [TASK]}),
    ("claim-tasks", {"claimer": "me", "request_id": "one"}),
    ("list-tasks", {}),
    ("list-waiting", {}),
    ("list-events", {}),
]


def main() -> None:
    binary = os.path.abspath(sys.argv[1])
    symbols = listed(binary)
    seen = collections.Counter()
    order = {}
    with tempfile.TemporaryDirectory() as folder:
        env, _ = world.make(pathlib.Path(folder, "world"))
        for number, (primitive, value) in enumerate(CALLS):
            out = os.path.join(folder, f"out.{number}")
            call = [binary, primitive, "--spec", "-"]
            traced = ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no", f"--callgrind-out-file={out}", *call]
            done = subprocess.run(traced, env=env, input=json.dumps(value), capture_output=True, text=True, check=False)
            answer = json.loads(done.stdout.splitlines()[-1])
            print(primitive, answer.get("error_code"), file=sys.stderr)
            for name in functions(out, symbols):
                seen[name] += 1
                order.setdefault(name, len(order))
    names = sorted(seen, key=lambda name: (-seen[name], order[name]))
    print(f"{len(names)} names", file=sys.stderr)
    print("/* Made by tests/bench/first_functions.py: what short calls run, laid side by side. */")
    print("SECTIONS\n{\n  .text.first :\n  {")
    for name in names:
        print(f"    *(.text.{name})")
    print("  }\n}\nINSERT BEFORE .text;")


def functions(path: str, symbols: list[tuple[int, int, str]]) -> list[str]:
    """Returns the functions of the program that ran, as patterns of the names of their sections, in the order in which callgrind lists them.

    They are found by address, which is fixed in the program: valgrind names none that lies outside of the section `.text`.
    """
    starts = [start for start, _, _ in symbols]
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("0x"):
                address = int(line.split(" ", 1)[0], 16)
                start, size, name = symbols[bisect.bisect_right(starts, address) - 1]
                if start <= address < start + size:
                    found[name] = True
    return list(found)


def listed(binary: str) -> list[tuple[int, int, str]]:
    """Returns where each function begins, how many bytes it has, and its pattern, in the order in which they lie."""
    found = []
    names = subprocess.run(["nm", "-S", binary], capture_output=True, text=True, check=True).stdout
    for line in names.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tTwW" and pattern(words[3]):
            found.append((int(words[0], 16), int(words[1], 16), pattern(words[3])))
    return sorted(found)


def pattern(name: str) -> str:
    """Leaves open in a name what another build changes; nothing where it is no name of a function."""
    name = re.sub(r"'\d+$", "", name)
    name = re.sub(r"\.(llvm\.)?\d+$", "", name)
    name = re.sub(r"17h[0-9a-f]{16}E$", "17h*", name)
    if name.startswith("_R"):
        name = re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name) + "*"
    return name if re.fullmatch(r"[\w.$*]+", name) else ""


main()
