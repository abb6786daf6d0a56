"""What an exchange may still do while it runs, as the kernel tells it of every thread; and that labs
have all they need behind the fence. What the fence refuses is tried in tests/unit/place/test_fence.c."""

import errno
import os
import pathlib
import subprocess
import time
import unittest

import handlens
from handlens import DONE, USAGE

# Says that it runs, then waits for a line of input.
WAITING = """
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  conn:recv(10)
end
function lab.client(server)
  local sock = socket.connect(server)
  print("running")
  input()
  sock:close()
end
"""

NOTHING_LEFT = {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0, "NoNewPrivs": 1, "Seccomp": 2}
NOBODY = 65534
CAPTURE = pathlib.Path(__file__).resolve().parents[2] / "captures/hello.pcapng"


def threads_of(pid):
    """The fields of /proc/PID/task/*/status, a dictionary a thread."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        found.append(dict(line.split(":\t", 1) for line in lines if ":\t" in line))
    return found


class FenceTest(handlens.LabTest):
    def wait_until_fenced(self, pid):
        deadline = time.monotonic() + 20
        while threads_of(pid)[0]["Seccomp"] != "2":
            self.assertLess(time.monotonic(), deadline, "no fence came")
            time.sleep(0.002)

    def open_read_by_another(self, fifo):
        """Opens it for writing when somebody has opened it for reading."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO or time.monotonic() > deadline:
                    raise
            time.sleep(0.002)

    def assert_nothing_left(self, process, more=None):
        """Of no thread."""
        threads = threads_of(process.pid)
        self.assertTrue(threads)
        for thread in threads:
            left = {name: int(thread[name], 16) for name in NOTHING_LEFT}
            self.assertEqual(left, NOTHING_LEFT, thread["Name"])
            for name, value in (more or {}).items():
                self.assertEqual(thread[name].split(), value, thread["Name"])
        return len(threads)

    def look_at(self, *arguments, until="running", more=None, **options):
        """Starts handlens, looks when it has said so, and lets it end. Returns how many threads."""
        process = self.start(*arguments, stdin=subprocess.PIPE, **options)
        started = time.monotonic()
        said = self.read_until(process, until) if until else b""
        self.wait_until_fenced(process.pid)
        count = self.assert_nothing_left(process, more)
        process.stdin.write(b"\n")
        process.stdin.flush()
        if "serve" in arguments:
            process.terminate()
        self.finish(process, started, 30, err=said)
        return count


class Privileges(FenceTest):
    def test_who_judges_a_capture_is_fenced_in(self):
        lab = self.lab(WAITING + "function lab.check(trace) expect.equal(1, 1) end\n")
        os.mkfifo(self.work / "fifo")
        process = self.start("check", lab, "fifo")
        started = time.monotonic()
        with open(self.open_read_by_another(self.work / "fifo"), "wb") as pipe:
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            for child in children.read_text().split():
                self.assertEqual(threads_of(child)[0]["Seccomp"], "2")
                self.assertEqual(threads_of(child)[0]["NoNewPrivs"], "1")
            pipe.write(CAPTURE.read_bytes())
        self.assertEqual(self.finish(process, started, 30).status, DONE)

    @handlens.needs_private
    def test_run_has_none_left_in_any_thread(self):
        self.assertGreaterEqual(self.look_at("run", self.lab(WAITING), "-v"), 2)

    @handlens.needs_private
    def test_check_has_none_left(self):
        lab = self.lab(WAITING + "function lab.check(trace) expect.equal(1, 1) end\n")
        self.look_at("check", lab, until=None)

    def test_on_this_machines_loopback_neither(self):
        lab = self.lab(WAITING.replace("65432", "0"))
        self.look_at("run", lab, "-v", "--here", "--no-capture")

    def test_serve_and_connect_have_none_left(self):
        lab = self.lab(WAITING)
        self.look_at("serve", lab, "--port", "0", until="Ctrl-C")

    @unittest.skipUnless(os.getuid() == 0, "only root can have root to give up")
    def test_under_sudo_root_is_given_up_in_every_thread(self):
        user = [str(NOBODY)] * 4
        for place in ([], ["--here"]):
            self.temporary.chmod(0o777)
            self.look_at("run", self.lab(WAITING), "-v", *place,
                         env={"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)},
                         more={"Uid": user, "Gid": user, "Groups": [str(NOBODY)]})

    def test_view_reads_a_capture_with_none_left(self):
        process = self.start("view", "-", stdin=subprocess.PIPE)
        started, whole = time.monotonic(), CAPTURE.read_bytes()
        process.stdin.write(whole[:500])
        process.stdin.flush()
        self.wait_until_fenced(process.pid)
        self.assert_nothing_left(process)
        process.stdin.write(whole[500:])
        process.stdin.flush()
        result = self.finish(process, started, 30)
        self.assertEqual(result.status, DONE, result)
        self.assertIn("Hello from the client", result.out)


class Behind(FenceTest):
    """Labs do as ever."""

    def test_a_script_is_required_while_roles_run(self):
        (self.work / "late.lua").write_text("return 'came late'\n")
        lab = self.lab("function lab.client() print(require('late')) end\n")
        self.assertIn("came late", self.run_handlens("run", lab, "-v", "--no-capture").err)

    def test_files_of_the_temporary_and_of_the_named_folder(self):
        lab = self.lab("""
function lab.client()
  local out <close> = file.open("sub/new.txt", "w")
  out:write("kept")
  out:close()
  print(file.open("sub/new.txt"):read())
end
""")
        self.assertIn("kept", self.run_handlens("run", lab, "-v", "--no-capture").err)
        folder = self.work / "files"
        folder.mkdir()
        self.run_handlens("run", lab, "--no-capture", "--files", folder)
        self.assertEqual((folder / "sub/new.txt").read_text(), "kept")

    def test_names_of_this_machine_are_known(self):
        names = [line.split() for line in pathlib.Path("/etc/hosts").read_text().splitlines()]
        own = [words for words in names if words and words[0] == "127.0.0.1"]
        if not own:
            self.skipTest("/etc/hosts gives 127.0.0.1 no name")
        lab = self.lab(f"""
function lab.client()
  print(pcall(socket.connect, "{own[0][-1]}", 9))
end
""")
        self.assertIn("ECONNREFUSED", self.run_handlens("run", lab, "-v", "--no-capture").err)

    def test_a_filter_knows_names(self):
        capture = self.capture("http")
        shown = self.run_handlens("view", capture, "--as", "packets", "host", "localhost").out
        self.assertIn("SYN", shown)

    def test_low_ports_are_free_in_the_private_loopback(self):
        if not handlens.PRIVATE:
            self.skipTest("no private loopback on this machine")
        lab = self.lab("""
lab.port = 80
function lab.reply(message) return message end
function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("x")
  print("got", sock:recv(1))
end
""")
        self.assertIn("got\tx", self.run_handlens("run", lab, "-v").err)

    def test_what_the_fence_refuses_is_a_clear_error(self):
        """A lab that hides the name of `file` has no temporary folder."""
        lab = self.lab("function lab.client() _G['fi' .. 'le'].open('x', 'w') end\n")
        result = self.run_handlens("run", lab, "--no-capture", status=USAGE)
        self.assert_one_sentence(result, "mine.lua:1", "x", "Permission denied")


if __name__ == "__main__":
    handlens.main()
