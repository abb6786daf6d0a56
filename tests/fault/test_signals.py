"""Signals at any moment of a run."""

import os
import pty
import random
import signal
import termios
import time

import fault
import handlens
from fault import DONE, USAGE

# Ends by itself after a while, in which both sides are busy.
SHORT = """
lab.port = 65432
function lab.reply(message) return message end
function lab.client(server)
  local sock = socket.connect(server)
  for i = 1, 300 do
    sock:sendall(("x"):rep(100))
    sock:recv(1000)
  end
  sock:close()
end
"""

ENDLESS = """
lab.port = 65432
function lab.server(listener)
  listener:accept():recv(10)
end
function lab.client(server)
  local sock = socket.connect(server)
  print("connected")
  sleep(1000)
end
"""

# Computes without end or call, for as long as the limit on that lets it: no signal is heard in it.
DEAF = """
lab.port = 65432
lab.timeout = 60
function lab.reply(message) return message end
function lab.client(server)
  print("deaf")
  local text = ("a"):rep(5000)
  for _ = 1, 1000000 do text:find((".-"):rep(4) .. "b") end
end
"""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HARMLESS = (signal.SIGPIPE, signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP, signal.SIGCHLD,
            signal.SIGXFSZ)
TRIES = 20 if handlens.SANITIZED else 60


class Signals(fault.FaultTest):
    def test_that_end_it_at_any_moment_leave_a_whole_file(self):
        lab = self.lab(fault.TRAFFIC)
        choose = random.Random(2)
        cases = [(n, choose.choice(ENDING), choose.uniform(0, 0.3)) for n in range(TRIES)]

        def one(case):
            number, sent, delay = case
            path = self.work / f"{number}.pcapng"
            started = time.monotonic()
            process = self.start("run", lab, "-w", path, "--as", "flows")
            time.sleep(delay)
            process.send_signal(sent)
            result = self.finish(process, started, 60)
            # Before the exchange begins there is nothing to finish, and none of it is shown.
            self.assertIn(result.status, (DONE, -sent), result)
            if path.exists() and path.stat().st_size > 0:
                self.run_handlens("view", path, "--as", "packets")
            if result.status == DONE:
                self.assertIn("flow", result.out, result)
                self.assertIn(f"the trace is in {path}", result.err, result)
            return result.status

        self.assertIn(DONE, self.at_once(one, cases), "none of them had begun")

    def test_that_mean_no_end_change_nothing(self):
        lab = self.lab(SHORT)
        choose = random.Random(3)

        def one(number):
            started = time.monotonic()
            # The search for leaks at the end stops all threads by signals of its own, and may wait
            # for ever for one that these signals have set going again.
            process = self.start("run", lab, "--as", "flows",
                                 env={"ASAN_OPTIONS": "detect_leaks=0"})
            # Before main they would mean an end, as for any program.
            while process.poll() is None and not is_set(process.pid, "SigIgn", signal.SIGXFSZ):
                time.sleep(0.001)
            while process.poll() is None and time.monotonic() - started < 60:
                time.sleep(choose.uniform(0, 0.01))
                process.send_signal(choose.choice(HARMLESS))
                process.send_signal(signal.SIGCONT)
            result = self.finish(process, started, 60)
            self.assertEqual(result.status, DONE, result)
            self.assertEqual(result.err, "", result)
            return number

        self.at_once(one, range(TRIES // 5))

    def test_hang_up_is_heard_but_not_under_nohup(self):
        lab = self.lab(ENDLESS)
        started = time.monotonic()
        process = self.start("run", lab, "-v", "-w", "kept.pcapng")
        err = self.read_until(process, "connected")
        process.send_signal(signal.SIGHUP)
        result = self.finish(process, started, 20, err=err)
        self.assertEqual(result.status, DONE, result)
        self.assertRegex(result.out, r"(?s)SYN.*SYN ACK")
        self.run_handlens("view", "kept.pcapng")
        process = self.start("run", lab, "-v", preexec_fn=lambda: signal.signal(signal.SIGHUP,
                                                                                 signal.SIG_IGN))
        err = self.read_until(process, "connected")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)  # what does not come cannot be waited for
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process, started, 20, err=err).status, DONE)

    def test_a_second_one_ends_it_at_once(self):
        lab = self.lab(DEAF)
        for sent in ENDING:
            started = time.monotonic()
            process = self.start("run", lab, "-v", "-w", f"{sent}.pcapng")
            self.read_until(process, "deaf")
            process.send_signal(sent)
            # Two of a kind that nobody has heard yet are one: until it has been.
            while is_set(process.pid, "SigPnd", sent) or is_set(process.pid, "ShdPnd", sent):
                time.sleep(0.001)
            process.send_signal(sent)
            process.wait(20)
            self.assertEqual(process.returncode, -sent)
            process.communicate()
            self.run_handlens("view", f"{sent}.pcapng")
            self.assertLess(time.monotonic() - started, 20)


def is_set(pid, mask, number):
    """Whether the signal is in that mask of the process, as /proc tells it; not if it has ended."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = [line.split()[1] for line in file if line.startswith(mask + ":")]
    return bool(found) and int(found[0], 16) >> (number - 1) & 1 == 1


class Terminal(fault.FaultTest):
    def test_is_as_it_was_after_every_end(self):
        choose = random.Random(4)
        for sent in ENDING + (signal.SIGQUIT, signal.SIGTSTP):
            ours, theirs = pty.openpty()
            before = termios.tcgetattr(theirs)
            process = self.start("run", "hello", "--step", stdin=theirs, stdout=theirs, stderr=theirs,
                                 env={"TERM": "xterm"})
            shown = b""
            while b"next: " not in shown:
                shown += os.read(ours, 65536)
            self.assertNotEqual(termios.tcgetattr(theirs), before)
            time.sleep(choose.uniform(0, 0.02))
            process.send_signal(sent)
            if sent == signal.SIGTSTP:
                os.waitpid(process.pid, os.WUNTRACED)
                self.assertEqual(termios.tcgetattr(theirs), before, "while it is stopped")
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
            process.wait(30)
            self.assertEqual(termios.tcgetattr(theirs), before, f"after {sent!r}")
            self.assertIn(process.returncode, (DONE, USAGE))
            os.close(theirs)
            os.close(ours)


if __name__ == "__main__":
    fault.main()
