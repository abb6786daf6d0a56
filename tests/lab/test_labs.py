"""Every lab in scripts/ runs, does the same each time, and fits a terminal of 80 columns."""

import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import unicodedata

import handlens

BUSY_RUNS = 1 if handlens.SANITIZED or handlens.COUNTED else 5

# Labs in which the kernel's timers decide which role goes on first: there each role is held to its
# own calls.
TIMED = {"backlog", "silence", "synack"}


def role(call):
    return call[0]


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


def calls(result):
    """The calls of a run in their order, without what the kernel or the clock chose."""
    found = []
    for event in result.json():
        if event["event"] == "call":
            arguments = re.sub(r"(?<=:)[3-6]\d{4}\b", "PORT", event["args"] or "")
            found.append((event["role"], event["call"], event["line"], arguments))
    return found


class Labs(handlens.LabTest):
    def labs(self):
        return re.findall(r"(?m)^  (\w+) ", self.run_handlens("labs").out)

    def test_are_listed_in_80_columns(self):
        listed = self.run_handlens("labs").out
        self.assertLessEqual(max(map(width, listed.splitlines())), 80, listed)
        for name in ("datagram", "blocking", "multiplex", "errors", "chatroom", "filetransfer",
                     "ipv6"):
            self.assertIn(name, self.labs())

    @handlens.needs_private
    def test_run_and_fit_80_columns(self):
        def run(name):
            return self.run_handlens("run", name)

        for name, result in self.side_by_side(run, self.labs()):
            with self.subTest(lab=name):
                self.assertEqual(result.err, "", result)
                for line in result.out.splitlines():
                    self.assertLessEqual(width(line), 80, line)
                self.assertRegex(result.out, r"(?m)^Done: ")

    @handlens.needs_private
    def test_pass_their_own_checks(self):
        def check(name):
            return self.run_handlens("check", name)

        for name, result in self.side_by_side(check, self.labs()):
            with self.subTest(lab=name):
                self.assertRegex(result.out, r"(?m)^\d+ passed\.$")

    @handlens.needs_private
    def test_make_the_same_calls_each_time_also_on_a_busy_machine(self):
        def run(name):
            return calls(self.run_handlens("run", name, "--as", "json"))

        names = self.labs()
        quiet = dict(self.side_by_side(run, names))
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            for name, again in self.side_by_side(run, names * BUSY_RUNS):
                with self.subTest(lab=name):
                    self.assertEqual(again, quiet[name])
        finally:
            busy.kill()
            busy.wait()


class Datagram(handlens.LabTest):
    def test_shows_what_udp_does(self):
        out = self.run_handlens("run", "datagram").out
        for said in ("first: one", "second: two,  of 13 bytes", "ICMP  port unreachable",
                     "recv(1024) fails: Connection refused"):
            self.assertIn(said, out)


class Blocking(handlens.LabTest):
    def test_shows_eagain_as_a_call(self):
        events = self.run_handlens("run", "blocking", "--as", "json").json()
        tries = [e.get("error", "") for e in events
                 if e["event"] == "call" and e["role"] == "bob" and e["call"] == "recv"]
        self.assertEqual(["EAGAIN" in str(t) for t in tries], [True, True, False], tries)

    def test_tells_a_failure_beside_its_call(self):
        out = self.run_handlens("run", "blocking").out
        self.assertRegex(out, r"\d+ ┃ ┣ recv\(1024\) fails: Resource temporarily +┃\n"
                              r" +┃ │ unavailable \(EAGAIN\) +┃\n")


class Errors(handlens.LabTest):
    def test_are_all_caused(self):
        events = self.run_handlens("run", "errors", "--as", "json").json()
        said = [e["text"] for e in events if e["event"] == "note" and e.get("role") == "client"]
        self.assertEqual(said, [
            "ECONNREFUSED\tin\tconnect", "EADDRINUSE\tin\tbind", "ETIMEDOUT\tin\trecv",
            "ECONNRESET\tin\trecv", "EPIPE\tin\tsend"])


class Multiplex(handlens.LabTest):
    def test_the_silent_one_holds_nobody_up(self):
        events = self.run_handlens("run", "multiplex", "--as", "json").json()
        heard = [e["role"] for e in events if e["event"] == "note"]
        self.assertEqual(heard, ["bob", "carol", "alice"])


