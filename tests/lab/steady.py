"""Whether the labs can be relied on: checks each of them again and again beside a busy processor.

    steady.py [ROUNDS [LAB...]]

Twenty rounds unless told otherwise, of every lab. All processors but one are kept busy all the
while. A check that fails is told with all it said and the ladder of its run, and then the status
is 1. HANDLENS is the program; `./dev steady` runs this as an ordinary user.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HANDLENS = os.path.abspath(os.environ.get("HANDLENS", "build/release/handlens"))
ROUNDS = 20
SECONDS_A_CHECK = 120


def keep_busy():
    """A process for each processor but the last, and one at least, that does nothing but count."""
    processors, parent, busy = sorted(os.sched_getaffinity(0)), os.getpid(), []
    for processor in processors[:-1] or processors:
        child = os.fork()
        if child == 0:
            os.sched_setaffinity(0, {processor})
            while os.getppid() == parent:
                for _ in range(1_000_000):
                    pass
            os._exit(0)
        busy.append(child)
    return busy


def names_of_labs():
    listed = subprocess.run([HANDLENS, "labs"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?m)^  (\w+) ", listed)


def run(*arguments):
    return subprocess.run([HANDLENS, *arguments], text=True, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=SECONDS_A_CHECK)


def check(lab, trace):
    """None if the lab passes, or what went wrong."""
    try:
        done = run("check", lab, "-w", trace)
        if done.returncode == 0 and re.search(r"(?m)^\d+ passed\.$", done.stdout):
            return None
        ladder = run("view", trace).stdout if trace.exists() else ""
        return f"status {done.returncode}\n{done.stdout}{done.stderr}{ladder}"
    except subprocess.TimeoutExpired as expired:
        return f"no end: {expired}"
    finally:
        trace.unlink(missing_ok=True)


def main(rounds, labs):
    started, failures, busy = time.monotonic(), 0, keep_busy()
    try:
        with tempfile.TemporaryDirectory(prefix="handlens-steady-") as folder:
            for number in range(1, rounds + 1):
                for lab in labs:
                    problem = check(lab, pathlib.Path(folder) / "trace.pcapng")
                    if problem is not None:
                        failures += 1
                        print(f"--- {lab} failed in round {number}: {problem}", flush=True)
    finally:
        for process in busy:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    print(f"{len(labs)} labs, {rounds} rounds, as user {os.getuid()}, {len(busy)} of "
          f"{os.cpu_count()} processors kept busy: {failures} of {len(labs) * rounds} checks failed "
          f"in {time.monotonic() - started:.0f} seconds")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS, sys.argv[2:] or names_of_labs()))
