"""Other people's programs as peers: netcat, curl, a web server, socat; and two of handlens itself."""

import json
import os
import subprocess

import peer

UDP_ECHO = """
lab.title = "UDP echo"
function lab.server()
  local sock = socket.udp(lab.host:find(":") and 6 or 4)
  sock:bind(lab.host, lab.port or 7009)
  lab.ready(sock:getsockname())
  while true do
    local message, from = sock:recvfrom(2048)
    sock:sendto("you said " .. message, from)
  end
end
function lab.client(server)
  local sock = socket.udp()
  sock:connect(server)
  sock:send("hello")
  print("heard", sock:recv(2048))
  sock:close()
end
"""


class Netcat(peer.PeerTest):
    def setUp(self):
        super().setUp()
        self.need("nc")

    def test_talks_to_our_server(self):
        server = self.serve("echo", "--port", "0")
        client = self.program("nc", "-N", "127.0.0.1", server.port)
        for line in ("one\n", "two\n"):
            client.type(line)
            client.says(line, "out")
        client.end_input()
        client.ends()
        self.assertEqual(client.out.text, "one\ntwo\n")
        server.interrupted()


class NetcatListens(peer.WorldTest):
    def test_hears_our_client(self):
        self.need("nc")
        server = self.program("nc", "-v", "-n", "-l", "127.0.0.1", "7007", world=self.world)
        server.says("Listening on")
        client = self.handlens("connect", "echo", world=self.world)
        server.says("hello", "out")
        server.type("HELLO")
        client.says("HELLO")
        server.says("is there an echo?", "out")
        server.type("YES")
        client.ends()
        self.assertIn("client: YES", client.err.text)


class Web(peer.PeerTest):
    def fetch(self, port, path, *options):
        return self.tool("curl", "-sS", "-o", "-", "-w", " %{http_code}", *options,
                         f"http://127.0.0.1:{port}{path}").out

    def test_curl_reads_our_pages(self):
        server = self.serve("http", "--port", "0")
        self.assertEqual(self.fetch(server.port, "/"), "Hello from handlens.\n 200")
        self.assertEqual(self.fetch(server.port, "/hello?name=Li"), "Hello, Li.\n 200")
        self.assertEqual(self.fetch(server.port, "/no"), "There is no /no here.\n 404")
        self.assertEqual(self.fetch(server.port, "/", "-d", "x=1"), "Only GET is spoken here.\n 405")
        server.interrupted()
        self.assertIn("GET /hello?name=Li HTTP/1.1", server.err.text)

    def test_our_client_reads_a_web_servers_pages(self):
        (self.work / "hello").mkdir()
        (self.work / "hello" / "index.html").write_text("Hello from Python.\n")
        server = self.program(*peer.PYTHON, "-m", "http.server", "--bind", "127.0.0.1", "0")
        port = server.says("port ", "out").split("port ")[1].split(" ")[0]
        client = self.handlens("connect", "http", "--port", port).ends()
        self.assertRegex(client.err.text, r"client: HTTP/1.0 (200 OK|301 Moved Permanently)")


class Socat(peer.PeerTest):
    def setUp(self):
        super().setUp()
        self.need("socat")
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 on this machine")

    def test_talks_to_our_server_over_ipv6(self):
        server = self.serve("echo", "--host", "::1", "--port", "0")
        self.assertIn(f"on [::1]:{server.port}", server.err.text)
        client = self.program("socat", "-", f"TCP6:[::1]:{server.port}")
        client.type("over six")
        client.says("over six", "out")
        client.end_input()
        client.ends()
        server.interrupted()

    def test_hears_our_client_over_ipv6(self):
        server = self.program("socat", "-d", "-d", "TCP6-LISTEN:0,bind=[::1]", "PIPE")
        port = server.says("listening on").split("]:")[1].split()[0]
        client = self.handlens("connect", "echo", "--host", "[::1]", "--port", port).ends()
        self.assertIn("client: hello\nclient: is there an echo?\n", client.err.text)
        server.ends()

    def test_talks_udp_to_our_server(self):
        for host, kind in (("127.0.0.1", "UDP4"), ("::1", "UDP6")):
            server = self.serve(self.lab(UDP_ECHO), "--host", host, "--port", "0")
            self.assertIn("(UDP)", server.err.text)
            to = f"{kind}:[{host}]" if ":" in host else f"{kind}:{host}"
            client = self.program("socat", "-", f"{to}:{server.port}")
            client.type("datagram")
            client.says("you said datagram", "out")
            client.end_input()
            client.ends()
            server.interrupted()

    def test_hears_our_udp_client(self):
        server = self.serve(self.lab(UDP_ECHO), "--port", "0")
        client = self.handlens("connect", self.lab(UDP_ECHO), "--port", server.port).ends()
        self.assertIn("client: heard\tyou said hello", client.err.text)
        server.interrupted()


