"""serve and connect themselves: addresses, ports, Ctrl-C, and what they say."""

import os
import re
import signal
import socket
import subprocess

import peer
from peer import DONE, USAGE


class Ports(peer.PeerTest):
    def test_that_are_none_are_refused(self):
        for command in ("serve", "connect"):
            for port in ("-1", "65536", "abc", "", "80.5", "0x50", " 80", "99999999999999999999"):
                result = self.run_handlens(command, "hello", "--port", port, status=USAGE)
                self.assertEqual(result.err, "handlens: --port takes a whole number from 0 to 65535, "
                                             f"not '{port}'\n")

    def test_that_are_taken_are_told(self):
        first = self.serve("echo", "--port", "0")
        second = self.run_handlens("serve", "echo", "--port", first.port, status=USAGE)
        self.assertRegex(second.err, rf"handlens: echo.lua:\d+: bind 127.0.0.1:{first.port}: "
                                     r"Address already in use \(EADDRINUSE\)")
        first.interrupted()

    def test_where_nobody_serves_are_refused(self):
        free = socket.socket()
        free.bind(("127.0.0.1", 0))
        with free:
            port = free.getsockname()[1]
            result = self.run_handlens("connect", "hello", "--port", port, status=USAGE)
        self.assertIn(f"connect to 127.0.0.1:{port}: Connection refused (ECONNREFUSED)", result.err)

    def test_chosen_by_the_kernel_are_told(self):
        servers = [self.serve("echo", "--port", "0") for _ in range(3)]
        self.assertEqual(len({server.port for server in servers} - {0}), 3)
        for server in servers:
            client = self.handlens("connect", "echo", "--port", server.port).ends()
            self.assertIn("is there an echo?", client.err.text)
            server.interrupted()


class Addresses(peer.PeerTest):
    def test_by_name_and_of_both_kinds(self):
        for host, at in (("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"),
                         ("127.1.2.3", "127.1.2.3"), ("::1", "[::1]"), ("[::1]", "[::1]")):
            if ":" in host and not os.path.exists("/proc/net/if_inet6"):
                continue
            server = self.serve("experiment", "--host", host, "--port", "0")
            self.assertIn(f"serving experiment on {at}:{server.port}; Ctrl-C", server.err.text)
            client = self.handlens("connect", "experiment", "--host", host, "--port", server.port,
                                   "--message", "hi").ends()
            self.assertIn("服务器已收到: hi", client.err.text)
            server.interrupted()

    def test_wider_than_this_machine_are_said_aloud_even_when_quiet(self):
        for options in ([], ["-q"]):
            server = self.serve("echo", "--host", "0.0.0.0", "--port", "0", *options)
            self.assertIn("whoever reaches this machine can connect", server.err.text)
            server.interrupted()

    def test_wider_than_this_machine_must_be_asked_for(self):
        wide = self.lab('lab.host = "0.0.0.0"\nlab.port = 0\n'
                        'function lab.reply(message) return message end')
        result = self.run_handlens("serve", wide, status=USAGE)
        self.assertEqual(result.err, "handlens: mine.lua would serve on 0.0.0.0, where others can "
                                     "reach it; if that is wanted, say --host 0.0.0.0\n")
        wide = self.lab('function lab.server()\n  socket.tcp():bind("", 0)\nend')
        result = self.run_handlens("serve", wide, status=USAGE)
        self.assertIn("mine.lua:2: bind 0.0.0.0:0: others could reach it there, which --host must "
                      "allow (EACCES)", result.err)
        self.run_handlens("serve", wide, "--host", "0.0.0.0")

    def test_of_a_lab_that_binds_for_itself_are_the_scripts_to_heed(self):
        own = self.lab("""
function lab.server()
  local s = socket.listen(lab.host, lab.port or 0)
  s:accept():close()
end""")
        self.serve(own).interrupted()
        server = self.serve(own, "--host", "127.9.9.9", "--port", "0")
        self.assertIn("on 127.9.9.9:", server.err.text)
        server.interrupted()


class OwnPort(peer.WorldTest):
    def test_of_a_lab_that_heeds_no_port_is_told(self):
        server = self.serve("steps", "--port", "9999", world=self.world)
        self.assertIn("steps chooses its port by itself; --port changes nothing\n", server.err.text)
        self.assertEqual(server.port, 8080)
        server.interrupted()


