"""Peers that misbehave: whatever one of them does, the others are served, and errors are clear."""

import socket
import struct
import time

import peer
from peer import USAGE

# Takes whatever comes, a kilobyte at a time, and says at the end how much it was.
SINK = """
lab.port = 7010
local function swallow(conn)
  local total = 0
  while true do
    local part = conn:recv(1024)
    if not part then break end
    total = total + #part
  end
  conn:sendall(total .. " bytes")
  conn:close()
end
function lab.server(listener)
  while true do spawn(swallow, (listener:accept())) end
end
"""

# As the tutorials do it: no error is expected, one client after the other.
BARE = """
lab.port = 7011
function lab.server(listener)
  while true do
    local conn, peer = listener:accept()
    print("connected", peer)
    local data = conn:recv(1024)
    print("received", data)
    conn:sendall("thanks")
    conn:close()
  end
end
"""

PATIENT = """
lab.port = 7012
function lab.server(listener)
  while true do
    local conn = listener:accept()
    spawn(function()
      conn:settimeout(0.2)
      local ok, problem = pcall(conn.recv, conn, 1024)
      print(ok and "heard it" or problem.code)
      conn:close()
    end)
  end
end
"""


class TroubleTest(peer.PeerTest):
    def connect(self, server):
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=peer.PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def receive(self, sock, length):
        got = b""
        while len(got) < length:
            part = sock.recv(65536)
            if not part:
                break
            got += part
        return got

    def ask(self, sock, message):
        sock.sendall(message)
        return sock.recv(65536)

    def reset(self, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


class Silent(TroubleTest):
    def test_who_says_nothing_keeps_nobody_from_an_answer(self):
        for lab, answer in (("echo", b"hello"), ("experiment", "服务器已收到: hello".encode())):
            server = self.serve(lab, "--port", "0")
            silent = [self.connect(server) for _ in range(5)]
            self.assertEqual(self.ask(self.connect(server), b"hello"), answer)
            self.assertEqual(self.ask(silent[3], b"hello"), answer)
            server.interrupted()
            # Ctrl-C ends every connection, too.
            self.assertEqual(silent[0].recv(1), b"")

    def test_a_time_out_in_the_script_lets_them_go(self):
        server = self.serve(self.lab(PATIENT), "--port", "0")
        silent, quick = self.connect(server), self.connect(server)
        quick.sendall(b"here")
        server.says("heard it")
        self.assertEqual(silent.recv(1), b"")
        server.says("ETIMEDOUT")
        server.interrupted()


class ByteByByte(TroubleTest):
    def test_a_request_in_pieces_is_one_request(self):
        server = self.serve("http", "--port", "0")
        sock = self.connect(server)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /hello?name=Li HTTP/1.1\r\nHost: x\r\n\r\n":
            sock.send(bytes([byte]))
        answer = self.receive(sock, 1 << 20)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
        self.assertTrue(answer.endswith(b"\r\n\r\nHello, Li.\n"), answer)
        server.interrupted()

    def test_what_is_no_request_is_told_so(self):
        server = self.serve("http", "--port", "0")
        for nonsense in (b"\x00\xff\xfe" * 5000, b"hello\r\n\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\n"):
            sock = self.connect(server)
            sock.sendall(nonsense)
            answer = b""
            try:
                sock.shutdown(socket.SHUT_WR)
                answer = sock.recv(65536)
            except OSError:
                # The server has answered and closed with more of it unread: that is a reset.
                self.assertGreater(len(nonsense), 8192)
                continue
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), nonsense[:20])
        server.interrupted()


