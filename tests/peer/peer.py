"""What the peer tests share: handlens with real clients and servers, written by others.

A test file is test_NAME.py with classes derived from peer.PeerTest; ctest finds it by its name. Like
tests/lab, which this builds upon, it takes the program from the environment:

    HANDLENS=build/release/handlens python3 tests/peer/test_tutorials.py -v

The tutorials' programs use fixed ports and the machine's own name. Each test of them has a World: a
network of its own, where every port is free and the machine is called localhost.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import handlens  # noqa: E402
from handlens import DONE, HANDLENS, NOT_ALLOWED, USAGE  # noqa: E402, F401

PROGRAMS = HERE / "programs"
PYTHON = [sys.executable, "-u"]
PATIENCE = 60 if handlens.SANITIZED else 30


class Output:
    """One output of a program, collected by a thread while others wait for what comes."""

    def __init__(self, stream):
        self.bytes, self.ended = b"", False
        self.stream, self.changed = stream, threading.Condition()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        while True:
            chunk = os.read(self.stream.fileno(), 65536)
            with self.changed:
                self.bytes += chunk
                self.ended = not chunk
                self.changed.notify_all()
            if not chunk:
                return

    @property
    def text(self):
        return self.bytes.decode("utf-8", "backslashreplace")

    def wait(self, text, times, timeout):
        """Whether the text comes so often within the time."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.text.count(text) >= times, timeout)
            return self.text.count(text) >= times


class Program:
    """A program that runs beside the test. Ended with the test at the latest."""

    def __init__(self, test, command, **options):
        self.test = test
        options = {"stdin": subprocess.PIPE, "cwd": test.work, "env": test.environment(), **options}
        self.process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True, **options)
        self.out, self.err = Output(self.process.stdout), Output(self.process.stderr)
        self.started = time.monotonic()
        test.addCleanup(self.clean_up)

    def __str__(self):
        command = " ".join(self.process.args)
        return (f"{command}: status {self.process.poll()}\n"
                f"--- stdout\n{self.out.text}--- stderr\n{self.err.text}---")

    def clean_up(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        for output in (self.out, self.err):
            output.thread.join()
            output.stream.close()

    def says(self, text, where="err", times=1):
        """Waits until the program has said so, so often."""
        output = self.out if where == "out" else self.err
        if not output.wait(text, times, PATIENCE):
            self.test.fail(f"'{text}' never came ({times} times)\n{self}")
        return output.text

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end_input(self):
        self.process.stdin.close()

    def signal(self, number):
        self.process.send_signal(number)

    def ends(self, status=DONE):
        """Waits for its end, which must come with this status (None: any)."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.test.fail(f"did not end\n{self}")
        for output in (self.out, self.err):
            output.thread.join()
        self.test.assertNotRegex(self.err.text, handlens.SANITIZER_REPORT, str(self))
        if status is not None:
            self.test.assertEqual(self.process.returncode, status, str(self))
        return self

    def interrupted(self, status=DONE):
        """Ends it as Ctrl-C does."""
        self.signal(signal.SIGINT)
        return self.ends(status)


class World:
    """A network of its own, kept by a process that does nothing; and, inside it, others beside it."""

    def __init__(self, test, inside=None):
        within = inside.enter if inside else []
        namespaces = ["-n", "--uts"] if inside or not handlens.PRIVATE else ["-Urn", "--uts"]
        script = "ip link set lo up && hostname localhost && echo up && read _"
        self.keeper = Program(test, [*within, "unshare", *namespaces, "sh", "-c", script])
        if not self.keeper.out.wait("up", 1, PATIENCE):
            test.skipTest(f"no network of its own: {self.keeper.err.text.strip()}")
        self.pid = str(self.keeper.process.pid)
        user = ["-U", "--preserve-credentials"] if handlens.PRIVATE else []
        self.enter = ["nsenter", "-t", self.pid, *user, "-n", "-u", "--"]


class PeerTest(handlens.LabTest):
    """LabTest, and programs that run at the same time."""

    @classmethod
    def setUpClass(cls):  # none of these has the machine's loopback to itself, nor needs it
        pass

    def need(self, *tools):
        for tool in tools:
            if not shutil.which(tool, path=self.environment()["PATH"]):
                self.skipTest(f"{tool} is not installed")

    def program(self, *command, world=None, **options):
        return Program(self, [*(world.enter if world else []), *command], **options)

    def handlens(self, *arguments, world=None, **options):
        return self.program(HANDLENS, *arguments, world=world, **options)

    def python(self, name, *arguments, world=None, **options):
        return self.program(*PYTHON, PROGRAMS / name, *arguments, world=world, **options)

    def serve(self, lab, *arguments, world=None, **options):
        """Starts a server and waits until it listens; program.port is where."""
        return self.listening(self.handlens("serve", lab, *arguments, world=world, **options))

    def serve_with_few(self, descriptors, lab):
        """The same, with no more descriptors than that."""
        self.need("prlimit")
        return self.listening(self.program("prlimit", f"--nofile={descriptors}:{descriptors}", HANDLENS, "serve",
                                           lab, "--port", "0"))

    @staticmethod
    def listening(server):
        said = server.says("Ctrl-C ends it")
        address = said.rpartition("serving ")[2].split(" on ")[1].split(";")[0].split(" ")[0]
        server.port = int(address.rstrip(":").rpartition(":")[2])
        return server


class WorldTest(PeerTest):
    """Each test in a world of its own."""

    def setUp(self):
        super().setUp()
        self.need("unshare", "nsenter", "ip")
        if not handlens.PRIVATE and os.getuid() != 0:
            self.skipTest("no network namespaces for this user")
        self.world = World(self)


def main():
    if not os.access(HANDLENS, os.X_OK):
        sys.exit(f"there is no program {HANDLENS} to test")
    unittest.main(verbosity=2)
