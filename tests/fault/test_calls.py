"""Calls of the C library that fail: the first, a later one, the last, and all of them from the first.

faults.c makes them fail. Whatever fails, the program ends by itself, in its time, and either did all
that it was asked for, or says in a sentence what it did not.
"""

import errno
import os
import re
import select
import signal
import socket
import subprocess
import time
import unittest

import fault
import handlens
from fault import DAMAGED, DONE, HANDLENS, NOT_ALLOWED, USAGE

LIBRARY = os.environ.get("HANDLENS_FAULTS", "")

# What the manual pages know of, for the calls that the program or its libraries make.
ERRORS = {
    "socket": "EMFILE ENOMEM EACCES", "socketpair": "EMFILE", "bind": "EADDRINUSE ENOMEM",
    "listen": "EADDRINUSE", "accept4": "ECONNABORTED EMFILE ENOMEM EAGAIN EINTR EPERM",
    "connect": "ECONNREFUSED ENOMEM ETIMEDOUT EAGAIN", "send": "ECONNRESET EPIPE ENOMEM EAGAIN EINTR",
    "sendto": "ENOMEM", "recv": "ECONNRESET ENOMEM EAGAIN EINTR", "shutdown": "ENOTCONN",
    "setsockopt": "ENOMEM ENOPROTOOPT", "getsockopt": "ENOMEM", "getsockname": "ENOBUFS",
    "epoll_create1": "EMFILE ENOMEM", "epoll_ctl": "ENOMEM ENOSPC", "poll": "ENOMEM EINTR", "read": "EIO EINTR", "write": "ENOSPC EIO EINTR",
    "mmap": "ENOMEM", "eventfd": "EMFILE ENOMEM", "pipe": "EMFILE", "pipe2": "EMFILE",
    "memfd_create": "EMFILE", "ftruncate": "EIO", "fstat": "ENOMEM", "lseek": "EINVAL",
    "fork": "EAGAIN ENOMEM", "unshare": "EPERM ENOSPC", "setns": "EPERM", "open": "EMFILE ENOMEM EINTR",
    "openat": "EMFILE", "fopen": "EMFILE", "pthread_create": "EAGAIN",
}
# libuv asks for each descriptor whether it can be watched, and tells if not. What it does when the
# same call fails a moment later is an abort: so of these only the first of all is tried.
FIRST_ALONE = {"epoll_ctl"}
# The end of "an interrupted call is made again": opening is not interrupted without a handler that
# wants it so, and there is none.
NOT_AGAIN = {"open", "openat"}


