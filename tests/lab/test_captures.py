"""The recorded captures: one a lab, judged by it, shown as ever, and understood by Wireshark.

`./dev record` makes them, and the golden views beside this file.
"""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import unittest

import handlens

CAPTURES = pathlib.Path(__file__).resolve().parents[2] / "captures"
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
LIMIT = 64 * 1024
# They fill a window of more than 64 KiB.
LARGER = {"noscaling": 512 * 1024, "scaling": 512 * 1024}


def readme_rows():
    """The table of captures/README.md: the display filter by lab."""
    text = (CAPTURES / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^\| \[(\w+)\]\(\1\.pcapng\) \| [^|]+ \| `([^`|]+)` \|$", text))


class Captures(handlens.LabTest):
    def labs(self):
        return set(re.findall(r"(?m)^  (\w+) ", self.run_handlens("labs").out))

    def test_every_lab_has_one_and_no_other_is_there(self):
        self.assertEqual({path.stem for path in CAPTURES.glob("*.pcapng")}, self.labs(),
                         "./dev record LAB makes one")

    def test_every_lab_has_a_row_in_the_readme(self):
        self.assertEqual(set(readme_rows()), self.labs())

    def test_every_view_is_of_a_capture(self):
        self.assertEqual({path.stem for path in GOLDEN.glob("*.txt")}, self.labs())

    def test_are_small(self):
        for path in sorted(CAPTURES.glob("*.pcapng")):
            self.assertLessEqual(path.stat().st_size, LARGER.get(path.stem, LIMIT), path.name)

    def test_pass_the_checks_of_their_labs(self):
        for path in sorted(CAPTURES.glob("*.pcapng")):
            with self.subTest(lab=path.stem):
                result = self.run_handlens("check", path.stem, path)
                self.assertRegex(result.out, r"(?m)^\d+ passed\.$", result)

    def test_are_shown_as_they_were(self):
        self.maxDiff = None
        for path in sorted(CAPTURES.glob("*.pcapng")):
            with self.subTest(lab=path.stem):
                shown = self.run_handlens("view", path, "--color", "never")
                golden = (GOLDEN / f"{path.stem}.txt").read_text(encoding="utf-8")
                self.assertEqual(shown.out, golden, "./dev record --views, if it should be so")
                self.assertEqual(shown.err, "")


@unittest.skipIf(handlens.SANITIZED, "what Wireshark says does not depend on how we were built")
@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class Wireshark(handlens.LabTest):
    def select(self, path, display_filter):
        """How many packets there are, how many the filter selects, and how many are malformed."""
        counted = subprocess.run(
            ["tshark", "-n", "-q", "-r", path, "-z", "io,stat,0,frame"
             f",({display_filter}) and frame,_ws.malformed and frame"], capture_output=True,
            text=True, timeout=60, env=self.environment(), check=False)
        complaints = re.sub(r"Running as user .*\n", "", counted.stderr)
        self.assertEqual((counted.returncode, complaints), (0, ""), path.name)
        row = re.search(r"(?m)^\|[^|]*<>[^|]*\|(.*)\|$", counted.stdout)
        self.assertTrue(row, counted.stdout)
        return [int(frames) for frames in row[1].split("|")[:6:2]]

    def test_reads_each_and_the_filter_in_the_readme_selects_some(self):
        rows = sorted(readme_rows().items())
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            counts = pool.map(lambda row: self.select(CAPTURES / f"{row[0]}.pcapng", row[1]), rows)
            for (lab, display_filter), (total, selected, malformed) in zip(rows, counts):
                with self.subTest(lab=lab, filter=display_filter):
                    self.assertGreater(selected, 0)
                    self.assertLess(selected, total)
                    self.assertEqual(malformed, 0)


if __name__ == "__main__":
    handlens.main()
