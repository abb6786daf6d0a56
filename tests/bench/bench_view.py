"""How fast `handlens view` is, beside the tools that do the same.

    bench_view.py HANDLENS FOLDER [--json FILE] [--packets N] [--only NAME]

Makes a capture of a million packets in forty thousand flows in FOLDER, once, and lets both sides of
each comparison read it by turns. The status is 1 if a goal was missed.

tshark is given the first tenth of the file, for it needs minutes for all of it; its time is
multiplied by ten. It is slower on a longer file, if anything, for it keeps what it has read.
"""

import argparse
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys

import side_by_side

HERE = pathlib.Path(__file__).parent
FLOWS_PER_PACKET = 0.04
MEMORY_GOAL = 64  # MiB

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
        else:
            print(row(result["what"], f"{result['mib']:.1f}", "MiB at most", "", "",
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
    os.environ["LC_ALL"] = "C.UTF-8"
    path = make_capture(options.folder, options.packets)
    results = []
    for comparison in COMPARISONS:
        if options.only in (None, comparison[0]):
            results.append(compare(options.handlens, path, options.packets, comparison))
    results = [result for result in results if result]
    for result in list(results):
        if result["what"] == "view --as flows":
            results.append({"what": "flows, memory", "mib": result["peak_mib"],
                            "goal": MEMORY_GOAL, "met": result["peak_mib"] < MEMORY_GOAL})
    show(results, options.packets, int(options.packets * FLOWS_PER_PACKET))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(result["met"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
