"""Runs programs by turns and says how long they took.

Each run is a process of its own with its output to /dev/null; its times and its peak memory are what
the kernel tells about it when it ends (measured.c, which stands beside the handlens that the bench
was given). By turns, so that what else the machine does meets all alike; medians, so that one
disturbed run does not matter.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys

MEASURED = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "").parent / "bench" / "measured"


class Run:
    """One run's seconds by the clock and of processor time, and peak memory in MiB."""

    def __init__(self, command):
        told = subprocess.run([MEASURED, *command], stdout=subprocess.PIPE, check=True).stdout
        seconds, processor, peak, status = told.split()
        self.seconds, self.processor = float(seconds), float(processor)
        self.peak = int(peak) / 1024
        if int(status) != 0:
            raise SystemExit(f"bench: {' '.join(command)} failed with status "
                             f"{os.waitstatus_to_exitcode(int(status))}")


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
