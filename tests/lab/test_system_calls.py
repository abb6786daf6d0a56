"""How many system calls an exchange takes, and which come first. What strace counts does not depend on
the machine."""

import collections
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import handlens

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"
EXCHANGE, ECHO = BENCH / "exchange.lua", BENCH / "echo.lua"
LEAST, MOST = 200, 600  # exchanges; after a hundred the kernel's state is no longer asked for

# The call's own ten, and what it costs that both ends are played on one thread: an accept and a recv
# that come too early, the end of the handshake, the client's port, one look for events.
EXPECTED = {"socket": 1, "connect": 1, "accept4": 2, "sendto": 2, "recvfrom": 4, "close": 2,
            "poll": 2, "getsockopt": 1, "getsockname": 1, "epoll_wait": 1, "epoll_ctl": 0,
            "ioctl": 0}


CONNECTIONS = 8
ROUNDS = 50, 150  # of one message on each connection
CROWD = 1500      # connections; the event loop is told of at most 1,024 at a time
CROWD_ROUNDS = 2, 12
MESSAGES = [b"x" * 64, b"x" * 20000]


def strace_works():
    return shutil.which("strace") is not None and subprocess.call(
        ["strace", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL) == 0


def counted(path):
    """The calls in what strace has counted, by name."""
    calls = collections.Counter()
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit():
            calls[words[-1]] = int(words[3])
    return calls


@unittest.skipIf(handlens.SANITIZED, "the sanitizers make calls of their own")
@unittest.skipUnless(strace_works(), "no strace here, or it may not trace")
@handlens.needs_private
class Exchange(unittest.TestCase):
    def count(self, exchanges):
        """The calls of a run with so many exchanges, by name."""
        with tempfile.TemporaryDirectory() as folder:
            counts = pathlib.Path(folder) / "counts"
            done = subprocess.run(
                ["strace", "-f", "-c", "-o", str(counts), handlens.HANDLENS, "run", str(EXCHANGE),
                 "--no-capture", "--repeat", str(exchanges), "--as", "flows", "-q"],
                capture_output=True, check=False)
            self.assertEqual(done.returncode, handlens.DONE, done.stderr.decode())
            return counted(counts)

    def test_an_exchange_takes_no_more_than_its_own_calls_and_seven(self):
        least, most = self.count(LEAST), self.count(MOST)
        self.assertEqual({name: round((most[name] - least[name]) / (MOST - LEAST))
                          for name in EXPECTED}, EXPECTED)

    def test_the_event_loop_is_opened_behind_the_fence(self):
        """A libuv that knows io_uring would else have one that it is not let use."""
        with tempfile.TemporaryDirectory() as folder:
            calls = pathlib.Path(folder) / "calls"
            done = subprocess.run(
                ["strace", "-f", "-o", str(calls), "-e", "trace=seccomp,epoll_create1,io_uring_setup",
                 handlens.HANDLENS, "run", str(EXCHANGE), "-q"], capture_output=True, check=False)
            self.assertEqual(done.returncode, handlens.DONE, done.stderr.decode())
            made = calls.read_text().splitlines()
        fences = [n for n, line in enumerate(made)
                  if "SECCOMP_SET_MODE_FILTER" in line and line.endswith("= 0")]
        loops = [n for n, line in enumerate(made) if "epoll_create1(" in line]
        self.assertTrue(fences and loops, made)
        self.assertLess(max(fences), min(loops), made)


@unittest.skipIf(handlens.SANITIZED, "the sanitizers make calls of their own")
@unittest.skipUnless(strace_works(), "no strace here, or it may not trace")
class Reply(unittest.TestCase):
    def echo(self, peers, message):
        """One message on each connection, all under way at once."""
        for peer in peers:
            peer.sendall(message)
        for peer in peers:
            left = len(message)
            while left > 0:
                left -= len(peer.recv(left))

    def count(self, rounds, message, connections=CONNECTIONS):
        """The calls of a server that has echoed so often on each of its connections, by name."""
        with tempfile.TemporaryDirectory() as folder:
            counts = pathlib.Path(folder) / "counts"
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            server = subprocess.Popen(
                ["strace", "-f", "-c", "-o", str(counts), handlens.HANDLENS, "serve", str(ECHO),
                 "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True)
            try:
                self.assertIn(b"Ctrl-C", server.stderr.readline())
                peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
                for _ in range(rounds):
                    self.echo(peers, message)
            finally:
                os.killpg(server.pid, signal.SIGINT)
                server.communicate()
            for peer in peers:  # not before: how many of the ends the server still sees is chance
                peer.close()
            return counted(counts)

    def test_a_reply_takes_a_recv_and_a_send_and_shares_its_waits(self):
        for message in MESSAGES:
            with self.subTest(bytes=len(message)):
                least, most = (self.count(rounds, message) for rounds in ROUNDS)
                replies = (ROUNDS[1] - ROUNDS[0]) * CONNECTIONS
                more = {name: (most[name] - least[name]) / replies for name in most}
                self.assertEqual(round(more["recvfrom"], 1), 1)
                self.assertEqual(round(more["sendto"], 1), 1)
                for name in ("epoll_ctl", "brk", "mmap", "munmap"):
                    self.assertAlmostEqual(more.get(name, 0), 0, delta=0.02, msg=name)
                self.assertLess(more["epoll_wait"], 1)

    def test_a_crowd_costs_each_no_more_and_is_waited_for_together(self):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limits[1] < CROWD + 100:
            self.skipTest(f"this user may not open {CROWD} files: ulimit -Hn")
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        least, most = (self.count(rounds, MESSAGES[0], CROWD) for rounds in CROWD_ROUNDS)
        replies = (CROWD_ROUNDS[1] - CROWD_ROUNDS[0]) * CROWD
        more = {name: (most[name] - least[name]) / replies for name in most}
        # A first recv that comes too early, or not, may be each connection's share of the difference.
        self.assertAlmostEqual(more["recvfrom"], 1, delta=0.2)
        self.assertAlmostEqual(more["sendto"], 1, delta=0.01)
        self.assertLess(more.get("epoll_ctl", 0), 0.1)
        self.assertLess(more["epoll_wait"], 0.5)


if __name__ == "__main__":
    handlens.main()
