"""TLS with OpenSSL's own programs and with Python's ssl, good peers and bad ones."""

import base64
import contextlib
import pathlib
import select
import shutil
import socket
import ssl
import struct
import tempfile
import threading

import peer

ROOT = pathlib.Path(__file__).resolve().parents[2]

CLIENT = """
lab.port = 1
function lab.client(server)
  local sock = socket.connect(server)
  sock:setoption("TCP_NODELAY", true)
  local secure = tls.client(sock, { %s })
  local details = secure:info()
  print("agreed", details.version, details.subject, details.issuer, details.verified)
  %s
end
"""

SERVER = """
lab.port = 1
function lab.server(listener)
  local conn <close> = listener:accept()
  local secure = tls.server(conn, { certificate = [[%s]], key = [[%s]], %s })
  %s
end
"""

SLOW_SERVER = """
lab.port = 1
function lab.server(listener)
  local conn = listener:accept()
  conn:recv(1, "MSG_PEEK")
  spawn(function()
    local secure = tls.server(conn, { certificate = [[%s]], key = [[%s]] })
    secure:sendall(secure:recv())
    conn:close()
  end)
  sleep(0) -- the handshake gets as far as it can
  local start = now()
  while now() < start + 0.5 do end
end
"""

TALK = """secure:sendall("Hello from handlens")
  print("received", secure:recv(1024))
  secure:close()"""

