"""Says how much of src/ the tests reached, from what gcovr counted: report.py COUNTED.json LIST.txt

Prints a line a module, then every file of which a branch was never taken, with the functions they are
in. LIST.txt gets each of them with its line of code. Ends with 1 below LEAST.

A branch is a way out of a conditional jump, as gcov counts them without optimisation: every operand of
&&, ||, ?: and every condition of if, while and for has two; a switch has one a case. Where a line never
ran, none of its branches was taken.
"""

import collections
import json
import pathlib
import sys
import textwrap

LEAST = 85  # per cent of the branches of all modules together


class Count:
    """How many there are, and how many of them were reached."""

    def __init__(self, reached=0, total=0):
        self.reached, self.total = reached, total

    def add(self, other):
        self.reached += other.reached
        self.total += other.total

    @property
    def missed(self):
        return self.total - self.reached

    @property
    def percent(self):
        return 100 * self.reached / self.total if self.total else 100

    def __str__(self):
        return f"{self.reached:6} of {self.total:6} {self.percent:6.1f} %"


class File:
    """What gcovr found in one file. Its lines and functions are in order."""

    def __init__(self, counted):
        self.path = pathlib.PurePath(counted["file"])
        self.module = self.path.parts[1] if len(self.path.parts) > 2 else "main.c"
        self.lines = [line for line in sorted(counted["lines"], key=lambda line: line["line_number"])
                      if not line.get("gcovr/noncode") and not line.get("gcovr/excluded")]
        self.functions = sorted((f["lineno"], f["name"]) for f in counted["functions"])
        self.line_count = Count(sum(line["count"] > 0 for line in self.lines), len(self.lines))
        self.branch_count = Count()
        for line in self.lines:
            self.branch_count.add(branches(line))

    def function(self, number):
        """The function that the line is in."""
        names = [name for first, name in self.functions if first <= number]
        return names[-1] if names else ""

    def missed_by_function(self):
        """Function -> how many of its branches were never taken, the most first."""
        missed = collections.Counter()
        for line in self.lines:
            missed[self.function(line["line_number"])] += branches(line).missed
        return [(name, count) for name, count in missed.most_common() if count]

    def gaps(self):
        """The lines that lack something: (number, what is lacking)."""
        for line in self.lines:
            count = branches(line)
            if line["count"] == 0:
                yield line["line_number"], "never run"
            elif count.missed:
                yield line["line_number"], f"{count.missed} of {count.total} branches never taken"


def branches(line):
    taken = [branch["count"] > 0 for branch in line["branches"]]
    return Count(sum(taken), len(taken))


def print_modules(files):
    """The table, and the count of all branches."""
    rows = collections.defaultdict(lambda: (Count(), Count()))
    for file in files:
        for name in (file.module, "all"):
            rows[name][0].add(file.line_count)
            rows[name][1].add(file.branch_count)
    print(f"{'':10}{'lines':>25}{'branches':>27}")
    for name in sorted(rows, key=lambda name: (name == "all", name)):
        lines, taken = rows[name]
        print(f"{name:10}{lines}   {taken}")
    return rows["all"][1]


def print_gaps(files):
    print("\nBranches never taken, by file and function:\n")
    for file in sorted(files, key=lambda file: -file.branch_count.missed):
        if file.branch_count.missed:
            functions = ", ".join(f"{name} {count}" for name, count in file.missed_by_function())
            text = f"{'/'.join(file.path.parts[1:])}  {file.branch_count.missed}: {functions}"
            print(textwrap.fill(text, 100, subsequent_indent="    ", break_on_hyphens=False))


def write_gaps(files, out):
    """Every gap with its line of code, as a compiler tells of errors: editors find the place."""
    for file in files:
        code = pathlib.Path(file.path).read_text(encoding="utf-8").splitlines()
        for number, lack in file.gaps():
            print(f"{file.path}:{number}: {lack}: {code[number - 1].strip()}", file=out)


def main():
    counted, list_path = sys.argv[1:]
    with open(counted, encoding="utf-8") as source:
        files = [File(file) for file in json.load(source)["files"]]
    taken = print_modules(files)
    print_gaps(files)
    with open(list_path, "w", encoding="utf-8") as out:
        write_gaps(files, out)
    print(f"\nLine by line: {list_path}")
    if taken.percent < LEAST:
        sys.exit(f"coverage: {taken.percent:.1f} % of the branches were taken, fewer than {LEAST} %")


if __name__ == "__main__":
    main()
