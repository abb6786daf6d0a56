"""An installed handlens finds its labs from wherever it is moved to."""

import os
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
                     "share/handlens/scripts/README.md", "share/handlens/scripts/types/handlens.lua",
                     "share/handlens/captures/hello.pcapng", "share/man/man1/handlens.1",
                     "share/man/man5/handlens-lab.5",
                     "share/bash-completion/completions/handlens",
                     "share/zsh/site-functions/_handlens",
                     "share/fish/vendor_completions.d/handlens.fish"):
            self.assertTrue((self.prefix / path).is_file(), path)

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
