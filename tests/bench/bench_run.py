"""How fast `handlens run` is: many exchanges in one run, and the whole of `run hello`.

    bench_run.py HANDLENS FOLDER [--json FILE] [--exchanges N] [--rounds N]

An exchange (exchange.lua) is connect, a message, an answer, and both hang up. It is compared with one
C thread that plays both roles by blocking calls (exchange_blocking.c), each in a network namespace
of its own. Whole commands are timed, handlens's with all that it does besides: it keeps every call,
writes the trace, reads it back and shows its flows. With the capture no packet may be lost.

`run hello` is compared with tcpdump and two Python programs (hello_by_hand.sh). The status is 1 if a
goal was missed.
"""

import argparse
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import results
import side_by_side

HERE = pathlib.Path(__file__).parent
EXCHANGE = str(HERE / "exchange.lua")
GOAL_EXCHANGES, GOAL_HELLO = 0.5, 0.3
USUAL = 21  # bytes, as in hello
CLIENTS = [1, 10, 100, 1000, 10000]
SIZES = [1, 64, 1024, 16384, 65536, 1 << 20]
LOST = re.compile(r"(\d+) packets were not captured")
PACKETS = re.compile(r"^packets +([\d ]+?) in ", re.MULTILINE)


def private(*command):
    """The command in a network namespace of its own, which has only a loopback."""
    return ["unshare", "-Urn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


def run_command(handlens, size, clients, repeat, *more):
    return [handlens, "run", EXCHANGE, "--message", str(size), "--clients", str(clients), "--repeat",
            str(repeat), "--timeout", "600", "--as", "flows", "-q", *more]


def blocking(programs, exchanges, size):
    return private(str(programs / "exchange_blocking"), str(exchanges), str(size))


class Captured:
    """One run with the capture: its seconds, the packets it has, and those it lost."""

    def __init__(self, command):
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        self.seconds = time.perf_counter() - started
        out, errors = done.stdout.decode(), done.stderr.decode()
        if done.returncode != 0:
            sys.exit(f"bench: {' '.join(command)} failed: {errors}")
        lost, packets = LOST.search(errors), PACKETS.search(out)
        self.lost = int(lost[1]) if lost else 0
        self.packets = int(packets[1].replace(" ", "")) if packets else 0


def capture(handlens, exchanges, size, clients, rounds):
    command = run_command(handlens, size, clients, exchanges // clients)
    runs = [Captured(command) for _ in range(rounds)]
    return {"captured_per_second":
                round(exchanges / statistics.median(run.seconds for run in runs)),
            "packets": min(run.packets for run in runs), "lost": max(run.lost for run in runs)}


def exchanges(options, programs):
    count = options.exchanges
    ours = side_by_side.Contender(
        "run", run_command(options.handlens, USUAL, 1, count, "--no-capture"))
    theirs = side_by_side.Contender("C", blocking(programs, count, USUAL))
    side_by_side.measure([ours, theirs], options.rounds)
    captured = capture(options.handlens, count, USUAL, 1, 3)
    ratio = theirs.seconds / ours.seconds
    found = [results.judged(
        "exchanges", "C", ratio, GOAL_EXCHANGES, rounds=options.rounds,
        exchanges_per_second=round(count / ours.seconds),
        against_exchanges_per_second=round(count / theirs.seconds),
        processor_us=round(ours.processor / count * 1e6, 1),
        against_processor_us=round(theirs.processor / count * 1e6, 1),
        processor_ratio=round(theirs.processor / ours.processor, 3)),
        {"what": "exchanges, captured", **captured, "goal": 0,
         "met": captured["lost"] == 0 and captured["packets"] >= 9 * count}]
    first, second = found
    results.table(
        f"Exchanges a second, {count} of {USUAL} bytes each way, one after the other",
        ["", "exchanges/s", "us of processor", "ratio", "goal", " "],
        [["handlens ", first["exchanges_per_second"], first["processor_us"], "", "", ""],
         ["C ", first["against_exchanges_per_second"], first["against_processor_us"],
          *results.verdict(first)],
         ["captured ", second["captured_per_second"], "", f"{second['lost']} lost", "0 lost",
          "met" if second["met"] else "MISSED"]])
    return found


def growth(options, programs):
    found, rows = [], []
    loads = [(clients, USUAL, options.exchanges) for clients in CLIENTS] + [
        (1, size, max(options.exchanges // (1 + size // 4096), 100)) for size in SIZES]
    for clients, size, count in loads:
        ours = side_by_side.Contender("run", run_command(
            options.handlens, size, clients, count // clients, "--no-capture"))
        theirs = side_by_side.Contender("C", blocking(programs, count, size))
        side_by_side.measure([ours, theirs], options.growth_rounds)
        captured = capture(options.handlens, count, size, clients, 1)
        ratio = theirs.seconds / ours.seconds
        found.append({"what": "exchanges, growth", "clients": clients, "bytes": size,
                      "exchanges": count, "ratio": round(ratio, 3),
                      "exchanges_per_second": round(count / ours.seconds),
                      "against_exchanges_per_second": round(count / theirs.seconds),
                      "peak_mib": round(ours.peak, 1), **captured})
        rows.append([clients, size, found[-1]["exchanges_per_second"],
                     found[-1]["against_exchanges_per_second"], f"{ratio:.2f}",
                     f"{ours.peak:.0f}", captured["captured_per_second"], captured["packets"],
                     captured["lost"]])
    results.table("How they grow: clients at once, then bytes each way (C: one after the other)",
                  ["clients", "bytes", "exchanges/s", "C", "ratio", "MiB at most", "captured/s",
                   "packets", "lost"], rows)
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def hello(options):
    by_hand = ["sh", str(HERE / "hello_by_hand.sh"), free_port(), sys.executable]
    if os.getuid() != 0:
        by_hand = private(*by_hand)
    shown = subprocess.run(by_hand, capture_output=True, check=False).stdout.decode()
    if shown.count("Flags [") < 10:
        sys.exit(f"bench: hello by hand did not show its packets: {shown}")
    ours = side_by_side.Contender("run hello", [options.handlens, "run", "hello"])
    theirs = side_by_side.Contender("by hand", by_hand)
    side_by_side.measure([ours, theirs], options.rounds)
    found = results.judged(
        "run hello", "tcpdump, Python, Python", ours.seconds / theirs.seconds, GOAL_HELLO,
        at_most=True, rounds=options.rounds, seconds=round(ours.seconds, 4),
        against_seconds=round(theirs.seconds, 4))
    results.table("hello, from the command to the picture", ["", "seconds", "ratio", "goal", " "],
                  [["handlens run hello ", f"{ours.seconds:.3f}", "", "", ""],
                   ["tcpdump, Python, Python ", f"{theirs.seconds:.3f}", *results.verdict(found)]])
    return [found]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("handlens")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--exchanges", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--growth-rounds", type=int, default=3)
    parser.add_argument("--only", choices=["exchanges", "growth", "hello"])
    options = parser.parse_args()
    os.environ["LC_ALL"] = "C.UTF-8"
    programs = pathlib.Path(options.handlens).parent / "bench"
    options.folder.mkdir(parents=True, exist_ok=True)
    found = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        os.environ["TMPDIR"] = folder
        if options.only in (None, "exchanges"):
            found += exchanges(options, programs)
        if options.only in (None, "growth"):
            found += growth(options, programs)
        if options.only in (None, "hello"):
            found += hello(options)
    return results.finish(options, "run", found)


if __name__ == "__main__":
    sys.exit(main())
