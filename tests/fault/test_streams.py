"""Files and standard streams that are full, closed or gone."""

import os
import shutil
import subprocess
import time

import fault
import handlens
from fault import CHECK_FAILED, DONE, HANDLENS, NOT_ALLOWED

# So much that no small disk holds it.
LONG = """
lab.port = 65432
lab.timeout = 60
function lab.reply(message) return message end
function lab.client(server)
  local sock = socket.connect(server)
  print("connected")
  for i = 1, 400 do
    sock:sendall(("x"):rep(2000))
    sock:recv(2000)
  end
  sock:close()
end
"""

GOES_ON = """
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  conn:recv(10)
  conn:sendall("still here")
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  print("connected")
  input("")
  sock:sendall("gone?")
  sock:recv(100)
  sock:close()
end
"""

FAILING = """
lab.port = 65432
function lab.reply(message) return message end
function lab.client(server) end
function lab.check(trace) expect.equal(1, 2) end
"""


class Streams(fault.FaultTest):
    def shell(self, redirection, *arguments):
        """The program with this redirection of its streams; what is left of them is kept."""
        done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {redirection}', HANDLENS,
                               *map(str, arguments)], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, env=self.environment(), cwd=self.work)
        result = handlens.Result(arguments, done.returncode, done.stdout, done.stderr, 0)
        self.assertNotRegex(result.err, handlens.SANITIZER_REPORT, result)
        return result

    def test_what_cannot_be_shown_is_said_by_every_command(self):
        capture = self.capture()
        commands = [["run", "hello"], ["run", "hello", "--as", "json"], ["view", capture],
                    ["view", capture, "--as", "html"], ["check", "hello"],
                    ["check", "hello", capture, capture], ["labs"], ["--help"], ["--version"],
                    ["run", "--help"]]
        for command in commands:
            for redirection, why in ((">/dev/full", "No space left"), (">&-", "Bad file desc")):
                with self.subTest(command=command, redirection=redirection):
                    result = self.shell(redirection, *command)
                    self.assertEqual(result.status, NOT_ALLOWED, result)
                    self.assert_one_sentence(result, "cannot write")
                    self.assertRegex(result.err, f"{why}|a write failed")
                    self.assertEqual(result.err.count("cannot write"), 1, result)

    def test_a_failed_check_stays_one_where_it_cannot_be_shown(self):
        result = self.shell(">/dev/full", "check", self.lab(FAILING))
        self.assertEqual(result.status, CHECK_FAILED, result)
        self.assertIn("cannot write", result.err)

    def test_closed_streams_do_not_become_files(self):
        for number, redirection in enumerate(("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-")):
            path = self.work / f"{number}.pcapng"
            page = self.work / f"{number}.html"
            result = self.shell(redirection, "run", "hello", "-w", path, "--html", page)
            with self.subTest(redirection=redirection):
                lost = ">&-" in redirection.replace("2>&-", "")
                self.assertEqual(result.status, NOT_ALLOWED if lost else DONE, result)
                self.assertEqual(len(self.json(path, "packet")), 10)
                self.assertTrue(page.read_bytes().rstrip().endswith(b"</html>"))
                self.assertEqual(b"SYN" in result.out_bytes, not lost, result)

    def test_input_from_a_closed_stream_has_ended(self):
        result = self.shell("<&-", "run", self.lab(GOES_ON))
        self.assertEqual(result.status, DONE, result)
        self.assertIn("still here", result.out)


class Gone(fault.FaultTest):
    def pause(self, *arguments):
        """A run that waits for a line of input in the middle."""
        process = self.start("run", self.lab(GOES_ON), "-v", *arguments, stdin=subprocess.PIPE)
        return process, self.read_until(process, "connected")

    def go_on(self, process, err):
        process.stdin.write(b"\n")
        return self.finish(process, time.monotonic(), 30, err=err)

    def test_a_file_removed_while_it_is_written_is_no_harm(self):
        process, err = self.pause("-w", "gone.pcapng", "--html", "gone.html")
        (self.work / "gone.pcapng").unlink()
        (self.work / "gone.html").unlink()
        result = self.go_on(process, err)
        self.assertEqual(result.status, DONE, result)
        self.assertIn("still here", result.out)

    def test_a_folder_that_disappears_is_no_harm(self):
        for name in ("captures", "tmp"):
            (self.work / name).mkdir()
        process, err = self.pause("-w", "captures/one.pcapng")
        kept = os.open(self.work / "captures/one.pcapng", os.O_RDONLY)
        shutil.rmtree(self.work / "captures")
        result = self.go_on(process, err)
        self.assertEqual(result.status, DONE, result)
        self.assertIn("still here", result.out)
        # Whoever has it open still has all of it.
        with os.fdopen(kept, "rb") as file:
            shown = self.run_handlens("view", "-", stdin=file).out
        self.assertEqual(shown, result.out)

    def test_the_current_folder_that_disappears_is_no_harm(self):
        folder = self.work / "here"
        folder.mkdir()
        lab = self.lab(GOES_ON)
        process = self.start("run", lab, "-v", cwd=folder, stdin=subprocess.PIPE)
        err = self.read_until(process, "connected")
        folder.rmdir()
        result = self.go_on(process, err)
        self.assertEqual(result.status, DONE, result)

    def test_without_a_folder_for_the_trace_memory_will_do(self):
        result = self.run_handlens("run", "hello", env={"TMPDIR": str(self.work / "none")})
        self.assertIn("SYN", result.out)