class Chatroom(handlens.LabTest):
    def test_everybody_hears_the_others(self):
        events = self.run_handlens("run", "chatroom", "--as", "json").json()
        heard = {}
        for event in events:
            if event["event"] == "note":
                heard.setdefault(event["role"], []).append(event["text"])
        self.assertEqual(heard["alice"], ["bob joined", "carol joined", "bob: hello, alice",
                                          "carol: hello, both"])
        self.assertEqual(heard["carol"], ["alice: hello, you two", "bob: hello, alice",
                                          "alice left", "bob left"])


class FileTransfer(handlens.LabTest):
    """The lab filetransfer, its files in the folder shared."""

    def setUp(self):
        super().setUp()
        self.shared = self.work / "shared"
        self.shared.mkdir()

    def transfer(self, *arguments, **options):
        return self.run_handlens("run", "filetransfer", "--files", self.shared, *arguments,
                                 **options)

    def files(self):
        return sorted(str(path.relative_to(self.work)) for path in self.work.rglob("*")
                      if path.is_file())

    def test_stores_the_whole_one_and_neither_half_nor_elsewhere(self):
        out = self.transfer().out
        self.assertIn("stored notes.txt", out)
        self.assertIn("the sender hung up 989 bytes", out)
        self.assertIn("'../../notes.txt' is no name", out)
        self.assertEqual(self.files(), ["shared/notes.txt", "shared/received/notes.txt"])
        self.assertEqual((self.shared / "notes.txt").read_bytes(),
                         (self.shared / "received/notes.txt").read_bytes())

    def test_brings_64_mebibytes_bit_for_bit(self):
        block = hashlib.sha512(b"not all zeros").digest() * 16384
        with open(self.shared / "big.bin", "wb") as big:
            for number in range(64):
                big.write(block[number:] + block[:number])
        result = self.transfer("--message", "big.bin", "--as", "packets", timeout=120)
        self.assertEqual(result.status, handlens.DONE)
        sums = [hashlib.sha256((self.shared / path).read_bytes()).hexdigest()
                for path in ("big.bin", "received/big.bin")]
        self.assertEqual(sums[0], sums[1])
        self.assertEqual(os.path.getsize(self.shared / "received/big.bin"), 64 << 20)

    def test_replaces_an_older_file_only_by_a_whole_one(self):
        (self.shared / "received").mkdir()
        (self.shared / "received/half.txt").write_text("older")
        (self.shared / "received/notes.txt").write_text("older")
        self.transfer()
        self.assertEqual((self.shared / "received/half.txt").read_text(), "older")
        self.assertNotEqual((self.shared / "received/notes.txt").read_text(), "older")

    def test_interrupted_from_outside_leaves_no_half_file(self):
        self.lab("""
function lab.client()
  local out = file.open("sub/half.txt", "w")
  out:write("half")
  print("written")
  sleep(60)
end
""")
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("run", "./mine.lua", "-v", "--files", self.shared)
            err = self.read_until(process, "written")
            self.assertTrue(any(p.name.startswith(".handlens-")
                                for p in (self.shared / "sub").iterdir()))
            process.send_signal(number)
            self.finish(process, 0, 20, err=err)
            self.assertEqual(list((self.shared / "sub").iterdir()), [])


class FileServer(handlens.LabTest):
    """serve filetransfer, with clients of other kinds."""

    def setUp(self):
        super().setUp()
        self.inbox = self.work / "inbox"
        self.outbox = self.work / "outbox"
        self.inbox.mkdir()
        self.outbox.mkdir()
        self.server = self.start("serve", "filetransfer", "--port", 0, "--files", self.inbox)
        said = self.read_until(self.server, "; Ctrl-C").decode()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", said)[1])

    def stop(self):
        self.server.send_signal(signal.SIGINT)
        self.finish(self.server, 0, 20)

    def test_gets_a_file_from_connect(self):
        sent = os.urandom(3 << 20)
        (self.outbox / "photo.jpg").write_bytes(sent)
        self.run_handlens("connect", "filetransfer", "--port", self.port, "--files", self.outbox,
                          "--message", "photo.jpg")
        self.read_until(self.server, "stored")
        self.stop()
        self.assertEqual((self.inbox / "received/photo.jpg").read_bytes(), sent)

    def test_survives_a_client_that_vanishes_and_keeps_nothing_of_it(self):
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            name = b"half.bin"
            client.sendall(struct.pack(">H", len(name)) + name + struct.pack(">Q", 1 << 20))
            client.sendall(b"x" * 500000)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.read_until(self.server, "refused")
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(struct.pack(">H", 1) + b"x" + struct.pack(">Q", 2) + b"hi" + b"0" * 64)
            self.assertIn(b"checksum is wrong", client.makefile("rb").read())
        self.stop()
        self.assertEqual([p for p in self.inbox.rglob("*") if p.is_file()], [])


