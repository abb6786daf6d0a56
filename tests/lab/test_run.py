"""`handlens run`: the first lab, what it shows, and what it keeps."""

import re
import signal
import subprocess
import time

import handlens
from handlens import DONE, USAGE

# A server that waits in accept and then for more from its client, which says when it waits.
WAITING = """
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  print("accepted")
  while true do sleep(0.05) end
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:recv(10)
end
"""


class Hello(handlens.LabTest):
    def test_shows_the_handshake_inside_connect(self):
        ladder = self.run_handlens("run", "hello").out.splitlines()
        connect = next(n for n, line in enumerate(ladder) if re.search(r"\bconnect\b", line))
        send = next(n for n, line in enumerate(ladder) if re.search(r"\bsendall\b", line))
        inside = "\n".join(ladder[connect:send])
        self.assertRegex(inside, r"(?s)\bSYN\b.*\bSYN ACK\b.*\bACK\b")
        self.assertNotRegex("\n".join(ladder[:connect]), r"\bSYN\b")

    def test_shows_what_both_ends_said_and_their_states(self):
        result = self.run_handlens("run", "hello", "-v")
        for words in ("Hello from the client", "Hello from the server", "ESTABLISHED", "FIN"):
            self.assertIn(words, result.out)
        self.assertRegex(result.err, r"(?m)^server: received\tHello from the client$")

    def test_fits_the_terminal(self):
        for columns in (80, 100, 132):
            out = self.run_handlens("run", "hello", env={"COLUMNS": str(columns)}).out
            widest = max(out.splitlines(), key=len)
            self.assertLessEqual(len(widest), columns, widest)

    def test_makes_the_same_calls_and_packets_each_time(self):
        runs = {handlens.normalised(self.run_handlens("run", "hello").out) for _ in range(3)}
        self.assertEqual(len(runs), 1, "\n".join(runs))

    def test_leaves_nothing_in_the_current_folder(self):
        self.run_handlens("run", "hello")
        self.assertEqual(list(self.work.iterdir()), [])

    def test_runs_where_the_current_folder_cannot_be_written(self):
        self.run_handlens("run", "hello", cwd="/")