ECHO = """for text in function() return secure:recv() end do secure:sendall(text) end
  secure:close()
  print("all echoed")"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class TlsTest(peer.PeerTest):
    """With an authority, and certificates that it signed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = pathlib.Path(tempfile.mkdtemp(prefix="handlens-tls-"))
        cls.addClassCleanup(shutil.rmtree, cls.certificates)

    def setUp(self):
        super().setUp()
        self.need("openssl")
        if not (self.certificates / "ca.pem").exists():
            self.make_certificates()

    def make_certificates(self):
        at = self.certificates
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.tool("openssl", "req", "-x509", *key, "-keyout", at / "ca.key", "-out", at / "ca.pem",
                  "-subj", "/CN=Test Authority", "-days", "2",
                  "-addext", "basicConstraints=critical,CA:TRUE")
        (at / "database").touch()
        (at / "serial").write_text("01\n")
        (at / "ca.conf").write_text(
            f"[ca]\ndefault_ca=test\n[test]\nprivate_key={at}/ca.key\ncertificate={at}/ca.pem\n"
            f"new_certs_dir={at}\ndatabase={at}/database\nserial={at}/serial\ndefault_md=sha256\n"
            "policy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n")
        for name, subject, names, dates in (
                ("good", "localhost", "DNS:localhost,IP:127.0.0.1", ["-days", "2"]),
                ("wrong", "elsewhere.test", "DNS:elsewhere.test", ["-days", "2"]),
                ("expired", "localhost", "DNS:localhost",
                 ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]),
                ("future", "localhost", "DNS:localhost",
                 ["-startdate", "20900101000000Z", "-enddate", "20910101000000Z"])):
            self.tool("openssl", "req", *key, "-keyout", at / f"{name}.key", "-out", at / "request",
                      "-subj", f"/CN={subject}", "-addext", f"subjectAltName={names}")
            self.tool("openssl", "ca", "-batch", "-notext", "-config", at / "ca.conf",
                      "-in", at / "request", "-out", at / f"{name}.pem", *dates)

    def pem(self, name):
        return (self.certificates / name).read_text()

    def ca_option(self):
        return f"server_name = 'localhost', ca = [[{self.pem('ca.pem')}]]"

    def client_lab(self, options=None, talk=TALK):
        return self.lab(CLIENT % (options or self.ca_option(), talk))

    def server_lab(self, talk=TALK, options="", name="good"):
        return self.lab(SERVER % (self.pem(f"{name}.pem"), self.pem(f"{name}.key"), options, talk))

    def serve(self, lab, *arguments, **options):
        return super().serve(lab, "--port", 0, *arguments, **options)

    def connect(self, port, lab, *arguments):
        return self.handlens("connect", lab, "--port", port, *arguments)

    def context(self, server=False, name="good"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        if server:
            context.load_cert_chain(self.certificates / f"{name}.pem",
                                    self.certificates / f"{name}.key")
        else:
            context.load_verify_locations(self.certificates / "ca.pem")
        return context

    @contextlib.contextmanager
    def python_server(self, talk):
        """Runs talk(connection) in a thread for one connection; yields the port. What talk raises
        is raised here at the end."""
        problems = []

        def run(listener):
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(peer.PATIENCE)
                    talk(connection)
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(problem)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(peer.PATIENCE)
            thread = threading.Thread(target=run, args=(listener,))
            thread.start()
            try:
                yield listener.getsockname()[1]
            finally:
                thread.join()
        if problems:
            raise problems[0]

    def dial(self, port):
        connection = socket.create_connection(("127.0.0.1", port), peer.PATIENCE)
        self.addCleanup(connection.close)
        return connection


class GoodPeers(TlsTest):
    def test_openssls_client_talks_to_the_encrypted_lab(self):
        server = self.serve("encrypted")
        client = self.program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                              "-tls1_3", "-servername", "localhost", "-quiet")
        client.type("Hello from openssl")
        client.says("Hello from the server", "out")
        client.signal(15)
        client.ends(None)
        server.ends(None)
        self.assertIn("server: received\tHello from openssl", server.err.text)

    def test_the_encrypted_lab_in_two_terminals(self):
        server = self.serve("encrypted", "--files", ".")
        client = self.handlens("connect", "encrypted", "--port", server.port, "--files", ".").ends()
        server.ends()
        self.assert_says(server, "server: received\tHello from the client")
        self.assert_says(client, "client: received\tHello from the server")

    def test_the_encrypted_lab_with_openssls_server(self):
        server = self.openssl_server("good")
        shutil.copy(self.certificates / "ca.pem", self.work / "server.pem")
        client = self.handlens("connect", "encrypted", "--port", server.port, "--files", ".")
        server.says("Hello from the client", "out")
        server.type("Thank you\n")
        client.ends()
        self.assert_says(client, "client: received\tThank you")

    def test_openssls_client_verifies_our_certificate(self):
        server = self.serve(self.server_lab())
        client = self.program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                              "-CAfile", self.certificates / "ca.pem", "-verify_return_error",
                              "-verify_hostname", "localhost")
        client.says("Verify return code: 0 (ok)", "out")
        client.says("Hello from handlens", "out")
        client.type("Thank you\n")
        server.ends()
        client.end_input()
        client.ends(None)
        self.assertIn("server: received\tThank you", server.err.text)

    def openssl_server(self, name, *arguments):
        port = free_port()
        server = self.program("openssl", "s_server", "-accept", f"127.0.0.1:{port}",
                              "-cert", self.certificates / f"{name}.pem",
                              "-key", self.certificates / f"{name}.key", *arguments)
        server.says("ACCEPT", "out")
        server.port = port
        return server

    def test_we_verify_openssls_server(self):
        server = self.openssl_server("good")
        client = self.connect(server.port, self.client_lab())
        server.says("Hello from handlens", "out")
        server.type("Thank you\n")
        client.ends()
        self.assertIn("agreed\tTLSv1.3\tCN=localhost\tCN=Test Authority\ttrue", client.err.text)
        self.assertIn("client: received\tThank you", client.err.text)
        server.says("DONE", "out")

    def test_tls_1_2_where_it_is_allowed(self):
        server = self.openssl_server("good", "-tls1_2")
        client = self.connect(server.port, self.client_lab()).ends(peer.USAGE)
        self.assert_says(client, 'the peer sent the alert "protocol version" (ETLS)')
        client = self.connect(server.port,
                              self.client_lab(self.ca_option() + ", min_version = '1.2'"))
        server.says("Hello from handlens", "out")
        server.type("Thank you\n")
        client.ends()
        self.assertIn("agreed\tTLSv1.2\tCN=localhost", client.err.text)

    def assert_says(self, program, *words):
        for word in words:
            self.assertIn(word, program.err.text, str(program))

    def test_pythons_client_verifies_us_and_both_say_goodbye(self):
        server = self.serve(self.server_lab(ECHO))
        with self.context().wrap_socket(self.dial(server.port),
                                        server_hostname="localhost") as secure:
            self.assertEqual(secure.version(), "TLSv1.3")
            secure.sendall("你好".encode())
            self.assertEqual(secure.recv(100).decode(), "你好")
            secure.unwrap().close()
        server.ends()
        self.assert_says(server, "server: all echoed")

    def test_protocols_are_agreed_upon(self):
        lab = self.server_lab('print("alpn", secure:info().alpn) secure:close()',
                              'alpn = { "h2", "http/1.1" }')
        server = self.serve(lab)
        context = self.context()
        context.set_alpn_protocols(["http/1.1"])
        with context.wrap_socket(self.dial(server.port), server_hostname="localhost") as secure:
            self.assertEqual(secure.selected_alpn_protocol(), "http/1.1")
            self.assertEqual(secure.recv(1), b"")
            secure.unwrap().close()
        server.ends()
        self.assert_says(server, "alpn\thttp/1.1")

    def test_megabytes_come_through_whole_both_ways_at_once(self):
        server = self.serve(self.server_lab(ECHO), "--no-capture")
        data = memoryview(bytes(range(256)) * 16384)
        got, sent = bytearray(), 0
        with self.context().wrap_socket(self.dial(server.port),
                                        server_hostname="localhost") as secure:
            secure.setblocking(False)
            while len(got) < len(data):
                wants_write = sent < len(data)
                readable, writable, _ = select.select([secure], [secure] if wants_write else [], [],
                                                      peer.PATIENCE)
                self.assertTrue(readable or writable, f"stuck at {sent} sent, {len(got)} received")
                with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    if writable:
                        sent += secure.send(data[sent:sent + 65536])
                with contextlib.suppress(ssl.SSLWantReadError):
                    while readable and len(got) < len(data):
                        chunk = secure.recv(65536)
                        self.assertTrue(chunk)
                        got += chunk
            secure.setblocking(True)
            secure.unwrap().close()
        self.assertEqual(bytes(got), bytes(data))
        server.ends()

    def test_a_peer_that_sends_one_byte_at_a_time(self):
        server = self.serve(self.server_lab(ECHO))
        connection = self.dial(server.port)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = self.context().wrap_bio(incoming, outgoing, server_hostname="localhost")

        def drive(step):
            while True:
                try:
                    result, wants = step(), False
                except ssl.SSLWantReadError:
                    wants = True
                for byte in outgoing.read():
                    connection.sendall(bytes([byte]))
                if not wants:
                    return result
                incoming.write(connection.recv(65536))

        drive(secure.do_handshake)
        drive(lambda: secure.write(b"byte by byte"))
        self.assertEqual(drive(lambda: secure.read(100)), b"byte by byte")
        drive(secure.unwrap)
        connection.close()
        server.ends()


