"""What the whole-run tests share: running the program as a user does, and looking at what came out.

A test file is test_NAME.py with classes derived from handlens.LabTest; ctest finds it by its name
and runs it twice when it is root: as root, and as nobody. The environment says what is tested:

    HANDLENS            the program
    HANDLENS_BUILD      its build folder, where there is one
    HANDLENS_SANITIZE   what it was built with, empty for an optimised build
    HANDLENS_COVERAGE   ON where it counts its branches, and so is slow to end

By hand: HANDLENS=build/release/handlens python3 tests/lab/test_run.py -v
"""

import concurrent.futures
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HANDLENS = os.path.abspath(os.environ.get("HANDLENS", "build/release/handlens"))
SANITIZED = bool(os.environ.get("HANDLENS_SANITIZE"))
COUNTED = os.environ.get("HANDLENS_COVERAGE") == "ON"
SANITIZER_REPORT = re.compile(r"(Address|Leak|Thread)Sanitizer|\.[ch]:\d+:\d+: runtime error")

# Whether whoever runs this may have a private loopback. If not, root still has the machine's own, one
# test at a time, and nobody else can run anything.
PRIVATE = subprocess.call(["unshare", "-Urn", "true"], stderr=subprocess.DEVNULL) == 0
needs_private = unittest.skipUnless(PRIVATE, "no private loopback on this machine")

# Exit statuses, as src/support/error.h has them.
DONE, CHECK_FAILED, USAGE, NOT_ALLOWED, DAMAGED = range(5)


class Result:
    """What a finished program left: status, out and err as text, seconds of wall clock."""

    def __init__(self, arguments, status, out, err, seconds):
        self.arguments, self.status, self.seconds = arguments, status, seconds
        self.out_bytes = out
        self.out = out.decode("utf-8", "backslashreplace")
        self.err = err.decode("utf-8", "backslashreplace")

    def json(self):
        """The events of `run --as json`."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        command = " ".join(map(str, self.arguments))
        return (f"{command}: status {self.status} after {self.seconds:.2f} s\n"
                f"--- stdout\n{self.out}--- stderr\n{self.err}---")


def processes_of_session(session):
    """The command lines of the processes that live in the session, zombies apart."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if command:  # none: it is just ending, and has let go of its memory
                    found.append(command)
        except (OSError, IndexError):
            pass  # it has just ended
    return found


