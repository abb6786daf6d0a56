"""`handlens run --step`, used as a person does: in a terminal (tmux), key by key."""

import os
import select
import shutil
import signal
import subprocess
import time
import unittest

import handlens
from handlens import USAGE

LATE = """
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  conn:sendall("late")
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:settimeout(0.5)
  print("got", sock:recv(10))
  sock:close()
end
"""


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Terminal(handlens.LabTest):
    """A shell in a tmux of its own; what is on its screen is waited for, never slept for."""

    def setUp(self):
        super().setUp()
        self.socket = self.folder / "tmux"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "exec /bin/sh",
                  env=self.environment(TERM="xterm-256color", COLUMNS=None))
        self.addCleanup(self.tmux, "kill-server")
        self.shell("PS1='ready> '; clear")
        self.wait_until(lambda screen: screen.startswith("ready>"), "no shell")

    def tmux(self, *arguments, env=None):
        done = subprocess.run(["tmux", "-S", self.socket, "-u", *map(str, arguments)],
                              capture_output=True, timeout=20, check=False, cwd=self.work,
                              env=env or self.environment(TERM="xterm-256color"))
        return done.stdout.decode("utf-8", "replace")

    def screen(self, past=False):
        """What is on the screen; with past, what has scrolled away before it as well."""
        return self.tmux("capture-pane", "-p", *(["-S", "-"] if past else []))

    def wait_until(self, holds, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not holds(screen := self.screen()):
            if time.monotonic() > deadline:
                self.fail(f"{what}; the screen is:\n{screen}")
        return screen

    def wait_for(self, text, timeout=30):
        return self.wait_until(lambda screen: text in screen, f"'{text}' never came", timeout)

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def shell(self, line):
        self.type(line)
        self.keys("Enter")

    def step(self, *arguments):
        self.shell("clear; " + " ".join(map(str, [handlens.HANDLENS, "run", *arguments, "--step"])))
        return self.wait_for("next: socket(tcp)")

    def program(self):
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        return subprocess.run(["pgrep", "-P", shell, "handlens"], capture_output=True, text=True,
                              check=True).stdout.strip()

    def go_to(self, call, limit=40):
        """Enter until the call is the next one; each time the question must have changed."""
        for _ in range(limit):
            screen = self.wait_for("Enter next")
            if f"next: {call}" in screen:
                return screen
            self.keys("Enter")
            self.wait_until(lambda now, before=screen: now != before, "Enter changed nothing")
        return self.fail(f"{call} never came: {self.screen()}")

    def wait_for_end(self, word="Done:"):
        self.wait_for(word)
        return self.wait_until(lambda screen: screen.rstrip().endswith("ready>"), "it did not end")


class Step(Terminal):
    def test_shows_the_line_with_its_neighbours_and_the_call(self):
        self.step("hello")
        screen = self.go_to("sendall(\"Hello from the client\")")
        self.assertRegex(screen, r"(?m)^ +\d+ +local sock = socket.connect")
        self.assertRegex(screen, r"(?m)^ ▶ +\d+ +sock:sendall")
        self.assertRegex(screen, r"(?m)^ +\d+ +print")
        self.assertRegex(screen, r"── client · hello.lua ─")

    def test_makes_the_call_only_when_told_and_shows_its_packets_then(self):
        self.step("hello")
        self.assertNotIn("SYN", self.go_to("connect(127.0.0.1:65432)"))
        self.keys("Enter")
        self.assertRegex(self.wait_for("SYN ACK"), r"ESTABLISHED")
        self.assertNotIn("PSH", self.screen())

    def test_leaves_the_ladder_of_a_plain_run_behind(self):
        self.step("hello", "-w", "kept.pcapng")
        self.keys("c")
        self.assertIn("10 packets", self.wait_for_end())
        self.assertNotIn("Enter next", self.screen(past=True))
        self.assertEqual(len(self.json(self.work / "kept.pcapng", "packet")), 10)

    def test_finishes_the_line(self):
        self.step("hello")
        self.go_to("connect(")
        self.keys("f")
        screen = self.wait_for("next: sendall(\"Hello from the client\")")
        self.assertIn("accept", screen)

    def test_runs_until_a_packet_with_the_flags(self):
        self.step("hello")
        self.keys("u")
        self.type("nonsense")
        self.keys("Enter")
        self.wait_for("flags are FIN")
        self.keys("u")
        self.type("fin ack")
        self.keys("Enter")
        screen = self.wait_for("packet 8 has the flags")
        self.assertIn("FIN ACK", screen)
        self.assertNotIn("FIN ACK  seq 22 ack 23", screen)

    def test_shows_states_by_the_packets_and_by_the_kernel(self):
        self.step("hello")
        self.go_to("sendall(")
        self.keys("s")
        screen = self.wait_for("states by the kernel now")
        self.assertRegex(screen, r"flow 1 +127\S+ +ESTABLISHED +127.0.0.1:65432 +ESTABLISHED")
        self.assertRegex(screen, r"(?m)^ +server +127.0.0.1:65432 +LISTEN")
        self.assertRegex(screen, r"(?m)^ +client +\S+ to 127.0.0.1:65432 +ESTABLISHED")

    def test_shows_the_bytes_of_a_packet(self):
        self.step("hello")
        self.go_to("sendall(")
        self.keys("b")
        self.type("2")
        self.keys("Enter")
        self.wait_for("0000  00 00 00 00")
        self.assertIn("Window Scale", self.screen(past=True))
        self.keys("b")
        self.type("99")
        self.keys("Enter")
        self.wait_for("packet 99 is not here")

    def test_puts_a_note_into_the_trace(self):
        self.step("hello", "-w", "kept.pcapng")
        self.keys("t")
        self.type("hhere it begins")
        self.keys("BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace")
        self.type("starts ☺")
        self.keys("Enter")
        self.wait_for("noted")
        self.keys("c")
        self.wait_for_end()
        notes = [e["text"] for e in self.json(self.work / "kept.pcapng", "note")]
        self.assertIn("hhere it starts ☺", notes)

    def test_helps(self):
        self.step("hello")
        self.keys("?")
        self.wait_for("Time-outs of the script do not run")

    def test_reads_what_the_script_asks_for_as_a_line(self):
        self.lab('lab.port = 65432\nfunction lab.server(l)\n  local c = l:accept()\nend\n'
                 'function lab.client(s)\n  local x = input("your name? ")\n'
                 '  local sock = socket.connect(s)\n  sock:sendall(x)\nend\n')
        self.step("./mine.lua")
        self.go_to("accept()")
        self.keys("Enter")
        self.wait_for("your name?")
        self.shell("Ada")
        self.go_to('sendall("Ada")')


class Running(Terminal):
    """What goes on by itself is stopped by a key."""

    def run_on(self):
        self.lab("""
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  while conn:recv(1) ~= "" do end
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  for i = 1, 100000 do
    sock:sendall("x")
    sleep(0.01)
    if i % 20 == 0 then sleep(0.8) end  -- long enough for it to say that it runs
  end
  sock:close()
end
""")
        self.step("./mine.lua", "-w", "kept.pcapng")
        return self.go_to("accept()")

    def sent(self):
        self.keys("q")
        self.wait_for_end("Interrupted")
        return len(self.json(self.work / "kept.pcapng", "call"))

    def test_space_stops_a_continue_before_the_next_call(self):
        self.run_on()
        self.keys("c")
        self.wait_for("Space stops it")
        self.assertNotIn("Enter next", self.screen())
        self.keys("Space")
        self.wait_for("Enter next")
        self.keys("Enter")  # it is step by step again
        self.wait_for("Enter next")
        self.assertNotIn("Space stops it", self.screen())
        self.assertLess(self.sent(), 1000)

    def test_space_stops_a_search_for_flags_and_the_finishing_of_a_line(self):
        self.run_on()
        for keys in (["u", "URG", "Enter"], ["f"]):
            self.keys(*keys)
            self.wait_for("Space stops it")
            self.keys("Space")
            self.assertNotIn("has the flags", self.wait_for("Enter next"))
        self.keys("q")
        self.wait_for_end("Interrupted")

    def test_enter_does_not_stop_it_and_q_quits(self):
        self.run_on()
        self.keys("c", "Enter")
        self.wait_for("Space stops it")
        self.keys("Enter")
        self.wait_until(lambda screen: "Enter next" not in screen, "Enter stopped it")
        self.assertGreater(self.sent(), 10)
        self.assertNotIn("Space stops it", self.screen(past=True))

    def test_a_resize_meanwhile_leaves_no_rubbish(self):
        # It writes nothing by itself: what it wrote between the terminal's change and the signal
        # that tells of it would be measured by the width before.
        self.lab("lab.port = 65432\nfunction lab.client(server)\n  sleep(60)\nend\n"
                 "function lab.server(listener)\n  listener:accept()\nend\n")
        self.step("./mine.lua", "-w", "kept.pcapng")
        self.keys("c")
        self.wait_for("Space stops it")
        words = self.wait_for("q quit").rstrip().splitlines()[-1]
        for columns, rows in ((40, 8), (120, 30), (30, 6), (80, 24)):
            self.tmux("resize-window", "-x", columns, "-y", rows)
            self.wait_until(lambda screen, fits=words[:columns - 1].rstrip():
                            screen.rstrip().splitlines()[-1].rstrip() == fits, "not drawn anew")
            self.assertEqual(self.screen(past=True).count("running"), 1)
        self.keys("q")
        self.wait_for_end("Interrupted")

    def test_a_terminal_that_goes_away_ends_it_and_the_trace_is_kept(self):
        self.run_on()
        self.keys("c")
        self.wait_for("Space stops it")
        program = os.pidfd_open(int(self.program()))
        self.addCleanup(os.close, program)
        self.tmux("kill-server")
        self.assertTrue(select.select([program], [], [], 30)[0], "it goes on")
        self.assertEqual(self.json(self.work / "kept.pcapng", "end")[0]["outcome"], "interrupted")

    def test_keys_are_the_answer_s_while_the_script_asks_for_a_line(self):
        self.lab('lab.port = 65432\nfunction lab.server(l)\n  local c = l:accept()\n'
                 '  while c:recv(9) ~= "" do end\nend\n'
                 'function lab.client(s)\n  local sock = socket.connect(s)\n'
                 '  local x = input("your name? ")\n  sock:sendall(x)\n'
                 '  for i = 1, 1000 do sleep(0.7) sock:sendall(x) end\nend\n')
        self.step("./mine.lua")
        self.keys("c")
        self.wait_for("your name?")
        self.shell("qx q")
        self.wait_for("Space stops it")
        self.keys("Space")
        self.go_to('sendall("qx q")')
        self.keys("q")
        self.wait_for_end("Interrupted")


class TimeOuts(Terminal):
    def test_of_the_script_do_not_run_while_it_is_stopped(self):
        self.lab(LATE)
        self.step("./mine.lua")
        screen = self.go_to('sendall("late")')
        self.assertIn("recv(10) waits", screen)
        time.sleep(0.8)  # longer than the time-out: that it does not run can only be waited out
        self.keys("c")
        self.wait_for_end()
        shown = self.screen(past=True)
        self.assertIn('prints "got late"', " ".join(shown.replace("\t", " ").split()))
        self.assertNotIn("timed out", shown)


class Window(Terminal):
    def test_can_be_resized(self):
        self.step("hello")
        self.go_to("sendall(")
        for columns, rows in ((60, 20), (100, 30), (50, 9), (80, 24)):
            self.tmux("resize-window", "-x", columns, "-y", rows)
            # The rule above the script spans the terminal, all but the last column.
            self.wait_until(lambda screen, columns=columns: any(
                line.startswith("── client") and len(line) == columns - 1
                for line in screen.splitlines()), f"not drawn for {columns} columns")
            self.assertEqual(self.screen().count("Enter next"), 1)
            self.assertEqual(self.screen().count("next: sendall"), 1)
        self.keys("Enter")
        self.wait_for("PSH ACK")


class Ending(Terminal):
    def end_by(self, end):
        """The terminal's settings must be the same before and after; the trace is kept."""
        self.shell("stty -a > before; clear")
        self.step("hello", "-w", "kept.pcapng")
        self.go_to("sendall(")
        end()
        self.wait_for_end("Interrupted")
        self.shell("clear; stty -a > after; echo compared: $(cmp before after && echo same)")
        self.wait_for("compared: same")
        kept = self.work / "kept.pcapng"
        self.assertEqual(len(self.json(kept, "packet")), 4)  # the handshake, and the end's RST
        self.assertEqual(self.json(kept, "end")[0]["outcome"], "interrupted")
        self.assertNotIn("sendall", [e["call"] for e in self.json(kept, "call")])

    def test_by_q_restores_the_terminal_and_keeps_the_trace(self):
        self.end_by(lambda: self.keys("q"))

    def test_by_control_c_does_too(self):
        self.end_by(lambda: self.keys("C-c"))

    def test_by_signals_does_too(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number):
                (self.work / "kept.pcapng").unlink(missing_ok=True)
                self.end_by(lambda number=number: subprocess.run(
                    ["kill", f"-{int(number)}", self.program()], check=True))

    def test_in_the_middle_of_a_question_does_too(self):
        self.end_by(lambda: self.keys("t", "C-c"))

    def test_a_stopped_program_gives_the_terminal_back_for_the_while(self):
        self.shell("set -m; stty -a > before; clear")
        self.step("hello")
        self.keys("C-z")
        self.wait_for("Stopped")
        self.shell("stty -a > after; echo compared: $(cmp before after && echo same)")
        self.wait_for("compared: same")
        self.shell("clear; fg")
        self.wait_for("Enter next")
        self.keys("c")
        self.wait_for_end()


class Without(handlens.LabTest):
    def test_a_terminal_it_says_so(self):
        result = self.run_handlens("run", "hello", "--step", status=USAGE)
        self.assert_one_sentence(result, "--step", "terminal")
        self.assertEqual(result.out, "")

    def test_a_cursor_it_says_so(self):
        status, shown = self.run_on_terminal("run", "hello", "--step", env={"TERM": "dumb"})
        self.assertEqual(status, USAGE)
        self.assertIn("cursor", shown)

    def test_the_ladder_it_says_so(self):
        result = self.run_handlens("run", "hello", "--step", "--as", "json", status=USAGE)
        self.assert_one_sentence(result, "--step", "ladder")


if __name__ == "__main__":
    handlens.main()
