"""What the README tells a newcomer to type works."""

import os
import pathlib
import re

import handlens

README = pathlib.Path(handlens.HANDLENS).parents[1] / "share/doc/handlens/README.md"
if os.environ.get("HANDLENS_BUILD"):
    README = pathlib.Path(__file__).parents[2] / "README.md"


class Readme(handlens.LabTest):
    def setUp(self):
        super().setUp()
        self.text = README.read_text(encoding="utf-8")

    def test_first_lab_of_ones_own_runs_and_is_viewed(self):
        script, = re.findall(r"(?s)```lua\n(.*?)```", self.text)
        (self.work / "scripts").mkdir()
        (self.work / "scripts/mine.lua").write_text(script)
        shown = self.run_handlens("run", "mine", "-w", "mine.pcapng").out
        self.assertIn("IS ANYBODY THERE?", shown)
        self.assertEqual(self.run_handlens("view", "mine.pcapng").out, shown)
        self.assertIn("mine", self.run_handlens("labs").out)

    def test_names_no_option_that_does_not_exist(self):
        helps = "".join(self.run_handlens(command, "--help").out
                        for command in ("run", "serve", "connect", "view", "check", "labs"))
        for line in re.findall(r"(?m)^ *(?:\./)?handlens .*$", self.text):
            for option in re.findall(r" (--[a-z-]+)", line):
                self.assertIn(option, helps, line)


if __name__ == "__main__":
    handlens.main()
