"""What the benchmarks share of telling: one table for all, and one file of JSON.

A result is a dictionary. Each has "what"; one that is a goal's has "ratio", "goal", "at_most" where
the goal is an upper bound, and "met".
"""

import json
import os
import pathlib
import platform


def judged(what, against, ratio, goal, at_most=False, **values):
    """The result of a comparison that has a goal."""
    met = ratio <= goal if at_most else ratio >= goal
    return {"what": what, "against": against, **values, "ratio": round(ratio, 3), "goal": goal,
            "at_most": at_most, "met": met}


def verdict(result):
    """The columns of a goal: the ratio, the goal, and whether it was met."""
    sign = "<=" if result["at_most"] else ">="
    return [f"{result['ratio']:.2f}", f"{sign} {result['goal']}",
            "met" if result["met"] else "MISSED"]


def table(title, heads, rows):
    """A table: texts to the left, in the columns whose head is empty or ends in a space."""
    print(f"\n{title}")
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        columns = [cell.ljust(width) if head.endswith(" ") or not head else cell.rjust(width)
                   for cell, width, head in zip(row, widths, heads)]
        print("  ".join(columns).rstrip())


def machine():
    """What the numbers depend on besides the programs."""
    names = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            names["processor"] = line.partition(": ")[2]
            break
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            names["distribution"] = line.partition("=")[2].strip('"')
    return {**names, "processors": os.cpu_count(), "kernel": platform.release()}


def write(path, bench, found):
    """Into the file of all benchmarks: {"machine": …, "view": […], "serve": […], …}. Those that are
    in it already stay, unless they are this one's."""
    everything = json.loads(path.read_text()) if path.exists() and path.stat().st_size else {}
    everything["machine"] = machine()
    everything[bench] = found
    path.write_text(json.dumps(everything, indent=2) + "\n")


def finish(options, bench, found):
    """Writes what --json asked for. Returns the exit status: 1 if a goal was missed."""
    if options.json:
        write(options.json, bench, found)
    return 0 if all(result.get("met", True) for result in found) else 1
