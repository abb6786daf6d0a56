"""Hostile peers by the thousand: the well-behaved are answered, and all comes back when they leave.

A test serves a lab, has a well-behaved client ask over and over, and lets the peers of hostile.py
loose. The client must be answered within a bound all the while; when they have left, the server has
as many descriptors as before, and about as much memory.
"""

import os
import re
import resource
import socket
import ssl
import threading
import time

import peer

SANITIZED = peer.handlens.SANITIZED

# An answer may take so long, in seconds, while thousands of others want one, on a machine that does
# other things too. A SYN for which the queue had no room is sent again after 1, then 3 seconds.
LONGEST_ANSWER = 30 if SANITIZED else 10
# What a server may keep, in kB, when ten thousand have left: 600 were measured.
KEPT = 2000
# A connection's share of the server's memory, in kB: 2.6 were measured for one that says nothing.
PER_CONNECTION = 4

MANY = 2000 if SANITIZED else 10000

ECHO_TLS = """
lab.port = 7020
local function converse(conn, identity)
  local secure = tls.server(conn, { certificate = identity.certificate, key = identity.key })
  for text in function() return secure:recv(1024) end do secure:sendall(text) end
  secure:close()
end
function lab.server(listener)
  local identity = tls.certificate()
  while true do
    local conn = listener:accept()
    spawn(function()
      pcall(converse, conn, identity)
      conn:close()
    end)
  end
end
"""

# A lab.server that takes no care of accept.
CARELESS = """
lab.port = 7021
function lab.server(listener)
  while true do
    local conn = listener:accept()
    spawn(function()
      pcall(function()
        for text in function() return conn:recv(1024) end do conn:sendall(text) end
      end)
      conn:close()
    end)
  end
end
"""

# A hundred that do not take so large answers are enough: a thousand connections full of unread bytes
# make the kernel run short of memory for all TCP (tcp_mem), that of other tests as well.
LOUD = """
lab.port = 7022
function lab.reply(message)
  return #message > 1000 and message:rep(32) or message
end
"""

ECHO_UDP = """
function lab.server()
  local sock = socket.udp()
  sock:bind("127.0.0.1", lab.port)
  lab.ready(sock:getsockname())
  while true do
    local message, peer = sock:recvfrom(2048)
    if message:sub(1, 5) == "ping " then sock:sendto(message, peer) end
  end
end
"""


