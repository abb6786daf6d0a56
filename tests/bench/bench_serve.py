"""How many replies a second `handlens serve` gives, beside the same server written otherwise.

    bench_serve.py HANDLENS FOLDER [--json FILE] [--slice S] [--rounds N]

The servers echo: lab.reply in handlens, bare C with epoll (echo_epoll.c), Lua with luv
(echo_luv.lua), and a thread for each connection in Python (echo_threads.py). One client, load.c, is
the same for all. Server and client have a processor each, so that ratios do not depend on where
they are moved. The servers take turns of a tenth of a second, a hundred times: a machine that is
shared grows faster and slower within seconds, by more than what is measured here, but rarely
between two turns on end. So a ratio is the median of the rounds' ratios. Besides replies a second
it tells the processor time that a reply cost the server, which the client's speed and other
programs hardly change, and the memory that a connection took. The status is 1 if a goal was missed.
"""

import argparse
import contextlib
import os
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


def on_processor(number):
    """What keeps a command on one of the processors, where there are two or more."""
    usable = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(usable[number])] if len(usable) > 1 else []


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

    @contextlib.contextmanager
    def started(self, load):
        """A process of it, as a function that puts a load on it."""
        port = free_port()
        process = subprocess.Popen([*on_processor(0), *self.command(port)],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def serve(connections, size, seconds):
            arguments = map(str, (port, connections, size, seconds, process.pid))
            done = subprocess.run([*on_processor(1), load, *arguments], stdout=subprocess.PIPE,
                                  check=False)
            if done.returncode != 0:
                sys.exit(f"bench: the client failed with {self.name}, {connections} connections "
                         f"and messages of {size} bytes")
            return Load(*map(float, done.stdout.split()), peak_memory(process.pid))

        try:
            said = process.stdout.readline().decode()
            if self.ready not in said:
                sys.exit(f"bench: {self.name} does not serve: {said}")
            yield serve
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            process.stdout.close()


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


def by_turns(contenders, rounds, load, *arguments):
    """For each server's name its loads, one a round. Those of a round are neighbours in time; every
    other round goes backwards, so that none is always first."""
    runs = {server.name: [] for server in contenders}
    with contextlib.ExitStack() as stack:
        serving = [(server.name, stack.enter_context(server.started(load)))
                   for server in contenders]
        for turn in range(rounds):
            for name, serve in serving[::-1] if turn % 2 else serving:
                runs[name].append(serve(*arguments))
    return runs


def medians(loads):
    return {"replies_per_second": round(statistics.median(run.rate for run in loads)),
            "processor_us": round(statistics.median(run.processor for run in loads) * 1e6, 2),
            "peak_kib": max(run.peak for run in loads),
            "starved": max(run.starved for run in loads)}


def ratio_of(ours, theirs, figure):
    """The median of the rounds' ratios."""
    return statistics.median(figure(our) / figure(their) for our, their in zip(ours, theirs))


def goals(contenders, options, load):
    """All of them at the usual load."""
    runs = by_turns(contenders, options.rounds, load, *USUAL, options.slice)
    mine = runs.pop("handlens")
    ours = medians(mine)
    found, rows = [], [["handlens", ours["replies_per_second"], ours["processor_us"], "", "", ""]]
    for name, loads in runs.items():
        theirs = medians(loads)
        ratio = ratio_of(mine, loads, lambda run: run.rate)
        cost = ratio_of(loads, mine, lambda run: run.processor)
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
        runs = by_turns(pair, options.growth_rounds, load, connections, size, seconds)
        ratio = ratio_of(runs["handlens"], runs["C"], lambda run: run.rate)
        ours, theirs = medians(runs["handlens"]), medians(runs["C"])
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
    parser.add_argument("--slice", type=float, default=0.1, help="seconds of a turn")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn, when it grows")
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
