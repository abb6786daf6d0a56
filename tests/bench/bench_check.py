"""How well `handlens check` judges many captures at once.

    bench_check.py HANDLENS FOLDER [--json FILE] [--files N] [--lab NAME]

A thousand copies of a recorded capture are judged by one command, which may use all processors;
beside it, by turns, one copy alone, whose time is multiplied by a thousand, and the thousand copies
on one processor, which leaves out what starting a process takes. The status is 1 if the goal was
missed. That last row has none: what else runs takes a processor away from the one command and not
from the other, so it means something on a quiet machine only.
"""

import argparse
import os
import pathlib
import shutil
import sys

import side_by_side
from results import write

CAPTURES = pathlib.Path(__file__).resolve().parents[2] / "captures"
ROUNDS = 15
ALONE = 5  # runs of one copy in each round: each is short
GOAL = 1.7  # with two processors


def make_copies(folder, lab, count):
    folder = folder / f"check-{lab}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copies = [folder / f"{number:05}.pcapng" for number in range(count)]
    for copy in copies:
        shutil.copyfile(CAPTURES / f"{lab}.pcapng", copy)
    return [str(copy) for copy in copies]


def compare(handlens, lab, copies):
    command = [handlens, "check", lab]
    many = side_by_side.Contender(f"check, {len(copies)} files", [*command, *copies])
    alone = side_by_side.Contender(f"one alone, x {len(copies)}", [*command, copies[0]],
                                   1 / len(copies))
    processor = str(min(os.sched_getaffinity(0)))
    pinned = side_by_side.Contender("on one processor", ["taskset", "-c", processor, *many.command])
    side_by_side.measure([many, pinned] + [alone] * ALONE, ROUNDS)
    return [{
        "what": many.name, "against": other.name, "rounds": ROUNDS,
        "seconds": round(many.seconds, 4), "against_seconds": round(other.seconds, 4),
        "processor_seconds": round(many.processor, 4),
        "against_processor_seconds": round(other.processor, 4),
        "ratio": round(other.seconds / many.seconds, 2), "goal": goal,
        "met": goal is None or other.seconds / many.seconds >= goal,
    } for other, goal in ((alone, GOAL), (pinned, None))]


def goal_of(result):
    if result["goal"] is None:
        return "", ""
    return f">= {result['goal']}", "met" if result["met"] else "MISSED"


def show(results, lab):
    print(f"the capture of {lab}, {len(os.sched_getaffinity(0))} processors; medians of seconds")
    row = "{:<18}{:>9}  {:<22}{:>9}{:>8}{:>8}  {}".format
    print(row("", "handlens", "", "other", "ratio", "goal", ""))
    for result in results:
        print(row(result["what"], f"{result['seconds']:.3f}", result["against"],
                  f"{result['against_seconds']:.3f}", f"{result['ratio']:.1f}",
                  *goal_of(result)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("handlens")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--lab", default="hello")
    options = parser.parse_args()
    copies = make_copies(options.folder, options.lab, options.files)
    results = compare(options.handlens, options.lab, copies)
    show(results, options.lab)
    if options.json:
        write(options.json, "check", results)
    return 0 if all(result["met"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
