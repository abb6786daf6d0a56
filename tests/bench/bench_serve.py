"""How many replies a second `handlens serve` gives, beside the same server written otherwise.

    bench_serve.py HANDLENS FOLDER [--json FILE] [--seconds S] [--rounds N]

The servers echo: lab.reply in handlens, bare C with epoll (echo_epoll.c), Lua with luv
(echo_luv.lua), and a thread for each connection in Python (echo_threads.py). One client, load.c, is
the same for all. The servers take turns. Besides replies a second it tells the processor time that
a reply cost the server, which the client's speed and other programs hardly change, and the memory
that a connection took. The status is 1 if a goal was missed.
"""

import argparse
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys

import results

HERE = pathlib.Path(__file__).parent
GOALS = {"C": 0.9, "luv": 1.1, "Python": None}
CONNECTIONS = [1, 10, 100, 1000, 10000]
SIZES = [1, 64, 1024, 16384, 65536, 1 << 20]
USUAL = (64, 64)  # connections, bytes


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peak_memory(process):
    """Its peak in KiB. What wait4 tells counts this program, too, from which it was started."""
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


class Server:
    """A kind of server; command(port) is how to start it, ready what it says when it listens."""

    def __init__(self, name, command, ready="ready"):
        self.name, self.command, self.ready = name, command, ready

    def available(self):
        return shutil.which(self.command(0)[0]) is not None

    def serve(self, load, connections, size, seconds):
        """One load on a new process."""
        port = free_port()
        process = subprocess.Popen(self.command(port), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        try:
            said = process.stdout.readline().decode()
            if self.ready not in said:
                sys.exit(f"bench: {self.name} does not serve: {said}")
            arguments = map(str, (port, connections, size, seconds, process.pid))
            done = subprocess.run([load, *arguments], stdout=subprocess.PIPE, check=False)
            if done.returncode != 0:
                sys.exit(f"bench: the client failed with {self.name}, {connections} connections "
                         f"and messages of {size} bytes")
            peak = peak_memory(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            process.stdout.close()
        return Load(*map(float, done.stdout.split()), peak)


class Load:
    """What came of one load."""

    def __init__(self, replies, seconds, processor, starved, peak):
        self.rate = replies / seconds
        self.processor = processor / max(replies, 1)
        self.peak = peak  # KiB
        self.starved = int(starved)


def servers(handlens, programs):
    lua = ["lua5.4", str(HERE / "echo_luv.lua")]
    known = [
        Server("handlens", lambda port: [handlens, "serve", str(HERE / "echo.lua"), "--port",
                                         str(port)], "Ctrl-C ends it"),
        Server("C", lambda port: [str(programs / "echo_epoll"), str(port)]),
        Server("luv", lambda port: [*lua, str(port)]),
        Server("Python", lambda port: [sys.executable, str(HERE / "echo_threads.py"), str(port)]),
    ]
    return [server for server in known if server.available()]


def by_turns(contenders, rounds, *load):
    """For each server's name its loads' medians."""
    runs = {server.name: [] for server in contenders}
    for _ in range(rounds):
        for server in contenders:
            runs[server.name].append(server.serve(*load))
    return {name: {
        "replies_per_second": round(statistics.median(run.rate for run in loads)),
        "processor_us": round(statistics.median(run.processor for run in loads) * 1e6, 2),
        "peak_kib": max(run.peak for run in loads),
        "starved": max(run.starved for run in loads),
    } for name, loads in runs.items()}


def goals(contenders, options, load):
    """All of them at the usual load."""
    told = by_turns(contenders, options.rounds, load, *USUAL, options.seconds)
    ours = told.pop("handlens")
    found, rows = [], [["handlens", ours["replies_per_second"], ours["processor_us"], "", "", ""]]
    for name, theirs in told.items():
        ratio = ours["replies_per_second"] / theirs["replies_per_second"]
        cost = theirs["processor_us"] / ours["processor_us"]
        row = [name, theirs["replies_per_second"], theirs["processor_us"]]
        values = {"rounds": options.rounds, **ours, "processor_ratio": round(cost, 3),
                  **{f"against_{key}": value for key, value in theirs.items()}}
        if GOALS[name] is None:
            found.append({"what": "replies", "against": name, **values, "ratio": round(ratio, 3)})
            rows.append([*row, f"{ratio:.2f}", "", ""])
        else:
            found.append(results.judged("replies", name, ratio, GOALS[name], **values))
            rows.append([*row, *results.verdict(found[-1])])
    results.table("Replies a second of an echo, {} connections, {} bytes".format(*USUAL),
                  ["server ", "replies/s", "us of processor", "ratio", "goal", " "], rows)
    return found


def growth(contenders, options, load):
    """handlens and C by turns, with more connections, then with longer messages."""
    pair = contenders[:2]
    found, rows = [], []
    for connections, size in [(count, USUAL[1]) for count in CONNECTIONS] + [
            (USUAL[0], size) for size in SIZES]:
        # So many connections take their time to have had one turn each.
        seconds = options.seconds / 2 * (1 + connections / 2500)
        told = by_turns(pair, options.growth_rounds, load, connections, size, seconds)
        ours, theirs = told["handlens"], told["C"]
        ratio = ours["replies_per_second"] / theirs["replies_per_second"]
        found.append({"what": "replies, growth", "connections": connections, "bytes": size,
                      "ratio": round(ratio, 3), **ours,
                      **{f"against_{key}": value for key, value in theirs.items()}})
        rows.append([connections, size, ours["replies_per_second"], theirs["replies_per_second"],
                     f"{ratio:.2f}", ours["processor_us"], theirs["processor_us"],
                     f"{ours['peak_kib'] / 1024:.1f}", ours["starved"]])
    results.table("How it grows, beside C",
                  ["connections", "bytes", "replies/s", "C", "ratio", "us of processor", "C",
                   "MiB at most", "starved"], rows)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("handlens")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--growth-rounds", type=int, default=3)
    parser.add_argument("--only", choices=["goals", "growth"])
    options = parser.parse_args()
    # Ten thousand connections are more than the usual soft limit; not every server here raises it.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    programs = pathlib.Path(options.handlens).parent / "bench"
    contenders = servers(options.handlens, programs)
    load = str(programs / "load")
    found = []
    if options.only != "growth":
        found += goals(contenders, options, load)
    if options.only != "goals":
        found += growth(contenders, options, load)
    return results.finish(options, "serve", found)


if __name__ == "__main__":
    sys.exit(main())
