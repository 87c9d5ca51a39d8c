"""Tells the process that started this one what pytest did, test by test.

Loaded by PYTEST_PLUGINS=legwork_pytest, with the folder of this file in PYTHONPATH. LEGWORK_TEST_EVENTS holds the number
of an open file descriptor, best the end of a pipe, and a key: "9:0123abcd". Both leave the environment before any code
of the project runs. Each line is

    legwork STREAM NUMBER MAC JSON

STREAM is random for each process, NUMBER counts from 0, and MAC is the SHA-256 of "KEY|STREAM|NUMBER|JSON|KEY".

What this is worth: code that ends the process, prints a false summary or rewrites report files cannot make a test pass
here, because nobody signs the end of the run for it. Code that searches this very process for the key can.
"""


def _start():
    import os
    import sys

    place = os.environ.get("LEGWORK_TEST_EVENTS", "")
    number, _, key = place.partition(":")
    if not number.isdigit() or not key:
        return None
    # A json.py or hashlib.py of the project must not come before those of the standard library.
    known = sys.path
    standard = os.path.dirname(os.path.abspath(os.__file__))
    packed = os.path.dirname(standard)
    sys.path = [
        part
        for part in known
        if part == standard
        or part.startswith(standard + os.sep)
        or (part.endswith(".zip") and os.path.dirname(part) == packed)
    ]
    try:
        import binascii
        import hashlib
        import json

        try:
            # What unsetenv leaves in the memory of the process can be read in /proc/self/environ.
            import ctypes

            getenv = ctypes.CDLL(None).getenv
            getenv.restype = ctypes.c_void_p
            ctypes.memset(getenv(b"LEGWORK_TEST_EVENTS"), ord("x"), len(place.encode()))
        except Exception:
            pass
    finally:
        sys.path = known
    os.environ.pop("LEGWORK_TEST_EVENTS", None)

    owner = os.getpid()
    getpid, write, dumps, sha256 = os.getpid, os.write, json.dumps, hashlib.sha256
    fd = int(number)
    try:
        os.set_inheritable(fd, False)
    except OSError:
        return None
    stream = binascii.hexlify(os.urandom(8)).decode()
    count = [0]

    def send(event, **facts):
        if getpid() != owner:
            return
        facts["event"] = event
        text = dumps(facts)
        signed = "%s|%s|%d|%s|%s" % (key, stream, count[0], text, key)
        mac = sha256(signed.encode()).hexdigest()
        line = ("legwork %s %d %s %s\n" % (stream, count[0], mac, text)).encode()
        count[0] += 1
        while line:
            try:
                line = line[write(fd, line) :]
            except OSError:
                return

    return send


def _plugin(send):
    import pytest

    def error_of(report):
        crash = getattr(report.longrepr, "reprcrash", None)
        text = getattr(crash, "message", None) or str(report.longrepr)
        lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
        if crash is None:
            # What failed to load tells its error in the last line, behind an `E`.
            last = [line for line in lines if line.startswith("E ")]
            lines = [(last or lines)[-1].lstrip("E ").strip()]
        name = lines[0].partition(":")[0]
        return name[:100] if name.replace(".", "").isidentifier() else "AssertionError"

    class Events:
        def __init__(self):
            self.raised = {}

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionstart(self, session):
            send("session", pytest=pytest.__version__)

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            ids = [item.nodeid[:1000] for item in session.items]
            for start in range(0, len(ids), 200):
                send("collected", ids=ids[start : start + 200])

        def pytest_collectreport(self, report):
            if report.failed:
                send("unloadable", id=report.nodeid[:1000], error=error_of(report))

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logstart(self, nodeid, location):
            send("begin", id=nodeid[:1000])

        # The innermost wrapper sees what the test itself raised, whatever other plugins make of it.
        @pytest.hookimpl(hookwrapper=True, trylast=True)
        def pytest_runtest_call(self, item):
            outcome = yield
            self.raised[item.nodeid] = outcome.excinfo is not None

        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logreport(self, report):
            send(
                "phase",
                id=report.nodeid[:1000],
                when=report.when,
                outcome=report.outcome,
                expected=hasattr(report, "wasxfail"),
                raised=report.when == "call" and self.raised.pop(report.nodeid, False),
                error=error_of(report) if report.failed else None,
                seconds=round(report.duration, 3),
            )

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_sessionfinish(self, session, exitstatus):
            yield
            status = getattr(session, "exitstatus", exitstatus)
            send("finish", exit=int(status), collect_only=bool(session.config.getoption("collectonly", False)))

    return Events()


_send = _start()
if _send is not None:
    _send("start")

    def pytest_configure(config, send=_send):
        config.pluginmanager.register(_plugin(send), "legwork-events")

    # Only the first configuration of the process is told of: a test may start pytest inside itself.
    _configure = pytest_configure

    def pytest_configure(config, once=[_configure]):  # noqa: F811
        if once:
            once.pop()(config)

    del _configure
del _send, _start