class Files(handlens.LabTest):
    """What scripts may reach."""

    def try_name(self, name, *options):
        self.lab(f"""
function lab.client()
  for _, call in ipairs({{"open", "read", "size", "remove", "write"}}) do
    local ok, problem = pcall(file[call], {name}, call == "write" and "mine" or nil)
    print(call, ok and "done" or problem.code, ok or problem.call)
  end
end
""")
        events = self.run_handlens("run", "./mine.lua", "--no-capture", "--as", "json",
                                   *options).json()
        return [e["text"].split("\t") for e in events if e["event"] == "note"]

    def test_outside_of_the_folder_are_refused(self):
        shared = self.work / "shared"
        (shared / "sub").mkdir(parents=True)
        secret = self.work / "secret"
        secret.write_text("secret")
        (shared / "link").symlink_to(secret)
        (shared / "folder").symlink_to(self.work)
        (shared / "round").symlink_to("sub")
        os.mkfifo(shared / "pipe")
        hostile = {'"../secret"': "EPERM", '"sub/../../secret"': "EPERM", '".."': "EPERM",
                   f'"{secret}"': "EPERM", '"/etc/passwd"': "EPERM", '"sub/.."': "EPERM",
                   '"link"': "ELOOP", '"folder/secret"': "ELOOP", '"round/x"': "ELOOP",
                   '"link/x"': "ELOOP", '"a\\0b"': "EINVAL", '""': "EINVAL", '"sub"': "EISDIR",
                   '"."': "EISDIR", '"sub/"': "EISDIR", '"pipe"': "EINVAL",
                   '("x"):rep(300)': "ENAMETOOLONG"}
        for name, code in hostile.items():
            with self.subTest(name=name):
                tried = self.try_name(name, "--files", shared)
                self.assertEqual([t[1] for t in tried], [code] * 5, tried)
                self.assertEqual([t[2] for t in tried],
                                 ["file." + t[0] for t in tried])
        self.assertEqual(secret.read_text(), "secret")
        self.assertEqual(sorted(p.name for p in shared.iterdir()),
                         ["folder", "link", "pipe", "round", "sub"])
        self.assertEqual(sorted(p.name for p in self.work.iterdir()),
                         ["mine.lua", "secret", "shared"])

    def test_without_a_folder_of_the_users_are_gone_afterwards(self):
        self.lab("""
function lab.client()
  file.write("a/b/c.txt", "hello")
  local left = file.open("d", "w")
  left:write("open")
  print(file.read("a/b/c.txt"), file.size("a/b/c.txt"), file.size("d"))
end
""")
        result = self.run_handlens("run", "./mine.lua")
        self.assertIn("hello 5 nil", result.out)
        self.assertEqual([p.name for p in self.work.iterdir()], ["mine.lua"])

    def test_need_the_folder_to_be_there(self):
        result = self.run_handlens("run", "hello", "--files", "none", status=handlens.USAGE)
        self.assertIn("cannot open the folder none: No such file or directory", result.err)

    def test_beyond_the_quota_are_refused(self):
        self.lab("""
function lab.client()
  local piece = ("x"):rep(16 << 20)
  local out, written = file.open("big", "w"), 0
  local ok, problem = pcall(function()
    for n = 1, 65 do
      out:write(piece)
      written = n
      if n % 4 == 0 then out:discard() out = file.open("big", "w") end
    end
  end)
  print(written, problem.code)
end
""")
        self.assertIn("64 EDQUOT", self.run_handlens("run", "./mine.lua", timeout=60).out)


if __name__ == "__main__":
    handlens.main()
