"""`--as stream`: the bytes of a flow, compared with what tshark follows and with what was sent.

Captures are written here, packet by packet, with what networks do to segments: reordering,
retransmission, overlap, and packets that the capture missed.
"""

import random
import re
import struct

import handlens
from handlens import USAGE

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 80)

SPEAKING = """
lab.port = 65432
function lab.server(listener)
  local conn = listener:accept()
  while true do
    local message = conn:recv(65536)
    if not message then break end
    conn:sendall(message:upper())
  end
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  for turn = 1, 5 do
    sock:sendall(string.rep("turn " .. turn .. "\\n", turn * 1000))
    local got = 0
    while got < turn * 7000 do got = got + #sock:recv(65536) end
  end
  sock:close()
end
"""


def address(text):
    return bytes(map(int, text.split(".")))


class Capture:
    """A classic pcap of raw IPv4 packets, one microsecond apart."""

    def __init__(self, path):
        self.path, self.packets = path, []
        self.file = bytearray(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))

    def add(self, source, destination, protocol, content):
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(content), 0, 0x4000, 64, protocol, 0,
                           address(source[0]), address(destination[0]))
        packet = head + content
        self.packets.append(packet)
        self.file += struct.pack("<IIII", 1000, len(self.packets), len(packet), len(packet))
        self.file += packet

    def segment(self, source, destination, seq, ack, flags, payload=b""):
        head = struct.pack(">HHIIBBHHH", source[1], destination[1], seq & 0xffffffff,
                           ack & 0xffffffff, 0x50, flags, 65535, 0, 0)
        self.add(source, destination, 6, head + payload)

    def datagram(self, source, destination, payload):
        head = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0)
        self.add(source, destination, 17, head + payload)

    def write(self):
        self.path.write_bytes(self.file)
        return self.path


class Connection:
    """One TCP connection; segments are sent by hand, acknowledgments follow what arrived."""

    def __init__(self, capture, client=CLIENT, server=SERVER, isn=(1000, 5000)):
        self.capture, self.ends, self.isn = capture, (client, server), isn
        self.got = [set(), set()]  # pieces of each direction that its receiver has
        self.next = [0, 0]         # what the receiver of each direction expects
        capture.segment(client, server, isn[0], 0, SYN)
        capture.segment(server, client, isn[1], isn[0] + 1, SYN | ACK)
        self.acknowledge(0)

    def acknowledge(self, end):
        self.send(end, 0, b"", ACK)

    def send(self, end, at, payload, flags=PSH | ACK, captured=True):
        """Bytes from stream position at; the other end has them, even if the capture has not."""
        if captured:
            self.capture.segment(self.ends[end], self.ends[1 - end],
                                 self.isn[end] + 1 + (at if payload else self.next[end]),
                                 self.isn[1 - end] + 1 + self.next[1 - end], flags, payload)
        if payload:
            self.got[end].add((at, at + len(payload)))
            for start, stop in sorted(self.got[end]):
                if start <= self.next[end] < stop:
                    self.next[end] = stop

    def finish(self):
        for _ in range(2):
            self.acknowledge(0)
            self.acknowledge(1)


class Followed(handlens.LabTest):
    def capture_file(self, name="made.pcap"):
        return Capture(self.work / name)

    def ours(self, path, flow, side):
        out = self.work / "out"
        self.run_handlens("view", path, "--as", "stream", "--flow", flow, "--raw", "--from", side,
                          "-o", out, "--force")
        return out.read_bytes()

    def theirs(self, path, stream, protocol="tcp"):
        """What tshark follows, by direction: client's, server's; its remarks on gaps taken out."""
        text = self.tool("tshark", "-q", "-r", path, "-z", f"follow,{protocol},raw,{stream}").out
        sides = [b"", b""]
        for line in text.splitlines():
            if re.fullmatch(r"\t?([0-9a-f]{2})+", line):
                data = bytes.fromhex(line.strip())
                data = re.sub(rb"\[\d+ bytes missing in capture file\]\.?\0?", b"", data)
                sides[line.startswith("\t")] += data
        return sides

    def assert_same(self, path, flow=1, stream=0, protocol="tcp"):
        client, server = self.theirs(path, stream, protocol)
        self.assertGreater(len(client) + len(server), 0)
        self.assertEqual(self.ours(path, flow, "client"), client)
        self.assertEqual(self.ours(path, flow, "server"), server)
        return client, server