class Terminals(peer.WorldTest):
    """The chat as it is meant: one terminal for each, somebody typing in both."""

    def setUp(self):
        super().setUp()
        self.need("tmux")
        self.socket = self.work / "tmux"
        # It ends with its last terminal; after a failure it may not have.
        self.addCleanup(subprocess.run, ["tmux", "-S", self.socket, "kill-server"],
                        stderr=subprocess.DEVNULL, check=False)

    def environment(self, **changes):
        return super().environment(SHELL="/bin/sh", **changes)

    def tmux(self, *arguments):
        return self.tool("tmux", "-S", self.socket, "-f", "/dev/null", *arguments)

    def terminal(self, name, *arguments):
        """A terminal of its own; what appears on it is collected, as from a pipe."""
        fifo = self.work / f"{name}.fifo"
        os.mkfifo(fifo)
        command = " ".join(map(str, [*self.world.enter, peer.HANDLENS, *arguments]))
        self.tmux("new-session", "-d", "-s", name, "-x", "100", "-y", "30", "sh")
        self.tmux("pipe-pane", "-t", name, f"cat >{fifo}")
        screen = open(fifo, "rb")
        self.addCleanup(screen.close)
        self.tmux("send-keys", "-t", name, f"exec {command}", "Enter")
        return peer.Output(screen)

    def sees(self, output, text):
        self.assertTrue(output.wait(text, 1, peer.PATIENCE), f"'{text}' not in: {output.text}")

    def test_two_people_chat(self):
        server = self.terminal("server", "serve", "chat")
        self.sees(server, "Ctrl-C ends it")
        client = self.terminal("client", "connect", "chat")
        self.sees(client, "发送消息：")
        self.tmux("send-keys", "-t", "client", "你好", "Enter")
        self.sees(client, "你好")
        self.sees(server, "客户端消息：你好")
        self.sees(server, "回复客户端：")
        self.tmux("send-keys", "-t", "server", "hello there", "Enter")
        self.sees(client, "服务端消息：hello there")
        self.tmux("send-keys", "-t", "client", "C-d")
        self.tmux("send-keys", "-t", "server", "C-c")
        for output in (server, client):
            with output.changed:
                self.assertTrue(output.changed.wait_for(lambda: output.ended, peer.PATIENCE))
        # What was typed is shown once, by the terminal.
        self.assertEqual(server.text.count("hello there"), 1, server.text)


class TwoMachines(peer.WorldTest):
    """Two networks joined by a cable: what is said on one machine is captured on the other."""

    def setUp(self):
        super().setUp()
        self.other = peer.World(self, inside=self.world)
        self.run_in(self.world, "ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable",
                    "netns", self.other.pid, reason="no virtual cable here")
        for world, number in ((self.world, 1), (self.other, 2)):
            self.run_in(world, "ip", "address", "add", f"10.9.8.{number}/24", "dev", "cable")
            self.run_in(world, "ip", "link", "set", "cable", "up")

    def run_in(self, world, *command, reason=None):
        done = self.program(*command, world=world).ends(None)
        if done.process.returncode != 0 and reason:
            self.skipTest(f"{reason}: {done.err.text.strip()}")
        self.assertEqual(done.process.returncode, 0, str(done))

    def test_talk_and_both_capture_it(self):
        server = self.serve("hello", "--host", "10.9.8.1", "-w", "server.pcapng", world=self.world)
        self.assertIn("10.9.8.1:65432: whoever reaches this machine can connect", server.err.text)
        client = self.handlens("connect", "hello", "--host", "10.9.8.1", "-w", "client.pcapng",
                               world=self.other).ends()
        self.assertIn("received\tHello from the server", client.err.text)
        server.ends()
        for path in ("server.pcapng", "client.pcapng"):
            events = [json.loads(line) for line in
                      self.run_handlens("view", path, "--as", "json").out.splitlines()]
            packets = [e for e in events if e["event"] == "packet"]
            flow = next(e for e in events if e["event"] == "flow")
            self.assertGreaterEqual(len(packets), 7, path)
            self.assertEqual(flow["handshake"], "SYN, SYN ACK, ACK", path)

    def test_nobody_but_this_machine_without_being_asked(self):
        server = self.serve("hello", world=self.world)
        client = self.handlens("connect", "hello", "--host", "10.9.8.1", world=self.other)
        client.ends(peer.USAGE)
        self.assertIn("connect to 10.9.8.1:65432: Connection refused", client.err.text)
        server.interrupted()


if __name__ == "__main__":
    peer.main()
