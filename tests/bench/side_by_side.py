"""Runs programs by turns and says how long they took.

Each run is a process of its own with its output to /dev/null; its times and its peak memory are what
the kernel tells about it when it ends (wait4). By turns, so that what else the machine does meets
all alike; medians, so that one disturbed run does not matter.
"""

import os
import shutil
import statistics
import sys
import time


class Run:
    """One run's seconds by the clock and of processor time, and peak memory in MiB."""

    def __init__(self, command):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        started = time.perf_counter()
        child = os.fork()
        if child == 0:
            try:
                null = os.open(os.devnull, os.O_RDWR)
                for descriptor in range(3):
                    os.dup2(null, descriptor)
                os.execvp(command[0], command)
            finally:
                os._exit(127)
        _, status, usage = os.wait4(child, 0)
        self.seconds = time.perf_counter() - started
        self.processor = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        if status != 0:
            raise SystemExit(f"bench: {' '.join(command)} failed with status "
                             f"{os.waitstatus_to_exitcode(status)}")


class Contender:
    """A program under test. share: how much of the work one run does, 1 for all of it."""

    def __init__(self, name, command, share=1.0):
        self.name, self.command, self.share = name, command, share
        self.runs = []

    def available(self):
        return shutil.which(self.command[0]) is not None

    @property
    def seconds(self):
        return statistics.median(run.seconds for run in self.runs) / self.share

    @property
    def processor(self):
        return statistics.median(run.processor for run in self.runs) / self.share

    @property
    def peak(self):
        return max(run.peak for run in self.runs)


def measure(contenders, rounds):
    """So many rounds, in each of which every contender runs once."""
    for _ in range(rounds):
        for contender in contenders:
            contender.runs.append(Run(contender.command))