@unittest.skipUnless(os.path.exists(LIBRARY), "HANDLENS_FAULTS names no library")
@unittest.skipIf(handlens.SANITIZED, "a sanitizer's own calls would fail as well")
class Calls(fault.FaultTest):
    limit = 60

    def faulty(self, what, **more):
        return {"LD_PRELOAD": LIBRARY, "FAULT": what, **more}

    def start(self, *arguments, env=None, **options):
        """In a network of its own: without a private loopback, for which calls may fail, it takes
        what it finds, and there others are at work."""
        env = dict(env or {})
        preload = env.pop("LD_PRELOAD", "")
        if not preload or arguments[0] == "serve":
            return super().start(*arguments, env={**env, "LD_PRELOAD": preload or None}, **options)
        line = f"ip link set lo up && LD_PRELOAD='{preload}' exec \"$0\" \"$@\""
        return subprocess.Popen(["unshare", "-rn", "sh", "-c", line, HANDLENS, *map(str, arguments)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.work, start_new_session=True,
                                env=self.environment(**env), **options)

    def counts(self, *arguments, what="none:0:0"):
        """How often it makes each call when none fails."""
        path = self.folder / f"counts-{arguments[0]}"
        self.run_handlens(*arguments, env=self.faulty(what, FAULT_COUNTS=str(path)))
        found = {}
        for line in path.read_text().splitlines():
            name, count = line.split()
            found[name] = max(found.get(name, 0), int(count))
        path.unlink()
        return found

    def faults(self, counts):
        """NAME:ERROR:N of all that can be made to fail."""
        for name, errors in ERRORS.items():
            count = counts.get(name, 0)
            for word in errors.split():
                numbers = sorted({1, 2, (count + 1) // 2, count} & set(range(1, count + 1)))
                # A call that is interrupted each time it is made does not end, nor has it to.
                again = [] if word in ("EINTR", "EAGAIN") else ["1+"][:count]
                if name in FIRST_ALONE:
                    numbers, again = numbers[:1], []
                # Refused a descriptor with one to spare, time after time, a server waits on.
                if (name, word) == ("accept4", "EMFILE"):
                    again = []
                for number in [*map(str, numbers), *again]:
                    yield f"{name}:{word}:{number}"

    def faults_of_run(self, *arguments):
        """Of a run with both ends here no socket is watched: only libuv's own calls of epoll_ctl are
        left, and when one of those fails it aborts."""
        counts = self.counts(*arguments)
        counts.pop("epoll_ctl", None)
        return self.faults(counts)

    def code(self, what):
        name, word, number = what.split(":")
        return f"{name}:{getattr(errno, word, 0)}:{number}"

    def assert_ends_well(self, result, what):
        # That what was recorded cannot be read back is told as of any other file.
        reading = what.split(":")[0] in ("read", "lseek", "alloc")
        expected = (DONE, USAGE, NOT_ALLOWED) + ((DAMAGED,) if reading else ())
        self.assertIn(result.status, expected, f"{what}\n{result}")
        if result.status != DONE:  # of several files, the report tells
            self.assertRegex(result.err + result.out, r"(?m)^handlens: \S.* \S|\bcannot (be )?|^out of memory$|without\sa\sverdict",
                             f"{what}\n{result}")
            self.assertLessEqual(len(result.err.splitlines()), 8, f"{what}\n{result}")
        if ":EINTR:" in what and what.split(":")[0] not in NOT_AGAIN:
            self.assertEqual(result.status, DONE, f"{what}: an interrupted call is made again\n{result}")

    def try_all(self, faults, arguments, complete):
        """Runs the command with each fault. arguments(number) makes them; where it ends with DONE,
        complete(result, number) must hold."""
        def one(case):
            number, what = case
            result = self.run_handlens(*arguments(number), status=None, timeout=self.limit,
                                       env=self.faulty(self.code(what)))
            self.assert_ends_well(result, what)
            if result.status == DONE:
                self.assertTrue(complete(result, number), f"{what}: not all is there\n{result}")
            return what

        tried = self.at_once(one, list(enumerate(faults)))
        self.assertGreater(len(tried), 5)

    def is_hello(self, result):
        """On a busy machine the kernel may acknowledge on its own, too."""
        return bool(re.search(r"\b1\d packets", result.out)) and "Hello from the server" in result.out

    def test_of_run(self):
        def arguments(number):
            return ["run", "hello", "--timeout", "5", "-w", f"{number}.pcapng", "--html",
                    f"{number}.html"]

        def complete(result, number):
            kept = self.run_handlens("view", f"{number}.pcapng")
            page = (self.work / f"{number}.html").read_bytes()
            return (self.is_hello(result) and kept.out == result.out and
                    page.rstrip().endswith(b"</html>"))

        self.try_all(self.faults_of_run(*arguments("count")), arguments, complete)

    def test_of_view(self):
        capture = self.capture()
        whole = self.run_handlens("view", capture).out_bytes

        def arguments(number):
            return ["view", capture, "-o", f"{number}.txt"]

        def complete(_, number):
            return (self.work / f"{number}.txt").read_bytes() == whole

        counts = self.counts(*arguments("count"))
        self.try_all(self.faults(counts), arguments, complete)

    def judged(self, out):
        return handlens.normalised(out)

    def test_of_check(self):
        captures = [self.capture("hello", f"{n}.pcapng") for n in range(3)]
        runs = ["check", "hello"]
        files = ["check", "hello", *captures]
        for command in (runs, files):
            whole = self.run_handlens(*command).out

            def complete(result, _, whole=whole):
                return self.judged(result.out) == self.judged(whole)

            self.try_all(self.faults_of_run(*command), lambda _, c=command: c, complete)

    def test_too_few_descriptors_are_said(self):
        """Whatever is opened first, and whatever finds none left."""
        def one(limit):
            done = subprocess.run(["sh", "-c", f'ulimit -n {limit}; exec "$0" run hello', HANDLENS],
                                  capture_output=True, timeout=self.limit, env=self.environment(),
                                  stdin=subprocess.DEVNULL, cwd=self.work)
            result = handlens.Result([limit], done.returncode, done.stdout, done.stderr, 0)
            self.assertIn(result.status, (DONE, USAGE, NOT_ALLOWED), result)
            if result.status == DONE:
                self.assertTrue(self.is_hello(result), result)
            else:
                self.assertRegex(result.err, r"(?i)too many open files|cannot open shared object",
                                 result)
            return result.status

        # The loader needs one, and so may a sanitizer.
        self.assertEqual(set(self.at_once(one, range(5, 40))) & {DONE, NOT_ALLOWED},
                         {DONE, NOT_ALLOWED})

    def served(self, port):
        """What a client is told, or None."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(b"Hello from the client")
                return client.recv(100)
        except OSError:
            return None

    def serve(self, what, tag):
        """Serves under a fault; returns the result, and what three clients were told."""
        lab = self.lab("lab.port = 7000\nfunction lab.reply(message) return message end",
                       f"serve-{tag}.lua")
        port = free_port()
        started = time.monotonic()
        counts = str(self.folder / "counts-serve")
        process = self.start("serve", lab, "--port", port, "-w", f"serve-{tag}.pcapng",
                             env=self.faulty(what, FAULT_COUNTS=counts))
        err, told = b"", []
        while b"Ctrl-C ends it" not in err:
            ready = select.select([process.stderr], [], [], self.limit)[0]
            chunk = os.read(process.stderr.fileno(), 65536) if ready else b""
            if not chunk:
                break
            err += chunk
        else:
            told = [self.served(port) for _ in range(3)]
            process.send_signal(signal.SIGTERM)
        return self.finish(process, started, self.limit, err=err), told

    @unittest.skipIf(os.getuid() != 0, "only root may capture on this machine's loopback")
    def test_of_serve(self):
        whole = [b"Hello from the client"] * 3
        result, told = self.serve("none:0:0", "count")
        self.assertEqual((result.status, told), (DONE, whole), result)
        counts = dict(line.split() for line in (self.folder / "counts-serve").read_text().splitlines())
        counts = {name: int(count) for name, count in counts.items()}

        def one(case):
            number, what = case
            result, told = self.serve(self.code(what), number)
            if result.status == -signal.SIGTERM and None in told:
                return what  # it was ending by itself, and listened to no signal any more
            self.assert_ends_well(result, what)
            name, word, count = what.split(":")
            if name in ("accept4", "recv", "send") and count != "1+" and \
                    word in ("EINTR", "ECONNABORTED", "EAGAIN"):
                self.assertEqual(told, whole, f"{what}\n{result}")
            return what

        self.at_once(one, list(enumerate(self.faults(counts))))


@unittest.skipUnless(os.path.exists(LIBRARY), "HANDLENS_FAULTS names no library")
class Memory(Calls):
    """The same for allocations: one that fails, and all of them from one on."""

    STEP = int(os.environ.get("HANDLENS_MEMORY_STEP", "11"))

    def faults(self, counts):
        # Where there are few ways, all are tried.
        for number in range(1, counts["alloc"] + 1, min(self.STEP, counts["alloc"] // 40 + 1)):
            yield f"alloc:ENOMEM:{number}"
            yield f"alloc:ENOMEM:{number}+"

    def test_of_the_other_views(self):
        """Each has lists of its own that grow. Known to fail: json and html may lack a field where
        jansson has no memory for it."""
        capture = self.capture()
        for form in ("packets", "bytes", "stream", "flows"):
            command = ["view", capture, "--as", form]
            whole = self.run_handlens(*command).out

            def complete(result, _, whole=whole):
                return result.out == whole

            self.try_all(self.faults(self.counts(*command)), lambda _, c=command: c, complete)

    def judged(self, out):
        """A verdict may stand alone, without memory for its words and the packets that show it."""
        return [line for line in out.splitlines() if "passed" in line]

    def counts(self, *arguments, what="alloc:0:0"):
        return super().counts(*arguments, what=what)

    def serve(self, what, tag):
        return super().serve("alloc:0:0" if what.startswith("none") else what, tag)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    fault.main()
