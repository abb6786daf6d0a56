"""What a user can get wrong: each is told in a clear sentence, with exit status 2."""

import re
import socket
import time

import handlens
from handlens import DONE, USAGE


class CommandLine(handlens.LabTest):
    def test_unknown_lab_suggests_the_nearest(self):
        result = self.run_handlens("run", "helo", status=USAGE)
        self.assert_one_sentence(result, "helo", "hello")
        self.assertEqual(result.out, "")

    def test_lab_file_that_is_not_there(self):
        self.assert_one_sentence(self.run_handlens("run", "./none.lua", status=USAGE),
                                 "none.lua", "No such file")

    def test_unknown_command_suggests_the_nearest(self):
        self.assert_one_sentence(self.run_handlens("rnu", "hello", status=USAGE), "rnu", "run")

    def test_unknown_option_gives_a_hint(self):
        self.assert_one_sentence(self.run_handlens("run", "hello", "--froce", status=USAGE),
                                 "--froce", "--force")
        self.assert_one_sentence(self.run_handlens("run", "hello", "--xyzzy", status=USAGE),
                                 "--xyzzy", "--help")
        self.assert_one_sentence(self.run_handlens("run", "hello", "-Z", status=USAGE),
                                 "-Z", "--help")

    def test_impossible_values(self):
        for option, value in (("--timeout", "soon"), ("--timeout", "-1"), ("--as", "laddr"),
                              ("--color", "blue")):
            result = self.run_handlens("run", "hello", option, value, status=USAGE)
            self.assert_one_sentence(result, value)
            self.assertEqual(result.out, "")

    def test_each_value_is_told_what_it_must_be(self):
        seconds = "--timeout takes seconds, more than 0 and at most 1000000, not "
        whole = "takes a whole number from"
        for words, told in (
                (["run", "hello", "--timeout", "0"], seconds + "'0'"),
                (["run", "hello", "--timeout", ""], seconds + "''"),
                (["run", "hello", "--timeout", "1s"], seconds + "'1s'"),
                (["run", "hello", "--timeout", "nan"], seconds + "'nan'"),
                (["run", "hello", "--timeout", "1e7"], seconds + "'1e7'"),
                (["run", "hello", "--timeout", "1e999"], seconds + "'1e999'"),
                (["run", "hello", "--clients", "0"], f"--clients {whole} 1 to 1000000, not '0'"),
                (["run", "hello", "--clients", "1x"], f"--clients {whole} 1 to 1000000, not '1x'"),
                (["run", "hello", "--repeat", "-1"], f"--repeat {whole} 1 to 1000000, not '-1'"),
                (["run", "hello", "--repeat", "9" * 30], f"--repeat {whole} 1 to 1000000, not '999"),
                (["serve", "hello", "--port", "65536"], f"--port {whole} 0 to 65535, not '65536'"),
                (["view", "x", "--flow", "4294967296"], f"--flow {whole} 1 to 4294967295"),
                (["view", "x", "--number", "0"], f"--number {whole} 1 to 18446744073709551615"),
                (["view", "x", "--as", "xyzzy"], "there is no view 'xyzzy'; there are ladder, packets,"),
                (["view", "x", "--as", "stream", "--from", "alice"],
                 "--from takes client or server, not 'alice'"),
                (["replay", "x", "--as", "alice"], "--as takes client or server, not 'alice'"),
                (["view", "x", "--color", "red"],
                 "--color takes auto, always or never, not 'red'")):
            result = self.run_handlens(*words, status=USAGE)
            self.assert_one_sentence(result, told)
            self.assertEqual(result.out, "", words)

    def test_missing_and_superfluous_words(self):
        for words in (["run"], ["run", "hello", "-w"], ["run", "hello", "again"], ["view"]):
            self.assert_one_sentence(self.run_handlens(*words, status=USAGE), "handlens")


class Help(handlens.LabTest):
    def test_fits_80_columns_and_needs_nothing(self):
        for words in ([], ["--help"], ["help"], ["run", "--help"], ["view", "--help"],
                      ["labs", "--help"], ["serve", "--help"], ["connect", "--help"], ["help", "run"], ["--version"]):
            result = self.run_handlens(*words, status=DONE)
            self.assertEqual(result.err, "", words)
            self.assertTrue(result.out.strip(), words)
            self.assertEqual([line for line in result.out.splitlines() if len(line) > 80], [], words)

    def test_names_every_option_that_works(self):
        words = self.run_handlens("run", "--help").out
        for option in ("-w", "--force", "--as", "--here", "--timeout", "--color"):
            self.assertIn(option, words)

    def test_version_names_the_libraries(self):
        self.assertRegex(self.run_handlens("--version").out, r"(?s)handlens \d.*Lua 5\.4.*pcap")

    def test_labs_lists_hello(self):
        self.assertRegex(self.run_handlens("labs").out, r"(?m)^\s*hello\b")


