"""handlens replay: one side of a recorded capture, against a real peer."""

import pathlib
import re
import signal
import socket
import threading

import handlens
from handlens import CHECK_FAILED, DONE, USAGE

CAPTURES = pathlib.Path(__file__).resolve().parents[2] / "captures"


class Server:
    """A server in Python, for one client: answers the first message, and hangs up or not."""

    def __init__(self, answer, hangs_up=True):
        self.answer, self.hangs_up = answer, hangs_up
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.received = b""
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with self.listener, self.listener.accept()[0] as connection:
            connection.settimeout(20)
            self.received = connection.recv(1024)
            connection.sendall(self.answer)
            if not self.hangs_up:
                connection.recv(1024)  # until the other side does


class Replay(handlens.LabTest):
    def as_client(self, server, *arguments, status=DONE, capture="hello"):
        result = self.run_handlens("replay", CAPTURES / f"{capture}.pcapng", "--as", "client",
                                   "--port", server.port, *arguments, status=status)
        server.thread.join()
        return result

    def as_server(self, client, status, capture="hello"):
        """Replays the server; client gets its address's port. Returns what it found."""
        process = self.start("replay", CAPTURES / f"{capture}.pcapng", "--as", "server", "--port", 0)
        said = self.read_until(process, "\n").decode()
        client(int(said.rstrip().rpartition(":")[2]))
        result = self.finish(process, 0, 30, err=said.encode())
        self.assertEqual(result.status, status, result)
        return result


class AsClient(Replay):
    def test_finds_a_server_in_python_as_recorded(self):
        server = Server(b"Hello from the server")
        result = self.as_client(server)
        self.assertEqual(server.received, b"Hello from the client")
        self.assertEqual(result.out, "As recorded, in 4 turns: 21 bytes sent as the client, "
                                     "21 came from the server.\n")

    def test_finds_the_lab_itself_as_recorded(self):
        serving = self.start("serve", "hello", "--port", 0, "--no-capture")
        port = re.search(r"127\.0\.0\.1:(\d+)", self.read_until(serving, "\n").decode())[1]
        result = self.run_handlens("replay", CAPTURES / "hello.pcapng", "--as", "client", "--port",
                                   port)
        self.assertIn("As recorded", result.out)
        serving.send_signal(signal.SIGINT)
        self.finish(serving, 0, 30)

    def test_names_the_first_byte_that_differs(self):
        result = self.as_client(Server(b"Hello from thy server"), status=CHECK_FAILED)
        self.assertIn("Different at byte 13 of what the server sent, in turn 2 of 4", result.out)
        self.assertRegex(result.out, r"expected +65 20 73 65 72 76 65 72 +e server")
        self.assertRegex(result.out, r"received +79 20 73 65 72 76 65 72 +y server")

    def test_says_why_tls_differs(self):
        result = self.as_client(Server(b"\x16\x03\x03"), status=CHECK_FAILED, capture="encrypted")
        self.assertIn("This is TLS, which has new keys in each connection", result.out)

    def test_notices_an_answer_that_ends_early(self):
        result = self.as_client(Server(b"Hello"), status=CHECK_FAILED)
        self.assertIn("byte 5 of what the server sent", result.out)
        self.assertIn("hung up", result.out)

    def test_notices_an_answer_that_goes_on(self):
        result = self.as_client(Server(b"Hello from the server!"), status=CHECK_FAILED)
        self.assertIn("byte 21 of what the server sent", result.out)
        self.assertIn("the end of the stream", result.out)

    def test_waits_for_a_silent_server_only_so_long(self):
        result = self.as_client(Server(b"Hello", hangs_up=False), "--timeout", "0.2",
                                status=CHECK_FAILED)
        self.assertIn("byte 5 of what the server sent, in turn 2 of 4: nothing more came",
                      result.out)


class AsServer(Replay):
    def test_finds_a_client_in_python_as_recorded(self):
        def client(port):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"Hello from the client")
                self.assertEqual(connection.recv(1024), b"Hello from the server")
                self.assertEqual(connection.recv(1024), b"")

        self.assertIn("21 bytes sent as the server", self.as_server(client, DONE).out)

    def test_hears_a_half_close_before_it_answers(self):
        def client(port):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(connection.recv(1024), answer)

        stream = ("view", CAPTURES / "halfclose.pcapng", "--as", "stream", "--raw", "--from")
        sent = self.run_handlens(*stream, "client").out_bytes
        answer = self.run_handlens(*stream, "server").out_bytes
        self.as_server(client, DONE, "halfclose")

    def test_names_the_first_byte_that_differs(self):
        def client(port):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"Hello from the klient")

        result = self.as_server(client, CHECK_FAILED)
        self.assertIn("Different at byte 15 of what the client sent, in turn 1 of 4", result.out)


    def test_tells_a_reset_from_an_end(self):
        def client(port):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(sent)

        sent = self.run_handlens("view", CAPTURES / "linger.pcapng", "--as", "stream", "--raw",
                                 "--from", "client").out_bytes
        result = self.as_server(client, CHECK_FAILED, "linger")
        self.assertRegex(result.out, "(?s)hung up.*expected +a reset")


class Both(Replay):
    """One replays the client and one the server of the same flow."""

    def test_meet(self):
        for name in ("chat", "encrypted", "linger", "scaling", "nosack", "brokenpipe"):
            with self.subTest(lab=name):
                found = []

                def client(port, name=name):
                    found.append(self.run_handlens("replay", CAPTURES / f"{name}.pcapng", "--as",
                                                   "client", "--port", port))

                self.assertIn("As recorded", self.as_server(client, DONE, name).out)
                self.assertIn("As recorded", found[0].out)


class Mistakes(Replay):
    def refused(self, *arguments):
        return self.run_handlens("replay", *arguments, status=USAGE)

    def test_are_said_in_a_sentence(self):
        hello = CAPTURES / "hello.pcapng"
        for words, arguments in (
                (("--as client", "--as server"), (hello,)),
                (("client or server", "'both'"), (hello, "--as", "both")),
                (("flow 2", "it has 1"), (hello, "--as", "client", "--flow", 2)),
                (("UDP",), (CAPTURES / "datagram.pcapng", "--as", "client")),
                (("refused",), (CAPTURES / "refused.pcapng", "--as", "client")),
                (("none.pcapng",), ("none.pcapng", "--as", "client"))):
            with self.subTest(arguments=arguments):
                self.assert_one_sentence(self.refused(*arguments), *words)

    def test_nobody_to_talk_to(self):
        with socket.socket() as taken:  # bound, not listening
            taken.bind(("127.0.0.1", 0))
            result = self.refused(CAPTURES / "hello.pcapng", "--as", "client", "--port",
                                  taken.getsockname()[1])
        self.assert_one_sentence(result, "ECONNREFUSED")


if __name__ == "__main__":
    handlens.main()