class ByHand(Followed):
    def test_in_order(self):
        capture = self.capture_file()
        connection = Connection(capture)
        connection.send(0, 0, b"GET / HTTP/1.0\r\n\r\n")
        connection.send(1, 0, bytes(range(256)))
        connection.finish()
        sides = self.assert_same(capture.write())
        self.assertEqual(sides, (b"GET / HTTP/1.0\r\n\r\n", bytes(range(256))))

    def test_early_and_again(self):
        capture = self.capture_file()
        connection = Connection(capture)
        for at, text in ((4, b"efgh"), (0, b"abcd"), (0, b"abcd"), (4, b"efgh"), (12, b"mnop"),
                         (8, b"ijkl")):
            connection.send(0, at, text)
            connection.acknowledge(1)
        connection.finish()
        self.assertEqual(self.assert_same(capture.write())[0], b"abcdefghijklmnop")

    def test_of_bytes_sent_twice_the_first_count(self):
        capture = self.capture_file()
        connection = Connection(capture)
        connection.send(0, 0, b"abcd")
        connection.send(0, 2, b"XYef")
        connection.send(0, 0, b"ABCDEFgh")
        connection.finish()
        self.assertEqual(self.assert_same(capture.write())[0], b"abcdefgh")

    def test_a_gap_is_marked_and_what_follows_is_shown(self):
        capture = self.capture_file()
        connection = Connection(capture)
        connection.send(0, 0, b"before ")
        connection.send(0, 7, b"?" * 1448, captured=False)
        connection.send(0, 1455, b"after")
        connection.finish()
        path = capture.write()
        self.assertEqual(self.assert_same(path)[0], b"before after")
        shown = self.run_handlens("view", path, "--as", "stream").out
        self.assertRegex(shown, r"→ before\n→ \[1448 bytes missing\]\n→ after\n")

    def test_sequence_numbers_wrap(self):
        capture = self.capture_file()
        connection = Connection(capture, isn=(0xffffff00, 0xfffffff0))
        text = bytes(range(256)) * 4
        for at in range(0, 1024, 128):
            connection.send(0, at, text[at:at + 128])
            connection.send(1, at // 4, text[at // 4:at // 4 + 32])
        connection.finish()
        self.assertEqual(self.assert_same(capture.write())[0], text)

    def test_a_keep_alive_adds_nothing(self):
        capture = self.capture_file()
        connection = Connection(capture)
        connection.send(0, 0, b"alive")
        connection.acknowledge(1)
        capture.segment(CLIENT, SERVER, 1000 + 5, 5001, ACK, b"\0")
        connection.finish()
        self.assertEqual(self.assert_same(capture.write())[0], b"alive")

    def test_from_the_middle(self):
        capture = self.capture_file()
        capture.segment(CLIENT, SERVER, 700, 900, PSH | ACK, b"in the midst")
        capture.segment(SERVER, CLIENT, 900, 712, PSH | ACK, b"of things")
        self.assert_same(capture.write())

    def test_datagrams(self):
        capture = self.capture_file()
        for text in (b"one", b"", b"three"):
            capture.datagram(CLIENT, SERVER, text)
            capture.datagram(SERVER, CLIENT, text.upper())
        path = capture.write()
        self.assertEqual(self.assert_same(path, protocol="udp")[0], b"onethree")
        shown = self.run_handlens("view", path, "--as", "stream").out
        self.assertEqual(shown.count("client → server  "), 3)

    def test_flows_are_told_apart(self):
        capture = self.capture_file()
        ends = [Connection(capture, client=("10.0.0.1", 40000 + n)) for n in range(3)]
        for n, connection in enumerate(ends):
            connection.send(0, 0, b"from %d" % n)
        for n, connection in enumerate(ends):
            connection.send(1, 0, b"to %d" % n)
            connection.finish()
        path = capture.write()
        for n in range(3):
            sides = self.assert_same(path, flow=n + 1, stream=n)
            self.assertEqual(sides, (b"from %d" % n, b"to %d" % n))
        first = self.run_handlens("view", path, "--as", "stream")
        self.assertIn("the first of 3 flows", first.out)


class AtRandom(Followed):
    """Both ends send at random; segments come late, twice, and cut anew."""

    def connection(self, capture, source, misses):
        isn = source.choice(((1000, 5000), (0xfffffc00, 0x7ffffff0)))
        connection = Connection(capture, isn=isn)
        streams = [source.randbytes(source.randrange(1, 6000)) for _ in range(2)]
        waiting = []
        for end in range(2):
            at = 0
            while at < len(streams[end]):
                length = source.randrange(1, 400)
                waiting.append((end, at, streams[end][at:at + length]))
                at += length
        waiting.sort(key=lambda each: each[1])
        sent = []
        while waiting:
            end, at, text = waiting.pop(min(source.choice((0, 0, 0, 1, 2, 5)), len(waiting) - 1))
            is_missed = source.random() < misses
            connection.send(end, at, text, captured=not is_missed)
            sent += [] if is_missed else [(end, at)]
            if source.random() < 0.5:
                connection.acknowledge(1 - end)
            if sent and source.random() < 0.2:  # again, from some earlier place, otherwise cut
                end, at = source.choice(sent)
                length = source.randrange(1, 900) if misses == 0 else 1
                connection.send(end, at, streams[end][at:at + length])
        connection.finish()
        return streams

    def test_whatever_the_order_all_bytes_come_once(self):
        for seed in range(12):
            source = random.Random(seed)
            capture = self.capture_file()
            streams = self.connection(capture, source, 0)
            with self.subTest(seed=seed):
                sides = self.assert_same(capture.write())
                self.assertEqual(list(sides), streams)

    def test_with_packets_missed(self):
        for seed in range(12):
            source = random.Random(1000 + seed)
            capture = self.capture_file()
            self.connection(capture, source, 0.1)
            with self.subTest(seed=seed):
                self.assert_same(capture.write())


@handlens.needs_private
class OfRuns(Followed):
    def test_as_tshark_follows_them(self):
        path = self.capture(self.lab(SPEAKING))
        client, server = self.assert_same(path)
        said = b"".join(b"turn %d\n" % n * (n * 1000) for n in range(1, 6))
        self.assertEqual((client, server), (said, said.upper()))

    def test_run_shows_them_too(self):
        shown = self.run_handlens("run", "hello", "--as", "stream").out
        self.assertRegex(shown, r"client → server  21 bytes, packet 4\n→ Hello from the client\n")
        raw = self.run_handlens("run", "hello", "--as", "stream", "--raw", "-q").out
        self.assertEqual(raw, "Hello from the clientHello from the server")

    def test_no_raw_bytes_to_a_terminal(self):
        status, shown = self.run_on_terminal("run", "hello", "--as", "stream", "--raw")
        self.assertEqual(status, USAGE)
        self.assertIn("terminal", shown)

    def test_options_of_the_stream_go_with_it_alone(self):
        for option in (["--raw"], ["--hex"], ["--from", "client"]):
            result = self.run_handlens("run", "hello", *option, status=USAGE)
            self.assert_one_sentence(result, "--as stream")


if __name__ == "__main__":
    handlens.main()