def figures(server):
    """What the server holds: kB of memory, and how many descriptors."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        memory = int(next(line for line in status if line.startswith("VmRSS")).split()[1])
    return memory, len(os.listdir(f"/proc/{server.process.pid}/fd"))


def processor_time(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(happens, seconds=peer.PATIENCE):
    """Whether it happens in time."""
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Client:
    """A well-behaved client: a connection that it keeps, and each time another one."""

    question = b"ping"

    def __init__(self, server):
        self.port = server.port
        self.kept = self.connect()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST_ANSWER)

    def converse(self, sock):
        sock.sendall(self.question)
        answer = sock.recv(len(self.question))
        if answer != self.question:
            raise AssertionError(f"asked {self.question}, was answered {answer}")

    def ask(self):
        self.converse(self.kept)
        with self.connect() as sock:
            self.converse(sock)

    def close(self):
        self.kept.close()


class SecureClient(Client):
    def connect(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(super().connect())


class WebClient(Client):
    """Asks http.lua; there is nothing to keep."""

    def connect(self):
        return None

    def ask(self):
        with Client.connect(self) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = sock.recv(1000)
            if not answer.startswith(b"HTTP/1.1 200 OK\r\n"):
                raise AssertionError(f"was answered {answer}")

    def close(self):
        pass


class DatagramClient(Client):
    """Asks again when no answer comes: that is how UDP is spoken."""

    def connect(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", self.port))
        sock.settimeout(0.02)
        return sock

    def ask(self):
        question = b"ping %f" % time.monotonic()
        deadline = time.monotonic() + LONGEST_ANSWER
        while time.monotonic() < deadline:
            self.kept.send(question)
            try:
                if self.kept.recv(100) == question:
                    return
            except TimeoutError:
                pass
        raise AssertionError("no datagram came back")


class Asking:
    """The client asks over and over in a thread of its own."""

    def __init__(self, test, client):
        self.test, self.client = test, client
        self.longest, self.asked, self.problem, self.over = 0, 0, None, False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            while not self.over:
                start = time.monotonic()
                self.client.ask()
                self.longest = max(self.longest, time.monotonic() - start)
                self.asked += 1
                time.sleep(0.002)
        except (OSError, AssertionError) as problem:
            self.problem = problem

    def more(self, count=20):
        """Waits until it was answered so often again."""
        enough = self.asked + count
        wait_until(lambda: self.asked >= enough or self.problem, 3 * LONGEST_ANSWER)
        self.test.assertIsNone(self.problem)
        self.test.assertGreaterEqual(self.asked, enough)

    def __enter__(self):
        self.client.ask()
        self.thread.start()
        return self

    def __exit__(self, kind, value, traceback):
        self.over = True
        self.thread.join()
        self.client.close()
        if kind is None:
            self.test.assertIsNone(self.problem)
            self.test.assertLess(self.longest, LONGEST_ANSWER)


def figures_when_still(test, server):
    """When nothing is done any more that was begun."""
    def is_still():
        before = figures(server)
        time.sleep(0.05)
        return figures(server) == before

    test.assertTrue(wait_until(is_still))
    return figures(server)


class HostileTest(peer.PeerTest):
    def hostile(self, kind, server, count, *arguments, world=None):
        """Peers of a kind that are in place."""
        peers = self.program(*peer.PYTHON, peer.HERE / "hostile.py", kind, server.port, count,
                             *arguments, world=world)
        peers.says("there", "out")
        return peers

    def leave(self, peers):
        peers.end_input()
        peers.ends()

    def warmed(self, server, client):
        """Figures of a server that has done each thing once."""
        for _ in range(3):
            client.ask()
        client.close()
        return figures_when_still(self, server)

    def all_comes_back(self, server, before):
        memory, descriptors = before
        self.assertTrue(wait_until(lambda: figures(server)[1] == descriptors),
                        f"descriptors: {figures(server)[1]}, not {descriptors}")
        if SANITIZED:  # which keeps what is freed
            return
        self.assertTrue(wait_until(lambda: figures(server)[0] <= memory + KEPT, 5),
                        f"memory: {figures(server)[0]} kB, where {memory} were before")

    def survives(self, kind, count, lab="echo", client=Client, times=20, until=None):
        """The whole course, not before the server has said that; returns the server and what it held at the
        worst."""
        server = self.serve(lab, "--port", "0")
        before = self.warmed(server, client(server))
        with Asking(self, client(server)) as asking:
            peers = self.hostile(kind, server, count)
            asking.more(times)
            if until is not None:
                server.says(until)
            worst = figures(server)
            self.leave(peers)
            asking.more()
        self.all_comes_back(server, before)
        server.interrupted()
        return server, (worst[0] - before[0], worst[1] - before[1])


class Many(HostileTest):
    def setUp(self):
        super().setUp()
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < MANY + 100:
            self.skipTest(f"this user may not open {MANY} files: ulimit -Hn")

    def test_at_once_cost_little_and_leave_nothing(self):
        for kind, most in (("idle", PER_CONNECTION), ("talked", 2 * PER_CONNECTION)):
            server, (memory, descriptors) = self.survives(kind, MANY)
            self.assertEqual(server.err.text.count("\n"), 1, str(server))
            self.assertGreaterEqual(descriptors, MANY)
            if not SANITIZED:
                self.assertLess(memory / MANY, most, "kB a connection")


class Slow(HostileTest):
    def test_senders_hold_up_nobody(self):
        self.survives("slow", 300)
        self.survives("slow", 300, "http", WebClient)


class Resets(HostileTest):
    def test_at_every_moment_end_that_connection_alone(self):
        for lab, client in (("echo", Client), (self.lab(CARELESS), Client), ("http", WebClient)):
            self.survives("resets", 50, lab, client)


class OneWay(HostileTest):
    def test_ends_are_ended_though_the_peer_never_hangs_up(self):
        server = self.serve("echo", "--port", "0")
        before = self.warmed(server, Client(server))
        peers = self.hostile("one_way", server, 500)
        self.all_comes_back(server, before)
        self.leave(peers)
        server.interrupted()


class Flood(HostileTest):
    def test_of_connections_leaves_room_for_others(self):
        for lab in ("echo", self.lab(CARELESS)):
            self.survives("flood", 200, lab, times=50)


class Deaf(HostileTest):
    def test_clients_are_hung_up_on_before_their_answers_take_all_memory(self):
        server, (memory, _) = self.survives("deaf", 100, self.lab(LOUD), times=50,
                                            until="are hung up on")
        said = [line for line in server.err.text.splitlines() if "serving" not in line]
        self.assertEqual(said, ["server: more than 64 MiB of answers wait; clients that do not take "
                                "theirs are hung up on"])
        if not SANITIZED:
            self.assertLess(memory, 256 << 10)


class Greedy(HostileTest):
    def test_clients_leave_others_their_turn(self):
        self.survives("greedy", 64, times=50)


class Nonsense(HostileTest):
    def test_for_tls_is_no_reason_to_keep_others_waiting(self):
        self.survives("nonsense", 20, self.lab(ECHO_TLS), SecureClient, times=10)


class Datagrams(HostileTest):
    def test_in_floods_are_lost_but_who_asks_again_is_answered(self):
        self.survives("datagrams", 10, self.lab(ECHO_UDP), DatagramClient)


class Vanished(peer.WorldTest, HostileTest):
    """Peers whose address is taken away: from then on nothing comes of them, nor an RST."""

    GONE = "10.9.8.7"

    def in_world(self, *command):
        self.program(*command, world=self.world).ends()

    def test_in_the_middle_of_an_answer_are_given_up_by_the_kernel(self):
        self.in_world("ip", "address", "add", self.GONE, "dev", "lo")
        self.in_world("sh", "-c", "echo 3 >/proc/sys/net/ipv4/tcp_retries2")
        server = self.serve("echo", "--port", "0", world=self.world)
        before = figures_when_still(self, server)
        peers = self.hostile("deaf", server, 100, self.GONE, world=self.world)
        self.in_world("ip", "address", "del", self.GONE, "dev", "lo")
        self.ask_in_world(server)
        self.all_comes_back(server, before)
        peers.clean_up()
        server.interrupted()

    def test_in_silence_are_looked_for(self):
        server = self.serve("echo", "--port", "0", world=self.world)
        peers = self.hostile("idle", server, 5, world=self.world)
        shown = self.program("ss", "-tnoH", f"sport = {server.port}", world=self.world).ends()
        self.assertEqual(shown.out.text.count("timer:(keepalive,"), 5, str(shown))
        for left in re.findall(r"timer:\(keepalive,(?:(\d+)sec|1min)", shown.out.text):
            self.assertLessEqual(int(left or 60), 60)
        self.leave(peers)
        server.interrupted()

    def ask_in_world(self, server):
        client = self.handlens("connect", "echo", "--port", server.port, world=self.world).ends()
        self.assertIn("is there an echo?", client.err.text)


class FewDescriptors(HostileTest):
    LIMIT = 24

    def test_are_told_of_once_and_the_server_has_its_rest(self):
        for lab in ("echo", self.lab(CARELESS)):
            server = self.serve_with_few(self.LIMIT, lab)
            before = self.warmed(server, Client(server))
            old = Client(server)
            peers = self.hostile("idle", server, 200)
            self.assertTrue(wait_until(lambda: figures(server)[1] == self.LIMIT), str(server))
            start = processor_time(server)
            for _ in range(100):
                old.converse(old.kept)
                time.sleep(0.01)
            self.assertLess(processor_time(server) - start, 0.3, "seconds of a second or more")
            self.leave(peers)
            old.close()
            self.all_comes_back(server, before)
            with Asking(self, Client(server)) as asking:
                asking.more()
            for _ in range(3):  # who fills it again and again makes it say no more
                self.leave(self.hostile("idle", server, 50))
            server.interrupted()
            self.assertEqual(server.err.text.count("EMFILE"), 1, str(server))
            self.assertRegex(server.err.text, r"server: accept on 127\.0\.0\.1:\d+: Too many open "
                                              r"files \(EMFILE\); clients are turned away until "
                                              r"others leave\n")
            self.assertEqual(server.err.text.count("\n"), 2, str(server))


if __name__ == "__main__":
    peer.main()
