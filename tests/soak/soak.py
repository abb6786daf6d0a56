"""Mixed labs at full speed for so many minutes: what lives long must not grow, and nothing be lost.

    soak.py HANDLENS MINUTES

All of it happens in a network namespace of its own. Two servers live from beginning to end: one that
records nothing, under all the load that a client from outside makes, and one that records, under a
little. Meanwhile, one after the other: runs with repeats and with many clients, a server that records
under full load, each with its capture, which is viewed and checked then; and labs of scripts/. While
they exchange, their memory, descriptors and threads are watched (watch.py says what is tolerated).
The status is 1 if something grew, was lost, or failed.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from watch import Watch, complaints

HERE = pathlib.Path(__file__).resolve().parent
LAB, CLIENT = str(HERE / "echo.lua"), str(HERE / "client.py")
LABS = ["hello", "multiplex", "datagram", "ipv6", "halfclose", "unread", "echo", "encrypted"]
RUNS = {"run, repeats": 1, "run, 50 clients": 50}
VIEWS = ["ladder", "bytes", "json", "stream", "html"]  # of one flow each
LOST = re.compile(r"(\d+) packets were not captured")
FLOWS = re.compile(r"^flows +([\d ]+?) TCP", re.MULTILINE)
PACKETS = re.compile(r"^packets +([\d ]+?) in ", re.MULTILINE)
LEAST_PACKETS = 8  # of an exchange that ends by reset
MOST_EXCHANGES = 20_000  # of a capture, which is viewed and checked as a whole; in a short soak fewer
FIRST_EXCHANGES = 1_000


class Failure(Exception):
    pass


def number_in(text, pattern):
    found = pattern.search(text)
    return int(found[1].replace(" ", "")) if found else 0


def let_go_on(client, seconds):
    """A client that goes on until it is told to end; or has it made as many exchanges as it may?"""
    try:
        client.wait(max(0, seconds))
    except subprocess.TimeoutExpired:
        pass


class Part:
    """A line of the table: one process, or several of a kind, one after the other."""

    def __init__(self, name):
        self.name = name
        self.lives = self.exchanges = self.packets = self.dropped = 0
        self.watches, self.complaints = [], []

    def add(self, watch):
        self.lives += 1
        self.watches.append(watch)

    def judge(self):
        if self.watches:
            self.complaints += complaints(self.watches)
        if self.dropped:
            self.complaints.append(f"{self.dropped} packets were dropped")

    def row(self):
        """Of several lives, the one whose memory grew most."""
        cells = [self.name, self.lives, self.exchanges]
        judged = [watch for watch in self.watches if len(watch.settled()) > 1]
        if judged:
            worst = max(judged, key=lambda watch: watch.growth("memory"))
            for what, unit in (("memory", 1024), ("descriptors", 1), ("threads", 1)):
                first, last = (value / unit for value in worst.ends(what))
                digits = 1 if unit > 1 else 0
                cells.append(f"{first:.{digits}f} > {last:.{digits}f}")
        else:
            cells += ["", "", ""]
        return cells + [self.packets or "", self.dropped if self.packets else ""]


class Soak:
    def __init__(self, handlens, seconds, folder):
        self.handlens, self.seconds, self.folder = handlens, seconds, folder
        self.ends = time.monotonic() + 0.9 * seconds  # of the rounds; something is left to do then
        self.most = min(MOST_EXCHANGES, int(150 * seconds))
        self.life = min(max(seconds / 16, 3), 20)  # seconds of each shorter life
        self.interval = 0.05
        self.long_interval = max(self.interval, seconds / 400)
        self.parts, self.speeds, self.cycle, self.port = {}, {}, 0, 20_000
        self.living = []  # processes
        self.environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8",
                            "COLUMNS": "80"}

    def part(self, name):
        return self.parts.setdefault(name, Part(name))

    def start(self, *command):
        process = subprocess.Popen(list(map(str, command)), cwd=self.folder, env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.living = [other for other in self.living if other.poll() is None] + [process]
        return process

    def finish(self, process):
        """Its stdout and stderr. It must have done what it was asked for."""
        out, err = process.communicate(timeout=300)
        if process.returncode != 0:
            raise Failure(f"{' '.join(process.args)} ended with status {process.returncode}: "
                          f"{err.strip() or out.strip()}")
        return out, err

    def tell(self, part, out, err, exchanges):
        """What a view as flows told of a capture of so many exchanges: is it all there?"""
        part.exchanges += exchanges
        part.dropped += number_in(err, LOST)
        packets, flows = number_in(out, PACKETS), number_in(out, FLOWS)
        part.packets += packets
        if flows != exchanges:
            part.complaints.append(f"the capture shows {flows} flows of {exchanges} exchanges")
        if packets < LEAST_PACKETS * exchanges:
            part.complaints.append(f"the capture has {packets} packets of {exchanges} exchanges")

    def read_back(self, capture):
        """Two views, another each time, and the lab's own check of what was recorded."""
        view = VIEWS[self.cycle % len(VIEWS)]
        for arguments in (["view", capture, "--as", "packets", "-o", "shown"],
                          ["view", capture, "--as", view, "--flow", "7", "-o", "shown"],
                          ["check", LAB, capture, "-q"]):
            self.finish(self.start(self.handlens, *arguments))
            (self.folder / "shown").unlink(missing_ok=True)
        (self.folder / capture).unlink()

    def run(self, name, clients):
        """A run as long as a life, by what the last one took. The first only finds that out."""
        part, capture = self.part(name), self.folder / "run.pcapng"
        known = self.speeds.get(name)
        exchanges = min(self.most, int(known * self.life)) if known else FIRST_EXCHANGES
        repeats = max(1, exchanges // clients)
        process = self.start(self.handlens, "run", LAB, "--clients", clients, "--repeat", repeats,
                             "--timeout", 600, "-q", "--as", "flows", "-w", capture)
        watch = Watch(process.pid, self.interval, capture)
        out, err = self.finish(process)
        watch.stop()
        if len(watch.samples) > 1:
            took = watch.samples[-1].at - watch.samples[0].at
            self.speeds[name] = clients * repeats / max(took, self.interval)
        if known:
            part.add(watch)
        self.tell(part, out, err, clients * repeats)
        self.read_back("run.pcapng")

    def serve(self, part, most, pause, interval, *options):
        """A server and its client, to be ended by stop_serving."""
        self.port += 1
        server = self.start(self.handlens, "serve", LAB, "--port", self.port, *options)
        said = server.stderr.readline()
        while said and "Ctrl-C ends it" not in said:
            said = server.stderr.readline()
        client = self.start(sys.executable, CLIENT, self.port, pause, most)
        return part, server, client, Watch(server.pid, interval)

    def stop_serving(self, part, server, client, watch):
        """Returns what the server showed, said, and how many exchanges there were."""
        watch.stop()
        client.send_signal(signal.SIGTERM)
        exchanges = int(self.finish(client)[0])
        server.send_signal(signal.SIGTERM)
        out, err = self.finish(server)
        part.add(watch)
        return out, err, exchanges

    def serve_recorded(self):
        part = self.part("serve, recorded")
        served = self.serve(part, self.most, 0, self.interval,
                            "--as", "flows", "-w", "served.pcapng")
        let_go_on(served[2], self.life)
        self.tell(part, *self.stop_serving(*served))
        self.read_back("served.pcapng")

    def labs(self):
        part = self.part("labs of scripts/")
        for lab in LABS:
            self.finish(self.start(self.handlens, "check", lab))
            part.lives += 1

    def rounds(self):
        for name, clients in RUNS.items():
            self.run(name, clients)
        started = time.monotonic()
        while not self.cycle or self.round_time(started) + time.monotonic() < self.ends:
            for name, clients in RUNS.items():
                self.run(name, clients)
            self.serve_recorded()
            self.labs()
            self.cycle += 1

    def round_time(self, started):
        return (time.monotonic() - started) / self.cycle

    def all(self):
        try:
            loaded = self.serve(self.part("serve"), 0, 0, self.long_interval)
            kept = self.serve(self.part("serve, recorded all the time"), 0,
                              max(0.008, self.seconds / self.most), self.long_interval,
                              "--as", "flows", "-w", "kept.pcapng")
            self.rounds()
            let_go_on(loaded[2], self.ends - time.monotonic())
            loaded[0].exchanges = self.stop_serving(*loaded)[2]
            self.tell(kept[0], *self.stop_serving(*kept))
            self.read_back("kept.pcapng")
        finally:
            for process in self.living:
                process.kill()
                process.wait()


def table(parts):
    head = ["what", "lives", "exchanges", "memory, MiB", "descriptors", "threads", "packets",
            "dropped"]
    rows = [head] + [[str(cell) for cell in part.row()] for part in parts]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        first, *rest = (cell.ljust(width) if n == 0 else cell.rjust(width)
                        for n, (cell, width) in enumerate(zip(row, widths)))
        print("  ".join([first, *rest]).rstrip())


def soak(handlens, minutes):
    started, failed = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="handlens-soak-") as folder:
        soaked = Soak(handlens, minutes * 60, pathlib.Path(folder))
        try:
            soaked.all()
        except (Failure, subprocess.TimeoutExpired) as problem:
            failed.append(str(problem))
    table(soaked.parts.values())
    print(f"{soaked.cycle} rounds in {(time.monotonic() - started) / 60:.1f} minutes; memory, "
          "descriptors and threads after warm-up and at the end")
    for part in soaked.parts.values():
        part.judge()
        failed += [f"{part.name}: {words}" for words in part.complaints]
    for words in failed:
        print(f"soak: {words}", file=sys.stderr)
    return 1 if failed else 0


def namespace():
    """How to get a network of one's own, or None."""
    for command in (["unshare", "-rn"], ["unshare", "-n"]):
        if subprocess.call([*command, "true"], stderr=subprocess.DEVNULL) == 0:
            return command
    return None


def main():
    handlens, minutes = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    if sys.argv[3:] == ["inside"]:
        return soak(handlens, minutes)
    enter = namespace()
    if enter is None:
        print("skipped: no network namespace of its own is to be had here", file=sys.stderr)
        return 0
    if shutil.which("ip") is None:
        sys.exit("soak: there is no ip (iproute2)")
    command = 'ip link set lo up && exec "$0" "$@"'
    os.execvp(enter[0], [*enter, "sh", "-c", command, sys.executable, str(HERE / "soak.py"),
                         handlens, str(minutes), "inside"])
    return 1


if __name__ == "__main__":
    sys.exit(main())
