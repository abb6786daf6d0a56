"""The tutorials' own programs as peers: our server with their client, their server with our client."""

import json
import signal

import peer


class Greeting(peer.WorldTest):
    """The first tutorial."""

    def test_their_client_is_answered_by_our_server(self):
        server = self.serve("hello", world=self.world)
        self.assertEqual(server.port, 65432)
        client = self.python("greeting_client.py", world=self.world).ends()
        self.assertIn("Received from server: Hello from the server", client.out.text)
        server.ends()
        self.assertIn("server: received\tHello from the client", server.err.text)

    def test_our_client_is_answered_by_their_server(self):
        server = self.python("greeting_server.py", world=self.world)
        server.says("Server is listening", "out")
        for _ in range(3):
            client = self.handlens("connect", "hello", world=self.world).ends()
            self.assertIn("client: received\tHello from the server", client.err.text)
        server.says("Received message: Hello from the client", "out", times=3)

    def test_each_side_captures_what_the_other_sends(self):
        server = self.serve("hello", "-w", "server.pcapng", world=self.world)
        self.python("greeting_client.py", world=self.world).ends()
        server.ends()
        self.assertRegex(server.out.text, r"(?s)SYN.*SYN ACK.*Hello from the client.*FIN")
        self.check_packets("server.pcapng", "accept")

        another = peer.World(self)
        server = self.python("greeting_server.py", world=another)
        server.says("Server is listening", "out")
        client = self.handlens("connect", "hello", "-w", "client.pcapng", world=another).ends()
        self.assertRegex(client.out.text, r"(?s)SYN.*SYN ACK.*Hello from the server.*FIN")
        self.check_packets("client.pcapng", "connect")

    def check_packets(self, path, call):
        events = [json.loads(line) for line in
                  self.run_handlens("view", path, "--as", "json").out.splitlines()]
        packets = [e for e in events if e["event"] == "packet"]
        self.assertEqual(packets[0]["flags"], ["SYN"])
        # Whoever closes first may have ended before the other closes.
        self.assertGreaterEqual(len(packets), 7)
        self.assertIn(call, [e["call"] for e in events if e["event"] == "call"])


class Welcome(peer.WorldTest):
    """The second and the fourth tutorial: a server that speaks first."""

    def test_their_client_is_welcomed_by_our_server(self):
        server = self.serve("welcome", world=self.world)
        for _ in range(3):
            client = self.python("welcome_client.py", world=self.world).ends()
            self.assertEqual(client.out.text, "欢迎访问服务器！\n")
        server.interrupted()
        self.assertEqual(server.err.text.count("连接地址:"), 3)

    def test_our_client_is_welcomed_by_their_server(self):
        server = self.python("welcome_server.py", world=self.world)
        server.says("等待客户端连接", "out")
        client = self.handlens("connect", "welcome", world=self.world).ends()
        self.assertIn("client: 欢迎访问服务器！\n", client.err.text)


class Chat(peer.WorldTest):
    """The second and the fourth tutorial: lines typed on both sides."""

    def converse(self, client, server, client_hears, server_hears):
        """Three turns, each typed only when the other's line has come."""
        for turn, (said, answered) in enumerate([("你好", "hello"), ("how are you?", "很好"),
                                                 ("bye", "再见")], 1):
            client.type(said + "\n")
            server.says(f"客户端消息：{said}", server_hears)
            server.type(answered + "\n")
            client.says(f"服务端消息：{answered}", client_hears)
            self.assertEqual(getattr(server, server_hears).text.count("客户端消息"), turn)

    def test_their_client_with_our_server(self):
        server = self.serve("chat", world=self.world)
        client = self.python("chat_client.py", world=self.world)
        self.converse(client, server, "out", "err")
        client.end_input()
        client.ends(1)  # an EOFError, as the tutorial has it
        second = self.python("chat_client.py", world=self.world)
        second.type("next\n")
        server.says("客户端消息：next")
        server.interrupted()

    def test_our_client_with_their_server(self):
        server = self.python("chat_server.py", world=self.world)
        server.says("等待客户端连接", "out")
        client = self.handlens("connect", "chat", world=self.world)
        self.converse(client, server, "err", "out")
        client.end_input()
        client.ends()
        second = self.handlens("connect", "chat", world=self.world)
        second.type("next\n")
        server.says("客户端消息：next", "out")
        server.signal(signal.SIGKILL)
        server.ends(None)
        second.ends(None)

    def test_both_of_ours(self):
        server = self.serve("chat", world=self.world)
        client = self.handlens("connect", "chat", world=self.world)
        self.converse(client, server, "err", "err")
        client.end_input()
        client.ends()
        server.interrupted()