class FullDisk(fault.FaultTest):
    """A disk of 256 KiB, in a mount namespace of its own."""

    def on_small_disk(self, command, *, lab=LONG, tmpdir=None):
        """A shell command with $H, $LAB, and the disk at ./disk; what is on that goes to ./kept."""
        (self.work / "disk").mkdir(exist_ok=True)
        (self.work / "kept").mkdir(exist_ok=True)
        script = ("mount -t tmpfs -o size=256k small disk || exit 99\n"
                  f"{command}\nstatus=$?\ncp -r disk/. kept/ && exit $status")
        environment = self.environment(H=HANDLENS, LAB=str(self.lab(lab)))
        if tmpdir:
            environment["TMPDIR"] = str(self.work / tmpdir)
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=self.work, timeout=120,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        result = handlens.Result([command], done.returncode, done.stdout, done.stderr, 0)
        if result.status == 99:
            self.skipTest(f"no disk of its own: {result.err}")
        self.assertNotRegex(result.err, handlens.SANITIZER_REPORT, result)
        return result

    def test_ends_the_capture_at_its_last_whole_block(self):
        result = self.on_small_disk('"$H" run "$LAB" -w disk/full.pcapng --as flows')
        self.assertEqual(result.status, NOT_ALLOWED, result)
        self.assert_one_sentence(result, "disk/full.pcapng", "No space left", "is whole")
        self.assertNotIn("the trace is in", result.err)
        # The run went on, and is shown in full.
        self.assertRegex(result.out, r"\b800k +800k\b", result)
        packets = self.json(self.work / "kept/full.pcapng", "packet")
        self.assertGreater(len(packets), 20)
        self.assertEqual(fault.block_kinds(self.work / "kept/full.pcapng")[1], 0)

    def test_for_the_trace_itself_is_said(self):
        result = self.on_small_disk('"$H" run "$LAB" -w kept.pcapng --as flows', tmpdir="disk")
        self.assertEqual(result.status, NOT_ALLOWED, result)
        self.assert_one_sentence(result, "No space left", "TMPDIR")
        # The file has all of it.
        sent = sum(p["payload_length"] for p in self.json(self.work / "kept.pcapng", "packet"))
        self.assertEqual(sent, 2 * 400 * 2000)

    def test_for_a_report_or_a_view_is_said(self):
        self.capture("hello", "hello.pcapng")
        fill = "head -c 200k /dev/zero >disk/filler; "
        for command in (f'{fill} "$H" run "$LAB" --html disk/page.html --as flows',
                        f'{fill} "$H" view hello.pcapng --as html -o disk/page.html',
                        f'{fill} "$H" view hello.pcapng --as html >disk/page.html'):
            with self.subTest(command=command):
                result = self.on_small_disk(command)
                self.assertEqual(result.status, NOT_ALLOWED, result)
                self.assert_one_sentence(result, "cannot write", "No space left")

    def test_a_limit_on_the_size_of_files_is_as_a_full_disk(self):
        done = subprocess.run(["sh", "-c", 'ulimit -f 200; exec "$0" run "$1" -w cut.pcapng --as flows',
                               HANDLENS, self.lab(LONG)], cwd=self.work, capture_output=True,
                              env=self.environment(), stdin=subprocess.DEVNULL, timeout=60)
        result = handlens.Result(["run"], done.returncode, done.stdout, done.stderr, 0)
        self.assertEqual(result.status, NOT_ALLOWED, result)
        self.assert_one_sentence(result, "cut.pcapng", "File too large")
        self.assertGreater(len(self.json(self.work / "cut.pcapng", "packet")), 20)


if __name__ == "__main__":
    fault.main()