class View(handlens.LabTest):
    def test_of_the_file_is_what_run_showed(self):
        for columns in ("80", "120"):
            path = self.work / f"{columns}.pcapng"
            env = {"COLUMNS": columns}
            shown = self.run_handlens("run", "hello", "-w", path, env=env).out_bytes
            self.assertIn(b"SYN", shown)
            self.assertEqual(self.run_handlens("view", path, env=env).out_bytes, shown)

    def test_reads_standard_input(self):
        path = self.capture()
        with path.open("rb") as file:
            piped = self.run_handlens("view", "-", stdin=file).out
        self.assertEqual(piped, self.run_handlens("view", path).out)

    def test_shows_all_whole_blocks_of_a_file_cut_short(self):
        whole = self.capture().read_bytes()
        cut = self.work / "cut.pcapng"
        cut.write_bytes(whole[:len(whole) * 2 // 3])
        result = self.run_handlens("view", cut, status=handlens.DAMAGED)
        self.assertIn("SYN", result.out)
        self.assert_one_sentence(result, "cut.pcapng")

    def test_of_what_is_no_capture_says_so(self):
        self.lab("print(1)", "mine.txt")
        result = self.run_handlens("view", "mine.txt", status=handlens.DAMAGED)
        self.assert_one_sentence(result, "mine.txt")
        result = self.run_handlens("view", "nothing.pcapng", status=USAGE)
        self.assert_one_sentence(result, "nothing.pcapng")


class Interrupted(handlens.LabTest):
    def interrupt(self, number):
        started = time.monotonic()
        process = self.start("run", self.lab(WAITING), "-v", "-w", "kept.pcapng")
        err = self.read_until(process, "accepted")
        process.send_signal(number)
        return self.finish(process, started, 10, err=err)

    def test_run_shows_and_keeps_the_trace_so_far(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            result = self.interrupt(number)
            self.assertEqual(result.status, DONE, result)
            self.assertRegex(result.out, r"(?s)SYN.*SYN ACK")
            self.assertEqual(self.run_handlens("view", "kept.pcapng").out, result.out)
            (self.work / "kept.pcapng").unlink()


class ClosedPipe(handlens.LabTest):
    def test_ends_quietly(self):
        path = self.capture()
        for command in (["run", "hello", "-q"], ["view", path], ["view", path, "--as", "packets"],
                        ["--help"], ["labs"]):
            line = '"$0" "$@" | head -n 1; exit "${PIPESTATUS[0]}"'
            done = subprocess.run(["bash", "-c", line, handlens.HANDLENS, *map(str, command)],
                                  capture_output=True, env=self.environment(), timeout=30,
                                  stdin=subprocess.DEVNULL, cwd=self.work)
            self.assertEqual(done.returncode, DONE, (command, done))
            self.assertNotIn(b"handlens:", done.stderr, command)

    def test_with_nobody_reading_at_all_ends_quietly(self):
        process = self.start("run", "hello", "-q")
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(30), DONE, err)
        self.assertNotIn(b"handlens:", err)


@handlens.needs_private
class Many(handlens.LabTest):
    """Clients at once, more than a listener's queue holds."""

    def test_servers_accept_before_their_queue_is_full(self):
        lab = self.lab("""
lab.port = 65432
function lab.reply(message) return message end
function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("hello")
  sock:recv(10)
  sock:close()
end
""")
        result = self.run_handlens("run", lab, "--clients", "300", "--as", "json", "-q")
        packets = [event for event in result.json() if event["event"] == "packet"]
        self.assertEqual(sum(packet["flags"] == ["SYN"] for packet in packets), 300)


class Written(handlens.LabTest):
    """-w FILE, and what stands in its way."""

    def test_does_not_touch_a_file_that_exists(self):
        mine = self.lab("mine", "mine.pcapng")
        result = self.run_handlens("run", "hello", "-w", mine, status=USAGE)
        self.assert_one_sentence(result, "mine.pcapng", "--force")
        self.assertEqual(mine.read_text(), "mine")
        self.assertEqual(result.out, "")

    def test_replaces_it_when_forced(self):
        mine = self.lab("mine" * 100000, "mine.pcapng")
        self.run_handlens("run", "hello", "-w", mine, "--force")
        self.assertIn("SYN", self.run_handlens("view", mine).out)

    def test_needs_the_folder_to_be_there(self):
        result = self.run_handlens("run", "hello", "-w", "none/x.pcapng", status=USAGE)
        self.assert_one_sentence(result, "none/x.pcapng")
        self.assertEqual(list(self.work.iterdir()), [])

    def test_on_a_full_device_is_told(self):
        result = self.run_handlens("run", "hello", "-w", "/dev/full", "--force",
                                   status=handlens.NOT_ALLOWED)
        self.assert_one_sentence(result, "/dev/full", "No space left on device")

    def test_on_a_full_disk_keeps_whole_blocks_and_shows_all(self):
        talk = self.lab("""
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  while conn:recv(65536) do end
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  for n = 1, 20 do sock:sendall(string.rep("x", 8192)) end
  sock:close()
end
""")
        disk = self.work / "disk"
        disk.mkdir()
        script = ('mount -t tmpfs -o size=64k none "$1" || exit 77\n'
                  '"$0" run "$2" -w "$1/x.pcapng" >run.txt; echo "run ended with $?" >&2\n'
                  'exec "$0" view "$1/x.pcapng"')
        command = ["unshare", "-Urm", "sh", "-c", script, handlens.HANDLENS, disk, talk]
        done = subprocess.run(command, capture_output=True, env=self.environment(), timeout=60,
                              stdin=subprocess.DEVNULL, cwd=self.work)
        err = done.stderr.decode()
        if done.returncode == 77 or "unshare failed" in err:
            self.skipTest("no mount namespaces here")
        self.assertEqual(done.returncode, DONE, err)
        self.assertIn("run ended with 3", err)
        self.assertIn("No space left on device", err)
        self.assertIn(b"SYN", done.stdout)
        self.assertRegex((self.work / "run.txt").read_text(), r"(?s)SYN.*FIN ACK")


if __name__ == "__main__":
    handlens.main()
