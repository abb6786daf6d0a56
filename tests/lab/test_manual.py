"""The manual pages say what --help says, and are well-formed."""

import os
import pathlib
import re
import unittest

import handlens
from handlens import DONE, NOT_ALLOWED, USAGE

SOURCES = pathlib.Path(__file__).parents[2]
SHARE = pathlib.Path(handlens.HANDLENS).parents[1] / "share"
if os.environ.get("HANDLENS_BUILD"):
    SHARE = pathlib.Path(os.environ["HANDLENS_BUILD"]) / "doc/share"
PROGRAM, LAB = SHARE / "man/man1/handlens.1", SHARE / "man/man5/handlens-lab.5"

# What the page of the labs takes from a file that has its own order and names.
ALLOWED = re.compile(r"unexpected section: Sh ERRORS|out of conventional order: Sh FILES")


class Manual(handlens.LabTest):
    def shown(self, page):
        """The page as a reader sees it, its words not hyphenated."""
        text = self.tool("mandoc", "-T", "utf8", "-O", "width=70", page).out
        return re.sub(r".\x08", "", text)

    def test_has_every_command_with_its_summary_and_options(self):
        page = self.shown(PROGRAM)
        commands = re.findall(r"(?m)^  (?!handlens)([a-z]+)\b", self.run_handlens("--help").out)
        self.assertIn("run", commands)
        for command in commands:
            text = self.run_handlens(command, "--help").out
            _, about, options, *examples = text.split("\n\n")
            flat = re.sub(r"\s+", " ", page).replace("‘", "'").replace("’", "'")
            self.assertTrue(re.sub(r"\s+", " ", about) in flat, f"not in the page: {about}")
            for option in re.findall(r"--[a-z-]+", options):
                self.assertRegex(page, rf"(?m)^\s+(-\w, )?{option}\b", f"{command} {option}")
            for example in "".join(examples).splitlines()[1:]:
                line = re.split(" {2,}", example.strip())[0]
                self.assertTrue(f" {line}\n" in page, line)

    def test_synopsis_has_every_option_of_each_command(self):
        synopsis = re.sub(r"\s+", " ", self.shown(PROGRAM).split("DESCRIPTION")[0])
        for command in ("run", "serve", "connect", "view", "check", "replay"):
            forms, = re.findall(rf"handlens {command} (.*?)(?: handlens |$)", synopsis)
            for letter, option in re.findall(r"(?m)^  (?:-(\w), )?--([a-z-]+)",
                                             self.run_handlens(command, "--help").out):
                if option not in ("help", "quiet", "verbose", "color"):
                    self.assertIn(f"[-{letter}" if letter else f"[--{option}", forms, command)

    def test_has_the_statuses_of_help(self):
        status = self.shown(PROGRAM).split("EXIT STATUS")[1]
        for number in range(5):
            self.assertRegex(status, rf"(?m)^\s+{number}\s")

    def test_lab_page_explains_every_function(self):
        page = self.shown(LAB)
        # Where as_nobody.py runs this, scripts/ is that of the installed program.
        text = (pathlib.Path(__file__).parents[2] / "scripts/README.md").read_text("utf-8")
        text = text[text.index("## The shortest labs"):]
        headings = re.findall(r"(?m)^### `(.+)`$", text)
        self.assertGreater(len(headings), 40)
        for heading in headings:
            self.assertTrue(f"\n   {heading}\n" in page, heading)
        for name in re.findall(r"(?m)^\| `([a-z]+\.[a-z_.]+)` \|", text):
            self.assertRegex(page, rf"(?m)^\s+{re.escape(name)}\b")

    def test_both_pages_are_well_formed(self):
        for page in (PROGRAM, LAB):
            found = self.tool("groff", "-mdoc", "-Tutf8", "-Kutf8", "-ww", page)
            self.assertEqual(found.err, "")
            self.assertIn("HANDLENS", found.out)

    def test_a_strict_reader_finds_nothing(self):
        for page in (PROGRAM, LAB):
            found = self.tool("mandoc", "-T", "lint", "-W", "warning,stop", page, status=None)
            self.assertEqual([line for line in found.out.splitlines() if not ALLOWED.search(line)],
                             [])


@unittest.skipUnless(os.environ.get("HANDLENS_BUILD"), "an installed program has no templates with it")
class Document(handlens.LabTest):
    """handlens-document, which fills in the templates of doc/."""

    def document(self, *arguments, status=DONE):
        program = pathlib.Path(os.environ["HANDLENS_BUILD"]) / "handlens-document"
        return self.tool(program, *arguments, status=status)

    def test_makes_again_what_was_built(self):
        for template, made in (("handlens.1.in", PROGRAM), ("handlens-lab.5.in", LAB),
                               ("completion/handlens.bash.in",
                                SHARE / "bash-completion/completions/handlens"),
                               ("completion/handlens.zsh.in",
                                SHARE / "zsh/site-functions/_handlens"),
                               ("completion/handlens.fish.in",
                                SHARE / "fish/vendor_completions.d/handlens.fish")):
            text = self.document(SOURCES / "doc" / template, SOURCES).out
            self.assertEqual(text, made.read_text("utf-8"))
            self.assertNotRegex(text, r"(?m)^@")

    def test_says_why_it_makes_nothing(self):
        self.assertEqual(self.document("one", status=USAGE).err,
                         "usage: handlens-document TEMPLATE FOLDER\n")
        self.assertEqual(self.document("none.in", ".", status=NOT_ALLOWED).err,
                         "handlens-document: none.in: cannot read none.in: "
                         "No such file or directory\n")
        self.assertEqual(self.document(".", ".", status=NOT_ALLOWED).err,
                         "handlens-document: .: cannot read .: Is a directory\n")
        full = self.tool("sh", "-c", '"$@" >/dev/full', "sh",
                         pathlib.Path(os.environ["HANDLENS_BUILD"]) / "handlens-document",
                         SOURCES / "doc/handlens.1.in", SOURCES, status=NOT_ALLOWED)
        self.assertEqual(full.err, "handlens-document: cannot write: No space left on device\n")


if __name__ == "__main__":
    handlens.main()