class Much(TroubleTest):
    def test_hundreds_of_megabytes_go_through_a_small_recv(self):
        size = (16 if peer.handlens.SANITIZED else 256) << 20
        server = self.serve(self.lab(SINK), "--port", "0")
        sock, other = self.connect(server), self.connect(server)
        chunk = bytes(1 << 20)
        for n in range(size // len(chunk)):
            sock.sendall(chunk)
            if n == 5:  # somebody else is served meanwhile
                other.sendall(b"12345")
                other.shutdown(socket.SHUT_WR)
                self.assertEqual(other.recv(100), b"5 bytes")
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(sock.recv(100), b"%d bytes" % size)
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
            peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
        self.assertLess(peak, 500_000 if peer.handlens.SANITIZED else 50_000, "kB of memory")
        server.interrupted()


class Reset(TroubleTest):
    def test_ends_that_connection_and_no_other(self):
        for lab in ("echo", "experiment", "http"):
            server = self.serve(lab, "--port", "0")
            for _ in range(20):
                sock = self.connect(server)
                sock.sendall(b"GET / HT")
                self.reset(sock)
            answer = self.ask(self.connect(server), b"GET / HTTP/1.1\r\n\r\n")
            self.assertIn(b"HTTP/1.1", answer, lab)
            server.interrupted()

    def test_unexpected_is_a_clear_error(self):
        server = self.serve(self.lab(BARE), "--port", "0")
        sock = self.connect(server)
        server.says("connected")
        self.reset(sock)
        server.ends(USAGE)
        self.assertRegex(server.err.text, r"handlens: mine.lua:7: recv from 127.0.0.1:\d+: "
                                          r"Connection reset by peer \(ECONNRESET\)\n"
                                          r"  in server \(mine.lua:7\)\n$")


class HalfClosed(TroubleTest):
    def test_who_has_said_all_still_hears_the_answer(self):
        for lab, message in (("echo", b"x" * 100_000), ("experiment", b"short")):
            server = self.serve(lab, "--port", "0")
            sock = self.connect(server)
            sock.sendall(message)
            sock.shutdown(socket.SHUT_WR)
            self.assertTrue(self.receive(sock, 1 << 20).endswith(message), lab)
            server.interrupted()


class NotText(TroubleTest):
    def test_bytes_go_both_ways_unharmed_and_are_printed_safely(self):
        every = bytes(range(256)) + b"\xff\xfe\xe6\x9d \x1b[31m\x1b]0;title\x07"
        server = self.serve("echo", "--port", "0")
        self.assertEqual(self.ask(self.connect(server), every), every)
        server.interrupted()
        server = self.serve("experiment", "--port", "0")
        self.assertTrue(self.ask(self.connect(server), every).endswith(every))
        server.interrupted()
        self.assertNotIn(b"\x1b", server.err.bytes)
        self.assertIn("\\x1b[31m", server.err.text)
        server.err.bytes.decode("utf-8")  # raises if it is not


class NoSuchName(peer.WorldTest):
    """In a world without a name server."""

    def test_is_one_clear_sentence(self):
        for command in ("connect", "serve"):
            done = self.handlens(command, "hello", "--host", "nowhere.invalid", world=self.world)
            done.ends(USAGE)
            self.assertRegex(done.err.text,
                             r"^handlens: cannot find the host 'nowhere.invalid': [^\n]+\n$")

    def test_is_an_error_that_a_script_can_catch(self):
        lab = self.lab("""
function lab.client()
  local ok, problem = pcall(socket.connect, "nowhere.invalid", 80)
  print(ok, problem.code)
  socket.connect("nowhere.invalid", 80)
end""")
        done = self.handlens("connect", lab, world=self.world).ends(USAGE)
        self.assertIn("client: false\tEHOSTUNREACH\n", done.err.text)
        self.assertRegex(done.err.text, r"handlens: mine.lua:5: getaddrinfo.*nowhere.invalid")


class NoDescriptorsLeft(TroubleTest):
    LIMIT = 24

    def test_those_who_are_there_go_on_and_the_others_are_let_go(self):
        for lab, answer in (("echo", b"%d"), ("experiment", "服务器已收到: ".encode() + b"%d")):
            server = self.serve_with_few(self.LIMIT, lab)
            socks = [self.connect(server) for _ in range(self.LIMIT + 10)]
            server.says("Too many open files (EMFILE)")
            served = []
            for number, sock in enumerate(socks):
                try:
                    got = self.ask(sock, b"%d" % number)
                except ConnectionError:
                    got = b""
                if got:
                    self.assertEqual(got, answer % number)
                    served.append(sock)
                else:
                    sock.close()
            self.assertGreater(len(served), 5, str(server))
            self.assertLess(len(served), self.LIMIT)
            # With one gone there is room for another.
            served.pop().close()
            if lab == "experiment":
                server.says("连接已关闭")
            deadline = time.monotonic() + peer.PATIENCE
            while time.monotonic() < deadline:
                with self.connect(server) as again:
                    try:
                        got = self.ask(again, b"7")
                    except ConnectionError:
                        continue  # its room was not there yet
                    if got:
                        break
            self.assertEqual(got, answer % 7, str(server))
            server.interrupted()

    def test_a_client_hears_of_it_in_a_clear_error(self):
        self.need("prlimit")
        lab = self.lab("""
lab.port = 7013
function lab.server(listener) while true do listener:accept() end end
function lab.client(server)
  local socks = {}
  for n = 1, 100 do socks[n] = socket.connect(server) end
end""")
        done = self.program("prlimit", "--nofile=30:30", peer.HANDLENS, "run", lab, "--no-capture")
        done.ends(USAGE)
        self.assertRegex(done.err.text, r"handlens: mine.lua:\d: (socket|accept).*"
                                        r"Too many open files \(EMFILE\)")


if __name__ == "__main__":
    peer.main()
