"""Measures the ways in that take many calls, and what it costs to learn what there is."""

import json
import os
import pathlib
import subprocess
import time

CALLS = int(os.environ.get("CALLS", "20000"))
WINDOW = 64


class Mcp:
    """A client of `serve-mcp` that does no more than the protocol asks for."""

    def __init__(self, argv, env):
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.number = 0

    def send(self, method, params=None, answered=True):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        if answered:
            self.number += 1
            message["id"] = self.number
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    def receive(self):
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def begin(self):
        client = {"name": "bench", "version": "1"}
        self.send("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
        self.receive()
        self.send("notifications/initialized", answered=False)
        self.send("tools/list", {})
        return self.receive()["result"]["tools"]

    def memory(self):
        """Returns its peak memory in MB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def end(self):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


def mcp(legwork, env, rounds):
    """Returns p50 of start to `tools/list` in ms, the number of tools, peak memory in MB and calls per second."""
    times = []
    for _ in range(rounds):
        since = time.perf_counter()
        client = Mcp([legwork, "serve-mcp"], env)
        tools = client.begin()
        times.append((time.perf_counter() - since) * 1000)
        client.end()
    client = Mcp([legwork, "serve-mcp"], env)
    client.begin()
    since = time.perf_counter()
    under_way = 0
    for number in range(CALLS):
        client.send("tools/call", {"name": "list-jobs", "arguments": {}})
        under_way += 1
        if under_way == WINDOW or number == CALLS - 1:
            for _ in range(under_way):
                answer = client.receive()
                if answer["result"]["isError"]:
                    raise SystemExit(f"list-jobs over MCP: {answer}")
            under_way = 0
    rate = CALLS / (time.perf_counter() - since)
    memory = client.memory()
    client.end()
    return sorted(times)[len(times) // 2], len(tools), memory, rate


def batch(legwork, env):
    """Returns calls per second of a read over one `batch`, its start and end included."""
    lines = b"".join(
        json.dumps({"id": number, "primitive": "list-jobs", "input": {}}).encode() + b"\n" for number in range(CALLS)
    )
    since = time.perf_counter()
    done = subprocess.run([legwork, "batch"], input=lines, env=env, capture_output=True, check=True)
    took = time.perf_counter() - since
    answers = done.stdout.splitlines()
    if len(answers) != CALLS or not all(b'"ok":true' in answer for answer in answers):
        raise SystemExit("not every call of the batch was answered well")
    return CALLS / took