class Interrupted(peer.PeerTest):
    def test_serve_ends_connections_and_says_nothing_of_failure(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            server = self.serve("echo", "--port", "0")
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
                sock.sendall(b"x")
                self.assertEqual(sock.recv(10), b"x")
                server.signal(number)
                self.assertEqual(sock.recv(10), b"")
            server.ends()
            self.assertNotRegex(server.err.text, "(?i)error|cancel")

    def test_serve_keeps_and_shows_the_trace(self):
        server = self.serve("echo", "--port", "0", "-w", "kept.pcapng")
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
            sock.sendall(b"mark my words")
            self.assertEqual(sock.recv(100), b"mark my words")
            server.interrupted()
        self.assertIn("mark my words", server.out.text)
        self.assertIn("the trace is in kept.pcapng", server.err.text)
        self.assertEqual(self.run_handlens("view", "kept.pcapng").out, server.out.text)
        self.assertIn("Done", server.out.text)

    def test_serve_writes_a_report(self):
        server = self.serve("echo", "--port", "0", "--html", "kept.html")
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
            sock.sendall(b"mark my words")
            self.assertEqual(sock.recv(100), b"mark my words")
            server.interrupted()
        page = (self.work / "kept.html").read_text()
        self.assertIn("mark my words", page)
        self.assertTrue(page.endswith("</html>\n"))

    def test_connect_while_somebody_should_type(self):
        server = self.serve("chat", "--port", "0")
        client = self.handlens("connect", "chat", "--port", server.port)
        client.says("发送消息：")
        client.signal(signal.SIGINT)
        client.ends(DONE)
        server.interrupted()


class Captured(peer.WorldTest):
    """What is captured is what belongs to the exchange, though the port is not known before."""

    def test_is_nothing_that_others_say(self):
        other = self.serve("echo", "--port", "0", world=self.world)
        for lab in ("echo", "welcome"):
            server = self.serve(lab, "--port", "0", "-w", lab + ".pcapng", world=self.world)
            self.handlens("connect", "echo", "--port", other.port, world=self.world).ends()
            self.handlens("connect", lab, "--port", server.port, world=self.world).ends()
            server.interrupted()
            packets = self.json(lab + ".pcapng", "packet")
            self.assertGreaterEqual(len(packets), 7)
            for packet in packets:
                self.assertIn(server.port, (packet["source_port"], packet["destination_port"]))
        other.interrupted()


class WithoutCapture(peer.PeerTest):
    """In a user namespace of its own a process may not capture on the machine's network."""

    def setUp(self):
        super().setUp()
        self.need("unshare")
        if not peer.handlens.PRIVATE:
            self.skipTest("no user namespaces here")

    def test_the_exchange_runs_all_the_same_and_one_line_says_why(self):
        server = self.program("unshare", "-U", peer.HANDLENS, "serve", "echo", "--port", "0", "-w",
                              "calls.pcapng")
        port = re.search(r"127\.0\.0\.1:(\d+)", server.says("Ctrl-C")).group(1)
        client = self.handlens("connect", "echo", "--port", port).ends()
        self.assertIn("is there an echo?", client.err.text)
        server.interrupted()
        reasons = [line for line in server.err.text.splitlines() if "captured" in line]
        self.assertEqual(len(reasons), 1, server.err.text)
        events = self.json("calls.pcapng")
        self.assertIn("accept", [e.get("call") for e in events if e["event"] == "call"])
        self.assertNotIn("packet", [e["event"] for e in events])


class Input(peer.PeerTest):
    """input() in run: lab.answers, else whoever is there."""

    ASKING = """
function lab.client()
  local name = input("name? ")
  print(name and "hello " .. name or "nobody")
end
"""

    def test_reads_a_pipe_a_file_and_nothing(self):
        lab = self.lab(self.ASKING)
        result = self.program(peer.HANDLENS, "run", lab)
        result.says("client: name? ")
        result.type("Ada\n")
        result.ends()
        self.assertEqual(result.err.text, "client: name? Ada\nclient: hello Ada\n")
        self.assertRegex(result.out.text, r'reads "Ada"')
        (self.work / "names").write_text("Grace\nEdsger\n")
        with open(self.work / "names", encoding="ascii") as names:
            result = self.run_handlens("run", lab, stdin=names)
        self.assertIn("client: hello Grace\n", result.err)
        result = self.run_handlens("run", lab, stdin=subprocess.DEVNULL)
        self.assertEqual(result.err, "client: name? \nclient: nobody\n")

    def test_takes_the_labs_answers_and_leaves_standard_input_alone(self):
        lab = self.lab(self.ASKING + 'lab.answers = { client = { "Barbara" } }')
        result = self.program(peer.HANDLENS, "run", lab).ends()
        self.assertEqual(result.err.text, "")
        self.assertRegex(result.out.text, r'(?s)reads "Barbara".*hello Barbara')


if __name__ == "__main__":
    peer.main()