class Decryption(TlsTest):
    def decrypted(self, path):
        out = self.tool("tshark", "-n", "-r", path, "-Y", "tls.record.content_type == 23",
                        "-T", "fields", "-e", "data.data").out
        return [bytes.fromhex(field) for line in out.split() for field in line.split(",")]

    @peer.handlens.needs_private
    def test_tshark_reads_what_both_roles_said(self):
        path = self.capture("encrypted")
        self.assertEqual(self.decrypted(path), [b"Hello from the client", b"Hello from the server"])
        with path.open("rb") as file:
            self.assertNotIn(b"\x16Hello", file.read())

    @peer.handlens.needs_private
    def test_the_words_are_on_no_packet(self):
        path = self.capture("encrypted")
        packets = self.json(path, "packet")
        self.assertGreater(len(packets), 10)
        for packet in packets:
            self.assertNotIn(b"Hello", base64.b64decode(packet["payload"]))

    @peer.handlens.needs_private
    def test_tshark_reads_tls_1_2_too(self):
        text = (ROOT / "scripts" / "encrypted.lua").read_text()
        lab = self.lab(text.replace("ca = file", "max_version = '1.2', ca = file")
                       .replace("{ certificate", "{ max_version = '1.2', certificate"))
        self.assertEqual(self.decrypted(self.capture(lab)),
                         [b"Hello from the client", b"Hello from the server"])

    def test_tshark_reads_what_a_real_client_said(self):
        server = self.serve(self.server_lab(ECHO), "-w", "served.pcapng")
        if "packets are not captured" in server.err.text:
            self.skipTest("no capture here")
        with self.context().wrap_socket(self.dial(server.port),
                                        server_hostname="localhost") as secure:
            secure.sendall(b"to be seen")
            secure.recv(100)
            secure.unwrap().close()
        server.ends()
        if not self.json("served.pcapng", "packet"):
            self.skipTest("this user may not capture on the machine's loopback")
        self.assertEqual(self.decrypted("served.pcapng"), [b"to be seen", b"to be seen"])

    def test_a_client_that_is_faster_than_we_are_is_read_as_well(self):
        # The server is busy until the client has long ended the handshake and said more.
        lab = self.lab(SLOW_SERVER % (self.pem("good.pem"), self.pem("good.key")))
        server = self.serve(lab, "-w", "served.pcapng")
        if "packets are not captured" in server.err.text:
            self.skipTest("no capture here")
        with self.context().wrap_socket(self.dial(server.port),
                                        server_hostname="localhost") as secure:
            secure.sendall(b"to be seen")
            self.assertEqual(secure.recv(100), b"to be seen")
        server.ends()
        if not self.json("served.pcapng", "packet"):
            self.skipTest("this user may not capture on the machine's loopback")
        self.assertEqual(self.decrypted("served.pcapng"), [b"to be seen", b"to be seen"])


