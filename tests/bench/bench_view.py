"""How fast `handlens view` is, beside the tools that do the same.

    bench_view.py HANDLENS FOLDER [--json FILE] [--packets N] [--only NAME]

Makes a capture of a million packets in forty thousand flows in FOLDER, once, and lets both sides of
each comparison read it by turns. A second table tells how time and memory grow with the capture: what
a packet takes must not depend on how many there are. The status is 1 if a goal was missed.

tshark is given the first tenth of the file, for it needs minutes for all of it; its time is
multiplied by ten. It is slower on a longer file, if anything, for it keeps what it has read.

TZ is set for all: without it glibc asks for /etc/localtime's age at every packet that tcpdump prints.
"""

import argparse
import hashlib
import os
import pathlib
import struct
import subprocess
import sys

import side_by_side
from results import write

HERE = pathlib.Path(__file__).parent
FLOWS_PER_PACKET = 0.04
MEMORY_GOAL = 64  # MiB
FLOW_GOAL = 1024  # bytes

# How a packet's time may grow from the last but one of these to the last.
GROWTH = [1000, 10_000, 100_000, 1_000_000]
GROWTH_GOAL = 2
GROWTH_VIEWS = {"flows": 3, "packets": 3, "json": 1}  # rounds on a million packets; on less, 5

COMPARISONS = [
    # name, how handlens is called, the other, its share of the file, rounds, goal
    ("flows", ["--as", "flows"], ["tcptrace", "-n", "FILE"], 1, 7, 5),
    ("packets", ["--as", "packets"], ["tcpdump", "-nn", "-r", "FILE"], 1, 5, 4),
    ("json", ["--as", "json"], ["tshark", "-n", "-T", "json", "-r", "FILE"], 10, 3, 10),
]


def make_capture(folder, packets):
    """The file of that many packets, made if there is none by this very generator."""
    generator = HERE / "make_capture.py"
    mark = hashlib.sha256(generator.read_bytes()).hexdigest()[:12]
    path = folder / f"{packets}-{mark}.pcap"
    if not path.exists():
        for old in folder.glob(f"{packets}-*.pcap"):
            old.unlink()
        print(f"making {path} ...", file=sys.stderr)
        part = path.with_suffix(".part")
        flows = str(int(packets * FLOWS_PER_PACKET))
        subprocess.run([sys.executable, generator, part, str(packets), flows], check=True,
                       stdout=sys.stderr)
        part.rename(path)
        os.sync()  # else the kernel writes it out while it is read
    return path


def first_part(path, packets):
    """A file of the first packets alone."""
    part = path.with_name(f"{path.stem}-first-{packets}.pcap")
    if not part.exists():
        with open(path, "rb") as whole, open(part, "wb") as out:
            out.write(whole.read(24))
            for _ in range(packets):
                header = whole.read(16)
                out.write(header)
                out.write(whole.read(struct.unpack("<8xI4x", header)[0]))
    return part