class Steps(peer.WorldTest):
    """The third tutorial."""

    def test_their_client_with_our_server(self):
        server = self.serve("steps", world=self.world)
        client = self.python("steps_client.py", world=self.world).ends()
        self.assertIn("Received: Hello, Client", client.out.text)
        server.ends()
        self.assertIn("server: Received:\tHello, Server", server.err.text)

    def test_our_client_with_their_server(self):
        server = self.python("steps_server.py", world=self.world)
        server.says("Server listening", "out")
        client = self.handlens("connect", "steps", world=self.world).ends()
        self.assertIn("client: Received:\tHello, Client", client.err.text)
        server.ends()
        self.assertIn("Received: Hello, Server", server.out.text)


class Experiment(peer.WorldTest):
    """The fifth tutorial: --host, --port and --message, or a conversation; many clients at once."""

    PROGRAM = "simple_socket_experiment.py"

    def their_server(self, *arguments):
        server = self.python(self.PROGRAM, "--mode", "server", *arguments, world=self.world)
        server.says("服务器正在监听", "out")
        return server

    def test_their_client_with_our_server(self):
        server = self.serve("experiment", world=self.world)
        self.assertEqual(server.port, 8000)
        client = self.python(self.PROGRAM, "--mode", "client", "--message", "你好，服务器！",
                             world=self.world).ends()
        self.assertEqual(client.out.text, "服务器响应: 服务器已收到: 你好，服务器！\n")
        server.interrupted()

    def test_our_client_with_their_server(self):
        self.their_server("--port", "9000")
        client = self.handlens("connect", "experiment", "--host", "localhost", "--port", "9000",
                               "--message", "你好，服务器！", world=self.world).ends()
        self.assertIn("服务器响应:\t服务器已收到: 你好，服务器！", client.err.text)

    def test_conversations_line_by_line(self):
        server = self.serve("experiment", "--port", "9000", world=self.world)
        theirs = self.python(self.PROGRAM, "--mode", "client", "--port", "9000", world=self.world)
        ours = self.handlens("connect", "experiment", "--port", "9000", world=self.world)
        for line in ("一", "two", "three"):
            theirs.type(line + "\n")
            theirs.says("服务器已收到: " + line, "out")
            ours.type(line + "\n")
            ours.says("服务器已收到: " + line)
        for client in (theirs, ours):
            client.end_input()
            client.ends()
        server.interrupted()

    def test_many_clients_are_all_connected_at_once(self):
        """Nobody is sent away or waited for: all connect, then all speak, last first."""
        for server in (self.serve("experiment", "--port", "9000", world=self.world),
                       self.their_server("--port", "9001")):
            port = getattr(server, "port", 9001)
            clients = [self.handlens("connect", "experiment", "--port", port, world=self.world)
                       for _ in range(4)]
            clients += [self.python(self.PROGRAM, "--mode", "client", "--port", port,
                                    world=self.world) for _ in range(4)]
            server.says("新的连接来自", "err" if port == 9000 else "out", times=8)
            for number, client in reversed(list(enumerate(clients))):
                client.type(f"I am {number}\n")
                client.says(f"服务器已收到: I am {number}", "err" if number < 4 else "out")
            for client in clients:
                client.end_input()
                client.ends()


if __name__ == "__main__":
    peer.main()