class BadPeers(TlsTest):
    def fails(self, port, *words, lab=None):
        client = self.connect(port, lab or self.client_lab()).ends(peer.USAGE)
        for word in words:
            self.assertIn(word, client.err.text)
        self.assertRegex(client.err.text, r"mine\.lua:\d+")
        self.assertNotIn("agreed", client.err.text)

    def refused_server(self, name):
        """A server of Python's whose handshake must fail; its error goes to self.refusal."""
        def talk(connection):
            with self.assertRaises(ssl.SSLError) as raised:
                self.context(True, name).wrap_socket(connection, server_side=True).recv(1)
            self.refusal = str(raised.exception)
        return self.python_server(talk)

    def test_a_certificate_that_nobody_vouches_for(self):
        with self.refused_server("good") as port:
            self.fails(port, "tls.client handshake with 127.0.0.1:", "certificate verify failed",
                       "(ECERT)", lab=self.client_lab("server_name = 'localhost'"))
        self.assertRegex(self.refusal.lower(), "unknown.ca")

    def test_an_expired_certificate(self):
        with self.refused_server("expired") as port:
            self.fails(port, "certificate has expired (ECERT)")
        self.assertRegex(self.refusal.lower(), "certificate.expired")

    def test_a_certificate_from_the_future(self):
        with self.refused_server("future") as port:
            self.fails(port, "certificate is not yet valid (ECERT)")

    def test_a_certificate_for_somebody_else(self):
        with self.refused_server("wrong") as port:
            self.fails(port, "hostname mismatch (ECERT)")

    def test_an_address_that_is_not_in_the_certificate(self):
        lab = self.client_lab(f"ca = [[{self.pem('ca.pem')}]]")
        with self.refused_server("wrong") as port:
            self.fails(port, "IP address mismatch (ECERT)", lab=lab)

    def test_without_verification_anybody_will_do(self):
        def talk(connection):
            with self.context(True, "wrong").wrap_socket(connection, server_side=True) as secure:
                secure.sendall(secure.recv(100))
                secure.unwrap()
        with self.python_server(talk) as port:
            client = self.connect(port, self.client_lab("verify = false")).ends()
        self.assertIn("CN=elsewhere.test\tCN=Test Authority\tfalse", client.err.text)

    def test_a_client_that_refuses_our_certificate(self):
        server = self.serve(self.server_lab(name="expired"))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.context().wrap_socket(self.dial(server.port), server_hostname="localhost")
        server.ends(peer.USAGE)
        self.assertIn('the peer sent the alert "certificate expired" (ETLS)', server.err.text)

    def test_a_server_that_speaks_plain_text(self):
        with self.python_server(lambda connection: connection.sendall(b"220 mail ready\r\n")
                                or connection.recv(4096)) as port:
            self.fails(port, 'the peer does not speak TLS, it said "220 mail ready\\r\\n" (ETLS)')

    def test_a_client_that_speaks_plain_text(self):
        server = self.serve(self.server_lab())
        connection = self.dial(server.port)
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        server.ends(peer.USAGE)
        self.assertIn('the peer does not speak TLS, it said "GET / HTTP/1.1', server.err.text)

    def test_a_stream_that_is_cut_off(self):
        def talk(connection):
            secure = self.context(True).wrap_socket(connection, server_side=True)
            secure.sendall(secure.recv(100))
            secure.close()  # Python's close says no goodbye
        talk_on = TALK.replace("secure:close()", "secure:recv()")
        with self.python_server(talk) as port:
            client = self.connect(port, self.client_lab(talk=talk_on)).ends(peer.USAGE)
        self.assertIn("received\tHello from handlens", client.err.text)
        self.assertIn("tls.recv from 127.0.0.1:", client.err.text)
        self.assertIn("the peer closed the connection without close_notify (ETLSEOF)",
                      client.err.text)

    def test_an_end_during_the_handshake(self):
        with self.python_server(lambda connection: connection.recv(4096)) as port:
            self.fails(port, "the peer closed the connection during the handshake (ETLSEOF)")

    def test_a_reset_during_the_handshake(self):
        def talk(connection):
            connection.recv(4096)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self.python_server(talk) as port:
            self.fails(port, "tls.client handshake with", "Connection reset by peer (ECONNRESET)")

    def test_a_peer_that_waits_for_ever_meets_the_time_out(self):
        lab = self.lab("""
lab.port = 1
function lab.client(server)
  local sock = socket.connect(server)
  sock:settimeout(0.1)
  local ok, problem = pcall(tls.client, sock, { verify = false })
  print(ok, problem.call, problem.code)
  sock:close()
end
""")
        with self.python_server(lambda c: c.recv(4096) and c.recv(4096)) as port:
            client = self.connect(port, lab).ends()
        self.assertIn("false\ttls.client\tETIMEDOUT", client.err.text)

    def test_a_peer_that_never_says_goodbye_does_not_keep_us(self):
        over = threading.Event()

        def talk(connection):
            with self.context(True).wrap_socket(connection, server_side=True) as secure:
                secure.sendall(secure.recv(100))
                over.wait(peer.PATIENCE)
        with self.python_server(talk) as port:
            client = self.connect(port, self.client_lab())
            try:
                client.ends()
            finally:
                over.set()


if __name__ == "__main__":
    peer.main()