class Labs(handlens.LabTest):
    def entries(self, *options, **more):
        """What `labs` says of the labs in ./scripts, which stand beside the program's own."""
        out = self.run_handlens("labs", "-q", *options, **more).out
        return [line.rstrip() for line in out.splitlines()]

    def setUp(self):
        super().setUp()
        (self.work / "scripts").mkdir()
        for name, text in (("first", "lab.group = 'my course'\nlab.order = 9001\nlab.about = 'One.'"),
                           ("second", "lab.group = 'My Course'\nlab.order = 9002\nlab.title = 'Two'"),
                           ("alone", "lab.about = 'Of no group.\\nAnd more of it.'"),
                           ("broken", "lab.port = = 1"),
                           ("long", f"lab.about = '{'word ' * 40}'"),
                           ("hello", "lab.about = 'Mine comes first.'")):
            (self.work / "scripts" / f"{name}.lua").write_text(
                f"{text}\nfunction lab.client() end\n")
        (self.work / "scripts/notes.txt").write_text("no lab")

    def test_groups_stand_in_order_and_what_has_none_last(self):
        lines = self.entries()
        mine = lines.index("My course")
        self.assertEqual([line.split() for line in lines[mine + 1:mine + 4]],
                         [["first", "One."], ["second", "Two"], []])
        others = lines[lines.index("Others") + 1:]
        self.assertEqual([line.split()[0] for line in others], ["alone", "broken", "hello", "long"])
        self.assertTrue(others[0].endswith("  Of no group."), others[0])
        self.assertRegex(others[1], r"^  broken  +broken\.lua:1: unexpected symbol near '='$")
        self.assertTrue(others[2].endswith("Mine comes first."))
        self.assertEqual(sum(line.split()[:1] == ["hello"] for line in lines), 1)

    def test_fits_the_width(self):
        for columns, env, mark in ((80, {}, "…"), (40, {}, "…"), (80, {"LANG": "C"}, "~")):
            lines = self.entries(env={"COLUMNS": str(columns), **env})
            self.assertLessEqual(max(map(len, lines)), columns)
            long, = [line for line in lines if line.startswith("  long")]
            self.assertTrue(long.endswith(mark), long)

    def test_color_changes_no_word(self):
        plain = self.run_handlens("labs").out
        colored = self.run_handlens("labs", "--color", "always").out
        self.assertIn("\x1b[1mMy course\x1b[0m\n", colored)
        self.assertEqual(re.sub(r"\x1b\[[0-9]*m", "", colored), plain)
        self.assertTrue(plain.endswith("\nRun one with:  handlens run NAME\n"))


class Script(handlens.LabTest):
    def test_syntax_error_shows_the_line_itself(self):
        lab = self.lab("lab.port = 65432\nfunction lab.server(listener)\n  local x = = 1\nend\n")
        result = self.run_handlens("run", lab, status=USAGE)
        self.assertIn("mine.lua:3:", result.err)
        self.assertIn("local x = = 1", result.err)
        self.assertEqual(result.out, "")

    def test_error_in_one_role_ends_all_and_keeps_the_capture(self):
        lab = self.lab("""
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  local nothing = nil
  print("size", #nothing)
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:recv(10)
end
""")
        result = self.run_handlens("run", lab, "-w", "kept.pcapng", status=USAGE, timeout=10)
        self.assertIn("mine.lua:6:", result.err)
        self.assertRegex(result.err, r"client.*recv.*mine\.lua:10")
        self.assertIn("SYN", result.out)
        self.assertEqual(self.run_handlens("view", "kept.pcapng").out, result.out)

    def test_socket_error_names_call_address_and_errno(self):
        lab = self.lab("function lab.client()\n  socket.connect('127.0.0.1:9')\nend\n")
        result = self.run_handlens("run", lab, status=USAGE)
        self.assertRegex(result.err, r"mine\.lua:2: connect to 127\.0\.0\.1:9: "
                                     r"Connection refused \(ECONNREFUSED\)")
        self.assertIn("RST", result.out)

    @handlens.needs_private
    def test_all_waiting_for_each_other_is_noticed_at_once(self):
        lab = self.lab("""
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  conn:recv(10)
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:recv(10)
end
""")
        result = self.run_handlens("run", lab, status=USAGE, timeout=10)
        self.assertRegex(result.err, r"server.*recv.*mine\.lua:5")
        self.assertRegex(result.err, r"client.*recv.*mine\.lua:9")
        self.assertIn("SYN", result.out)
        if not handlens.SANITIZED:
            self.assertLess(result.seconds, 1, result)

    def test_role_that_never_ends_is_stopped_by_the_timeout(self):
        lab = self.lab("""
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  while true do sleep(0.05) end
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:recv(10)
end
""")
        result = self.run_handlens("run", lab, "--timeout", "1", status=USAGE, timeout=10)
        self.assertGreaterEqual(result.seconds, 0.9)
        self.assertLess(result.seconds, 4 if handlens.SANITIZED else 2)
        self.assertRegex(result.err, r"client.*recv.*mine\.lua:9")
        self.assertIn("server", result.err)
        self.assertIn("SYN", result.out)

    def test_loop_without_a_wait_is_stopped(self):
        lab = self.lab("function lab.server()\n  while true do end\nend\n")
        started = time.monotonic()
        result = self.run_handlens("run", lab, "--timeout", "2", status=USAGE, timeout=60)
        self.assertRegex(result.err, r"mine\.lua:2")
        self.assertLess(time.monotonic() - started, 30)

    def test_lab_without_roles_says_what_is_missing(self):
        result = self.run_handlens("run", self.lab("lab.port = 65432\n"), status=USAGE)
        self.assertRegex(result.err, r"lab\.server|lab\.reply|lab\.client")


class Machine(handlens.LabTest):
    def test_port_in_use_here_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            lab = self.lab(f"lab.port = {port}\nfunction lab.reply(message) return message end\n"
                           "function lab.client(server) socket.connect(server):close() end\n")
            result = self.run_handlens("run", lab, "--here", "--no-capture", status=USAGE)
        self.assertIn(str(port), result.err)
        self.assertRegex(result.err, re.escape("Address already in use (EADDRINUSE)"))

    @handlens.needs_private
    def test_port_in_use_here_is_free_in_the_private_loopback(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            lab = self.lab(f"lab.port = {port}\nfunction lab.reply(message) return message end\n"
                           "function lab.client(server) socket.connect(server):close() end\n")
            self.run_handlens("run", lab)


if __name__ == "__main__":
    handlens.main()
