"""How many system calls an exchange takes, and which come first. What strace counts does not depend on
the machine."""

import collections
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import handlens

EXCHANGE = pathlib.Path(__file__).resolve().parents[1] / "bench" / "exchange.lua"
LEAST, MOST = 200, 600  # exchanges; after a hundred the kernel's state is no longer asked for

# The call's own ten, and what it costs that both ends are played on one thread: an accept and a recv
# that come too early, the end of the handshake, the client's port, one look for events.
EXPECTED = {"socket": 1, "connect": 1, "accept4": 2, "sendto": 2, "recvfrom": 4, "close": 2,
            "poll": 2, "getsockopt": 1, "getsockname": 1, "epoll_wait": 1, "epoll_ctl": 0,
            "ioctl": 0}


def strace_works():
    return shutil.which("strace") is not None and subprocess.call(
        ["strace", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL) == 0


@unittest.skipIf(handlens.SANITIZED, "the sanitizers make calls of their own")
@unittest.skipUnless(strace_works(), "no strace here, or it may not trace")
@handlens.needs_private
class SystemCalls(unittest.TestCase):
    def count(self, exchanges):
        """The calls of a run with so many exchanges, by name."""
        with tempfile.TemporaryDirectory() as folder:
            counts = pathlib.Path(folder) / "counts"
            done = subprocess.run(
                ["strace", "-f", "-c", "-o", str(counts), handlens.HANDLENS, "run", str(EXCHANGE),
                 "--no-capture", "--repeat", str(exchanges), "--as", "flows", "-q"],
                capture_output=True, check=False)
            self.assertEqual(done.returncode, handlens.DONE, done.stderr.decode())
            calls = collections.Counter()
            for line in counts.read_text().splitlines():
                words = line.split()
                if len(words) >= 5 and words[3].isdigit():
                    calls[words[-1]] = int(words[3])
            return calls

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


if __name__ == "__main__":
    handlens.main()