def compare(handlens, path, packets, comparison):
    name, arguments, other, divisor, rounds, goal = comparison
    file = path if divisor == 1 else first_part(path, packets // divisor)
    ours = side_by_side.Contender(f"view --as {name}", [handlens, "view", *arguments, str(path)])
    theirs = side_by_side.Contender(
        " ".join(other[:-1]), [str(file) if word == "FILE" else word for word in other], 1 / divisor)
    if not theirs.available():
        print(f"bench: {other[0]} is not here; {name} is not compared", file=sys.stderr)
        return None
    for each in {path, file}:
        each.read_bytes()  # so that it lies in memory for both
    side_by_side.measure([ours, theirs], rounds)
    ratio = theirs.seconds / ours.seconds
    return {
        "what": f"view --as {name}", "against": theirs.name, "rounds": rounds,
        "seconds": round(ours.seconds, 4), "against_seconds": round(theirs.seconds, 4),
        "processor_seconds": round(ours.processor, 4),
        "against_processor_seconds": round(theirs.processor, 4),
        "against_scaled_from_part": 1 / divisor, "peak_mib": round(ours.peak, 1),
        "against_peak_mib": round(theirs.peak, 1), "ratio": round(ratio, 2), "goal": goal,
        "met": ratio >= goal,
    }


def growth(handlens, path, packets, view):
    """A result for each size: seconds and peak memory, and what a packet takes of the former."""
    results = []
    for size in [size for size in GROWTH if size < packets] + [packets]:
        file = path if size == packets else first_part(path, size)
        contender = side_by_side.Contender(view, [handlens, "view", "--as", view, str(file)])
        side_by_side.measure([contender], GROWTH_VIEWS[view] if size == packets else 5)
        results.append({"what": f"growth of {view}", "packets": size,
                        "seconds": round(contender.seconds, 4),
                        "microseconds_a_packet": round(contender.seconds / size * 1e6, 3),
                        "peak_mib": round(contender.peak, 2), "met": True})
    if len(results) > 1:
        before, last = results[-2:]
        last["goal"] = GROWTH_GOAL
        last["met"] = last["seconds"] / last["packets"] <= (
            GROWTH_GOAL * before["seconds"] / before["packets"])
    return results


def memory(results):
    """What flows take, by the peak of the smallest and of the largest capture."""
    sizes = [result for result in results if result["what"] == "growth of flows"]
    if len(sizes) < 2:
        return []
    least, most = sizes[0], sizes[-1]
    flows = (most["packets"] - least["packets"]) * FLOWS_PER_PACKET
    a_flow = (most["peak_mib"] - least["peak_mib"]) * (1 << 20) / flows
    return [{"what": "memory of flows", "amount": most["peak_mib"], "unit": "MiB at most",
             "goal": MEMORY_GOAL, "met": most["peak_mib"] < MEMORY_GOAL},
            {"what": "memory of a flow", "amount": round(a_flow), "unit": "bytes",
             "goal": FLOW_GOAL, "met": a_flow < FLOW_GOAL}]


def show_growth(results):
    row = "{:<18}{:>9}{:>10}{:>14}{:>10}  {}".format
    print(row("", "packets", "seconds", "us a packet", "peak MiB", ""))
    for result in results:
        if "packets" in result:
            verdict = "" if "goal" not in result else "met" if result["met"] else "MISSED"
            print(row(result["what"], result["packets"], f"{result['seconds']:.3f}",
                      f"{result['microseconds_a_packet']:.2f}", f"{result['peak_mib']:.1f}", verdict))


def show(results, packets, flows):
    print(f"{packets} packets, {flows} flows; medians of seconds")
    row = "{:<18}{:>9}  {:<22}{:>9}{:>8}{:>7}  {}".format
    print(row("", "handlens", "", "other", "ratio", "goal", ""))
    for result in results:
        if "ratio" in result:
            scaled = "*" if result["against_scaled_from_part"] != 1 else ""
            print(row(result["what"], f"{result['seconds']:.3f}", result["against"],
                      f"{result['against_seconds']:.3f}{scaled}", f"{result['ratio']:.1f}",
                      f">= {result['goal']}", "met" if result["met"] else "MISSED"))
        elif "amount" in result:
            print(row(result["what"], f"{result['amount']:.0f}", result["unit"], "", "",
                      f"< {result['goal']}", "met" if result["met"] else "MISSED"))
    if any(result.get("against_scaled_from_part", 1) != 1 for result in results):
        print("* measured on a tenth of the packets and multiplied by ten")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("handlens")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--only", choices=[comparison[0] for comparison in COMPARISONS])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(LC_ALL="C.UTF-8", TZ="UTC0")
    path = make_capture(options.folder, options.packets)
    results = []
    for comparison in COMPARISONS:
        if options.only in (None, comparison[0]):
            results.append(compare(options.handlens, path, options.packets, comparison))
    results = [result for result in results if result]
    for view in GROWTH_VIEWS:
        if options.only in (None, view):
            results += growth(options.handlens, path, options.packets, view)
    results += memory(results)
    show(results, options.packets, int(options.packets * FLOWS_PER_PACKET))
    print()
    show_growth(results)
    if options.json:
        write(options.json, "view", results)
    return 0 if all(result["met"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
