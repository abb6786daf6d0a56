"""What the README tells a newcomer to type works."""

import os
import pathlib
import re
import shutil
import subprocess

import handlens

ROOT = pathlib.Path(__file__).parents[2]
README = pathlib.Path(handlens.HANDLENS).parents[1] / "share/doc/handlens/README.md"
if os.environ.get("HANDLENS_BUILD"):
    README = ROOT / "README.md"

# These wait for a person or a peer; tests of their own are about them.
WAIT = re.compile(r"handlens (?:serve|connect|replay)\b|--step\b")


class Readme(handlens.LabTest):
    def setUp(self):
        super().setUp()
        self.text = README.read_text(encoding="utf-8")
        self.lines = [re.split(r"\s{2,}#", line)[0].strip()
                      for line in re.findall(r"(?m)^    (handlens .*)$", self.text)]

    def test_every_command_does_what_it_says(self):
        script, = re.findall(r"(?s)```lua\n(.*?)```", self.text)
        self.lab(script)
        for name in ("hello.pcapng", "any.pcap", "ann/hello.pcapng", "ben/hello.pcapng"):
            (self.work / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "captures/hello.pcapng", self.work / name)
        typed = [line for line in self.lines if not WAIT.search(line)]
        self.assertGreater(len(typed), 15)
        path = f"{pathlib.Path(handlens.HANDLENS).parent}:{self.environment()['PATH']}"
        shown = {}
        for line in typed:
            done = subprocess.run(["sh", "-c", line], cwd=self.work, capture_output=True, text=True,
                                  env=self.environment(PATH=path), timeout=60, check=False)
            self.assertEqual(done.returncode, handlens.DONE, f"{line}: {done.stderr}")
            shown[line] = done.stdout
        self.assertIn("IS ANYBODY THERE?", shown["handlens run ./mine.lua"])
        self.assertEqual(shown["handlens view mine.pcapng"],
                         shown["handlens run ./mine.lua -w mine.pcapng"])
        self.assertTrue((self.work / "any.html").read_text().lower().startswith("<!doctype"))

    def test_the_ladder_is_that_of_the_first_lab(self):
        drawn, = re.findall(r"(?s)```\n(Hello\n.*?)```", self.text)
        recorded = self.run_handlens("view", ROOT / "captures/hello.pcapng").out
        self.assertEqual(handlens.normalised(drawn), handlens.normalised(recorded))

    def test_names_no_option_that_does_not_exist(self):
        for line in self.lines:
            command = line.split()[1]
            for option in re.findall(r" (--[a-z-]+)", line):
                self.assertIn(option, self.run_handlens(command, "--help").out, line)

    def test_names_the_exit_statuses_of_help(self):
        statuses = re.findall(r"(?m)^\| ([0-9]) \|", self.text)
        self.assertEqual(statuses, re.findall(r"\b([0-9]) [a-z]",
                                              self.run_handlens("--help").out.split("Exit status")[1]))

    def test_its_links_lead_somewhere(self):
        if not os.environ.get("HANDLENS_BUILD"):
            self.skipTest("installed, it is away from what it links to")
        for link in re.findall(r"\]\(([^)#:]+)\)", self.text):
            self.assertTrue((ROOT / link).exists(), link)


if __name__ == "__main__":
    handlens.main()
