"""In bash, zsh and fish, TAB completes what handlens takes at that place."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import unittest

import handlens

SHARE = pathlib.Path(os.environ.get("HANDLENS_BUILD", pathlib.Path(handlens.HANDLENS).parents[1]))
if os.environ.get("HANDLENS_BUILD"):
    SHARE /= "doc"
SHARE /= "share"

CAPTURES = {"a.pcap", "b.pcapng"}


class Completion:
    """What each shell must do. offered(line) are the words it offers at the end of a line."""

    shell = None

    def setUp(self):
        super().setUp()
        if not shutil.which(self.shell, path=self.environment()["PATH"]):
            self.skipTest(f"{self.shell} is not installed")
        for name in (*CAPTURES, "c.txt", "mine.lua"):
            (self.work / name).touch()
        (self.work / "below").mkdir()

    def path(self):
        return f"{pathlib.Path(handlens.HANDLENS).parent}:{self.environment()['PATH']}"

    def help_words(self, pattern, *arguments):
        words = set(re.findall(pattern, self.run_handlens(*arguments, "--help").out, re.M))
        self.assertGreater(len(words), 3)
        return words

    def assert_offers(self, line, *, all_of=(), none_of=(), only=None):
        offered = self.offered(line)
        self.assertLessEqual(set(all_of), offered, f"{self.shell}: {line!r}")
        self.assertFalse(offered & set(none_of), f"{self.shell}: {line!r}: {offered}")
        if only is not None:
            self.assertEqual(offered, set(only), f"{self.shell}: {line!r}")

    def test_offers_every_command(self):
        self.assert_offers("handlens ", none_of={"hello", "a.pcap"},
                           all_of=self.help_words(r"^  (?!handlens)([a-z]+)\b"))

    def test_offers_every_option_of_each_command(self):
        for command in self.help_words(r"^  (?!handlens)([a-z]+)\b"):
            with self.subTest(command):
                options = set(re.findall(r"(?m)^  (?:-\w, )?(--[a-z-]+)",
                                         self.run_handlens(command, "--help").out))
                self.assertIn("--help", options)
                offered = self.offered(f"handlens {command} --")
                self.assertEqual({word for word in offered if word.startswith("--")}, options)

    def test_offers_labs_and_scripts(self):
        names = set(re.findall(r"(?m)^  ([A-Za-z0-9_-]+)  ", self.run_handlens("labs", "-q").out))
        self.assertIn("hello", names)
        self.assert_offers("handlens run ", all_of={*names, "mine.lua"},
                           none_of={*CAPTURES, "c.txt"})
        self.assert_offers("handlens run refu", only={"refused"})
        self.assert_offers("handlens check --format tap refu", only={"refused"})

    def test_offers_captures(self):
        for line in ("handlens view ", "handlens view --as packets ", "handlens check hello ",
                     "handlens check -q hello a.pcap ", "handlens replay --as client ",
                     "handlens run hello -w "):
            self.assert_offers(line, all_of=CAPTURES, none_of={"c.txt", "mine.lua", "hello"})

    def test_offers_the_words_that_an_option_takes(self):
        views = {"ladder", "packets", "bytes", "stream", "flows", "json", "html"}
        for command in ("run", "serve", "connect", "view"):
            self.assert_offers(f"handlens {command} --as ", only=views)
        self.assert_offers("handlens replay --as ", only={"client", "server"})
        self.assert_offers("handlens view --from ", only={"client", "server"})
        self.assert_offers("handlens check --format ", only={"text", "tap", "junit", "json"})
        self.assert_offers("handlens labs --color ", only={"auto", "always", "never"})
        self.assert_offers("handlens view --as=pa", only={"packets"})

    def test_offers_files_and_folders(self):
        self.assert_offers("handlens run hello --html ", all_of={"c.txt"})
        self.assert_offers("handlens run hello --files ", none_of={"c.txt", *CAPTURES})
        self.assertTrue({"below", "below/"} & self.offered("handlens run hello --files "))

    def test_offers_nothing_where_a_number_or_a_name_is_due(self):
        for line in ("handlens run hello --clients ", "handlens new ", "handlens run hello "):
            self.assert_offers(line, none_of={*CAPTURES, "c.txt", "hello", "mine.lua"})


class AtTerminal(Completion):
    """A shell that is typed at: what it shows on TAB is what it offers."""

    setup = ""

    def setUp(self):
        super().setUp()
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(self.work)
            os.execvpe(self.command[0], self.command, self.environment(
                PATH=self.path(), PS1="READY> ", TERM="dumb", COLUMNS=None, HISTFILE=None))
        self.addCleanup(self.end, pid)
        self.count = 0
        self.type(self.setup + "\n")

    def end(self, pid):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(self.terminal)

    def type(self, keys):
        """Types them, then a command of ours; returns what is shown until the prompt after that."""
        self.count += 1
        os.write(self.terminal, keys.encode() + f"\025echo do''ne{self.count}\n".encode())
        shown, deadline = b"", time.monotonic() + 20
        while not re.search(rb"(?s)\ndone%d\r.*READY> " % self.count, shown):
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                self.fail(f"{self.shell} shows only {shown.decode()!r} for {keys!r}")
            shown += os.read(self.terminal, 65536)
        return shown.decode()

    def offered(self, line):
        """The words of what is listed; or, of a line that could only go on in one way, its last."""
        shown = self.type(line + "\t").partition("echo do''ne")[0]
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x07|\x15", "", shown)
        first = line.split()[0]
        self.assertIn(first, shown)
        _, _, rest = shown.partition(first)
        typed, *listed = rest.replace("\r", "\n").split("\n")
        words = {word for row in listed for word in row.split() if not row.startswith("READY> ")}
        if not words and typed.strip():
            words = {typed.replace("=", " ").split()[-1]}
            words -= {line.split()[-1]} if line.endswith(" ") else set()
        return words


class Bash(AtTerminal, handlens.LabTest):
    shell = "bash"
    command = ["bash", "--norc", "--noprofile", "-i"]
    setup = (f"source {SHARE / 'bash-completion/completions/handlens'!s}\n"
             "bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'; "
             "bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'")


class Zsh(AtTerminal, handlens.LabTest):
    shell = "zsh"
    command = ["zsh", "-f", "-i"]
    setup = (f"fpath=('{SHARE / 'zsh/site-functions'!s}' $fpath); autoload -Uz compinit; "
             "compinit -u -D; zstyle ':completion:*' verbose no; LISTMAX=10000; unsetopt prompt_sp zle_bracketed_paste auto_menu; "
             "setopt list_rows_first no_list_ambiguous")


class Fish(Completion, handlens.LabTest):
    shell = "fish"

    def offered(self, line):
        done = subprocess.run(
            ["fish", "-N", "-c", 'source $argv[1]; complete -C $argv[2]',
             SHARE / "fish/vendor_completions.d/handlens.fish", line],
            cwd=self.work, env=self.environment(PATH=self.path()), capture_output=True, timeout=30,
            check=True)
        self.assertEqual(done.stderr, b"")
        return {word.split("\t")[0].partition("=")[2] or word.split("\t")[0]
                for word in done.stdout.decode().splitlines()}


if __name__ == "__main__":
    handlens.main()
