"""What a process holds while it works, sampled from /proc, and whether that grew.

The first half of the samples is warm-up. Growth is the slope of the rest times the time they took.
The slope is the median of those between any two samples (Theil-Sen), which neither a single step nor
what comes and goes moves much: it has to grow again and again.
"""

import itertools
import pathlib
import statistics
import threading
import time

FEWEST, MOST = 10, 240  # samples to judge by
UNITS = {"memory": "KiB of memory", "descriptors": "descriptors", "threads": "threads"}
MEMORY_TOLERANCE = 512  # KiB: two chunks of the trace's queue
DESCRIPTORS_TOLERANCE, SHARE = 2, 0.1  # or this share of what it has, where clients come and go
THREADS_TOLERANCE = 0.5


class Sample:
    """RssAnon in KiB: its own memory, without the capture's ring and the program's file."""

    def __init__(self, process, at):
        status = (process / "status").read_text()
        self.at = at
        self.memory = int(status.partition("RssAnon:")[2].split()[0])
        self.threads = int(status.partition("Threads:")[2].split()[0])
        self.files = []
        for entry in (process / "fd").iterdir():
            try:
                self.files.append(entry.readlink())
            except OSError:
                self.files.append(None)  # just closed
        self.descriptors = len(self.files)


class Watch:
    """Looks at the process until it is stopped, the process has ended, or it has closed the file."""

    def __init__(self, pid, interval, file=None):
        self.process = pathlib.Path(f"/proc/{pid}")
        self.interval, self.file = interval, file
        self.samples, self.over = [], threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        opened = False
        while not self.over.wait(self.interval):
            try:
                sample = Sample(self.process, time.monotonic())
            except (OSError, IndexError):
                return  # it has ended
            has_file = self.file is None or self.file in sample.files
            if opened and not has_file:
                return
            opened = has_file
            if opened:
                self.samples.append(sample)

    def stop(self):
        self.over.set()
        self.thread.join()

    def settled(self):
        """The samples after warm-up, thinned out where there are many."""
        rest = self.samples[len(self.samples) // 2:]
        return rest[::max(1, len(rest) // MOST)]

    def growth(self, what):
        samples = self.settled()
        slopes = [(getattr(b, what) - getattr(a, what)) / (b.at - a.at)
                  for a, b in itertools.combinations(samples, 2)]
        return statistics.median(slopes) * (samples[-1].at - samples[0].at)

    def ends(self, what):
        """The value right after warm-up, and the last, each the median of a few."""
        values = [getattr(sample, what) for sample in self.settled()]
        return statistics.median(values[:5]), statistics.median(values[-5:])


def tolerance(watch, what):
    if what == "memory":
        return MEMORY_TOLERANCE
    if what == "threads":
        return THREADS_TOLERANCE
    return max(DESCRIPTORS_TOLERANCE, SHARE * watch.ends(what)[0])


def complaints(watches):
    """What grew, in words, of processes of a kind. Of several it is the median that counts: where the
    trace's queue was longer than ever before, one has a step, while a leak is in all of them."""
    judged = [watch for watch in watches if len(watch.settled()) >= FEWEST]
    if not judged:
        return ["ended too soon to be judged"]
    found = []
    for what, unit in UNITS.items():
        grown, n = statistics.median_low((watch.growth(what), n) for n, watch in enumerate(judged))
        watch = judged[n]
        if grown > tolerance(watch, what):
            seconds = watch.settled()[-1].at - watch.settled()[0].at
            found.append(f"{grown:.0f} {unit} more after {seconds:.0f} s "
                         f"({tolerance(watch, what):.0f} are tolerated)")
    return found