class LabTest(unittest.TestCase):
    """Runs everything in a folder of its own, and at the end looks for what was left behind."""

    @classmethod
    def setUpClass(cls):
        if not PRIVATE:
            lock = open(HANDLENS + ".lock", "w", encoding="ascii")
            cls.addClassCleanup(lock.close)
            fcntl.flock(lock, fcntl.LOCK_EX)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="handlens-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.work = self.folder / "work"
        self.work.mkdir()

    def tearDown(self):
        self.assertEqual(list(self.temporary.iterdir()), [], "files were left in TMPDIR")

    def environment(self, **changes):
        """A plain user's environment; a change to None takes the variable away."""
        base = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.folder),
                "TMPDIR": str(self.temporary), "LANG": "C.UTF-8", "COLUMNS": "80", "TERM": "dumb",
                "SHELL": "/bin/sh"}  # what tmux starts things by; nobody has none
        base.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        base.update(changes)
        return {k: v for k, v in base.items() if v is not None}

    def start(self, *arguments, env=None, **options):
        """Starts handlens in a session of its own."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "cwd": self.work, **options}
        return subprocess.Popen([HANDLENS, *map(str, arguments)], start_new_session=True,
                                env=self.environment(**(env or {})), **options)

    def finish(self, process, started, timeout, out=b"", err=b""):
        """Waits for a started handlens; out and err are what was already read from it."""
        try:
            rest_out, rest_err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            rest_out, rest_err = process.communicate()
            result = Result(process.args, "none, killed", out + rest_out, err + rest_err, timeout)
            self.fail(f"did not end\n{result}")
        result = Result(process.args, process.returncode, out + (rest_out or b""),
                        err + (rest_err or b""), time.monotonic() - started)
        self.assertNotRegex(result.err, SANITIZER_REPORT, result)
        self.assertEqual(processes_of_session(process.pid), [], "processes were left behind")
        return result

    def run_handlens(self, *arguments, status=DONE, timeout=30, **options):
        """Runs it to its end, which must come with this exit status (None: any)."""
        started = time.monotonic()
        result = self.finish(self.start(*arguments, **options), started, timeout)
        if status is not None:
            self.assertEqual(result.status, status, result)
        return result

    def side_by_side(self, work, names):
        """Pairs of a name and work(name), several at a time: most labs only wait. A failure is
        told as that name's, and its pair is left out."""
        pairs = []
        with concurrent.futures.ThreadPoolExecutor(6 if PRIVATE else 1) as pool:
            for name, future in [(name, pool.submit(work, name)) for name in names]:
                with self.subTest(lab=name):
                    pairs.append((name, future.result()))
        return pairs

    def run_on_terminal(self, *arguments, columns=80, env=None, timeout=30):
        """Runs it with a terminal for stdout and stderr; returns status and what was shown."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start(*arguments, stdout=theirs, stderr=theirs,
                             env={"COLUMNS": None, "TERM": "xterm-256color", **(env or {})})
        os.close(theirs)
        shown, deadline = b"", time.monotonic() + timeout
        while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # EIO: the terminal's last user has gone
                break
            shown += chunk
        os.close(ours)
        self.finish(process, deadline - timeout, 5)
        return process.returncode, shown.decode("utf-8", "backslashreplace")

    def read_until(self, process, text, timeout=20):
        """Reads the process's stderr until text has come; returns what was read."""
        got, deadline = b"", time.monotonic() + timeout
        while text.encode() not in got:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stderr], [], [], left)[0]:
                process.kill()
                self.fail(f"'{text}' never came; stderr was: {got.decode()}")
            chunk = os.read(process.stderr.fileno(), 65536)
            if not chunk:
                self.fail(f"it ended before '{text}' came; stderr was: {got.decode()}")
            got += chunk
        return got

    def tool(self, *command, stdin=None, status=DONE):
        """Runs another program, which must end with this exit status (None: any); skips the test
        where it is not installed."""
        if not shutil.which(command[0], path=self.environment()["PATH"]):
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run([*map(str, command)], stdin=stdin or subprocess.DEVNULL, timeout=60,
                              capture_output=True, env=self.environment(), cwd=self.work)
        result = Result(command, done.returncode, done.stdout, done.stderr, 0)
        if status is not None:
            self.assertEqual(result.status, status, result)
        return result

    def lab(self, text, name="mine.lua"):
        """Writes a lab into the work folder and returns its path."""
        path = self.work / name
        path.write_text(text)
        return path

    def capture(self, lab="hello", name="capture.pcapng", *arguments):
        """Runs the lab with -w and returns the file's path."""
        path = self.work / name
        self.run_handlens("run", lab, "-w", path, *arguments)
        return path

    def json(self, path, event=None):
        """The events of `view --as json`, or only those of one kind."""
        events = [json.loads(line)
                  for line in self.run_handlens("view", path, "--as", "json").out.splitlines()]
        return [e for e in events if event in (None, e["event"])]

    def assert_one_sentence(self, result, *words):
        """stderr says one clear thing: it has all the words, and no more than a few lines."""
        for word in words:
            self.assertIn(word, result.err, result)
        self.assertLessEqual(len(result.err.strip().splitlines()), 6, result)
        self.assertNotRegex(result.err, r"\[C\]: in|PANIC|assert", result)


def normalised(text):
    """Durations, and ports that the kernel chose, replaced by words."""
    text = re.sub(r"\b\d+(\.\d+)? (ns|us|µs|ms|s)\b", "TIME", text)
    return re.sub(r"(?<=:)(?!65432)\d{5}\b", "PORT.", text)


def main():
    if not os.access(HANDLENS, os.X_OK):
        sys.exit(f"there is no program {HANDLENS} to test")
    if not PRIVATE and os.getuid() != 0:
        print("skipped: user namespaces are off, and only root may do without them")
        sys.exit(77)
    unittest.main(verbosity=2)
