"""An installed handlens finds its labs from wherever it is moved to."""

import os
import re
import subprocess
import unittest

import handlens


@unittest.skipUnless(os.environ.get("HANDLENS_BUILD"), "the program is an installed one already")
class Install(handlens.LabTest):
    def setUp(self):
        super().setUp()
        first = self.folder / "first"
        subprocess.run(["cmake", "--install", os.environ["HANDLENS_BUILD"], "--prefix", first],
                       check=True, capture_output=True)
        self.prefix = self.folder / "somewhere else"
        first.rename(self.prefix)

    def installed(self, *words):
        result = subprocess.run([self.prefix / "bin/handlens", *words], capture_output=True,
                                env=self.environment(), cwd=self.work, timeout=30)
        self.assertEqual(result.returncode, handlens.DONE, result)
        return result.stdout.decode()

    def test_has_everything_in_its_place(self):
        for path in ("bin/handlens", "share/handlens/scripts/hello.lua",
                     "share/handlens/scripts/README.md", "share/man/man1/handlens.1"):
            self.assertTrue((self.prefix / path).is_file(), path)

    def test_manual_page_has_every_command_and_option(self):
        page = (self.prefix / "share/man/man1/handlens.1").read_text()
        commands = re.findall(r"(?m)^  (?!handlens)([a-z]+)\b", self.installed("--help"))
        self.assertIn("run", commands)
        for command in commands:
            self.assertIn(f".Cm {command}", page)
            options = re.findall(r"--([a-z-]+)", self.installed(command, "--help"))
            self.assertIn("help", options)
            for option in options:
                self.assertRegex(page, rf"Fl -{option}\b|, -{option}\b", f"{command} --{option}")

    def test_runs_its_labs_after_a_move(self):
        self.assertRegex(self.installed("labs"), r"(?m)^\s*hello\b")
        self.assertIn("SYN", self.installed("run", "hello"))

    def test_runs_its_own_labs_not_the_sources(self):
        mine = self.prefix / "share/handlens/scripts/only_here.lua"
        mine.write_text((self.prefix / "share/handlens/scripts/hello.lua").read_text())
        self.assertIn("only_here", self.installed("labs"))
        self.assertIn("SYN", self.installed("run", "only_here"))


if __name__ == "__main__":
    handlens.main()
