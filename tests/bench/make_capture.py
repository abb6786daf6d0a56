"""Writes a large capture for the benchmarks, the same bytes every time.

    make_capture.py FILE PACKETS FLOWS

Classic pcap with microseconds, Ethernet, IPv4; TCP with timestamps as Linux sends them, and a few
UDP questions and answers. A new flow begins every so often and some hundred are under way at any
time. Most do a handshake, some requests with their answers, and close; some segments are lost and
sent again, by timer or after three duplicate ACKs; some connections are reset, refused, never
answered or still open at the end. Clients come from all over the address space, each from a host of
its own, as a public server's do (tcpdump remembers hosts by their first twelve bits alone and would
need a minute for a million packets from one network). 50 us pass from packet to packet on average, so that forty
thousand flows fit into one minute: a table that remembers ended flows that long holds them all.
"""

import heapq
import random
import struct
import sys

START = 1_700_000_000_000_000  # microseconds
PER_PACKET = 50
MSS = 1448
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

TEXT = bytes(range(32, 127)) * 40


def swap(number):
    return (number & 0xFF) << 8 | number >> 8


def fold(number):
    number = (number & 0xFFFF) + (number >> 16)
    return (number & 0xFFFF) + (number >> 16)


class Frames:
    """What the frames of one conversation have in common."""

    MACS = (b"\2\0\0\0\0\1", b"\2\0\0\0\0\2")

    def __init__(self, rng, number, protocol):
        client = bytes((1 + number % 126, number // 126 % 256, number * 37 % 250,
                        1 + number % 200))
        server = bytes((192, 168, 7, 1 + number % 20))
        self.hosts = (client, server)
        self.ports = (20000 + number * 7 % 40000, (80, 443, 5432, 65432)[number % 4])
        self.protocol = protocol
        self.seq = [rng.getrandbits(32), rng.getrandbits(32)]
        self.clock = rng.getrandbits(24)
        self.addresses = sum(struct.unpack(">4H", client + server))
        self.identification = number & 0xFFFF

    def _record(self, time, source, payload_length, header):
        length = 20 + len(header) + payload_length
        self.identification = self.identification + 1 & 0xFFFF
        ip_sum = fold(0x4500 + length + self.identification + 0x4000 + 0x4000 + self.protocol
                      + self.addresses)
        seconds, micros = divmod(time, 1_000_000)
        return b"".join((
            struct.pack("<IIII", seconds, micros, 14 + length, 14 + length),
            self.MACS[1 - source], self.MACS[source],
            struct.pack(">HBBHHHBBH", 0x0800, 0x45, 0, length, self.identification, 0x4000, 64,
                        self.protocol, ip_sum ^ 0xFFFF),
            self.hosts[source], self.hosts[1 - source],
            header, TEXT[:payload_length]))

    def segment(self, time, source, flags, length=0, seq=None, window=501):
        """A segment. Without seq it is the next one, and what it sends counts as sent."""
        place = self.seq[source] if seq is None else seq
        stamp = self.clock + time // 1000 & 0xFFFFFFFF
        options = b"\1\1\x08\x0a" + struct.pack(">II", stamp, stamp - 1 if flags & ACK else 0)
        if flags & SYN:
            options = b"\2\4\5\xb4\4\2" + options[2:] + b"\1\3\3\7"
            window = 64240
        header_length = 20 + len(options)
        partial = fold(self.addresses + 6 + header_length + length)
        header = struct.pack(">HHIIBBHHH", self.ports[source], self.ports[1 - source],
                             place & 0xFFFFFFFF, self.seq[1 - source] if flags & ACK else 0,
                             header_length << 2, flags, window, partial, 0) + options
        if seq is None:
            advance = length + bool(flags & SYN) + bool(flags & FIN)
            self.seq[source] = self.seq[source] + advance & 0xFFFFFFFF
        return self._record(time, source, length, header)

    def datagram(self, time, source, length):
        header = struct.pack(">HHHH", self.ports[source], self.ports[1 - source], 8 + length, 0)
        return self._record(time, source, length, header)


class Conversation:
    """Lists the records of one flow, with their times."""

    def __init__(self, rng, number, time, protocol):
        self.rng = rng
        self.frames = Frames(rng, number, protocol)
        self.time = time
        self.records = []

    def wait(self, least, most):
        self.time += self.rng.randint(least, most)

    def add(self, source, flags, length=0, seq=None, window=501):
        record = self.frames.segment(self.time, source, flags, length, seq, window)
        self.records.append((self.time, record))
        self.wait(20, 400)

    def handshake(self):
        self.add(0, SYN)
        self.wait(2000, 9000)
        self.add(1, SYN | ACK)
        self.add(0, ACK)

    def send(self, source, length):
        """Sends so many bytes; every other segment is acknowledged, and few are lost."""
        count = 0
        while length > 0:
            size = min(length, MSS)
            length -= size
            flags = PSH | ACK if length == 0 else ACK
            luck = self.rng.random()
            if luck < 0.006:
                self.lose_to_timer(source, flags, size)
            elif luck < 0.012:
                self.lose_to_duplicates(source, size)
            else:
                self.add(source, flags, size)
            count += 1
            if count % 2 == 0 or length == 0:
                self.add(1 - source, ACK)

    def lose_to_timer(self, source, flags, size):
        seq = self.frames.seq[source]
        self.add(source, flags, size)
        self.wait(200_000, 260_000)
        self.add(source, flags, size, seq=seq)

    def lose_to_duplicates(self, source, size):
        frames = self.frames
        lost = frames.seq[source]
        frames.seq[source] = lost + size & 0xFFFFFFFF
        for _ in range(3):
            self.add(source, ACK, MSS)
            sent, frames.seq[source] = frames.seq[source], lost
            self.add(1 - source, ACK)
            frames.seq[source] = sent
        self.add(source, ACK, size, seq=lost)

    def close(self, source):
        self.add(source, FIN | ACK)
        self.wait(100, 3000)
        self.add(1 - source, FIN | ACK)
        self.add(source, ACK)

    def tcp(self, wanted):
        rng = self.rng
        luck = rng.random()
        if luck < 0.01:
            self.add(0, SYN)
            self.add(1, RST | ACK)
            return
        if luck < 0.015:
            for again in range(3):
                self.add(0, SYN, seq=self.frames.seq[0])
                self.time += 1_000_000 << again
            return
        self.handshake()
        while len(self.records) < wanted - 6:
            self.send(0, rng.randint(20, 600))
            self.wait(100, 20_000)
            self.send(1, rng.choice((40, 120, 300, 700, 1448, 2000, 2896)))
            self.wait(100, 20_000)
        if luck < 0.04:
            self.add(rng.randint(0, 1), RST | ACK)
        elif luck < 0.98:
            self.close(rng.randint(0, 1))

    def udp(self, wanted):
        for _ in range(wanted // 2):
            for source, length in ((0, 40), (1, 120)):
                self.records.append((self.time, self.frames.datagram(self.time, source, length)))
                self.wait(100, 2000)


def conversation(rng, number, time, wanted):
    is_udp = number % 50 == 49
    talk = Conversation(rng, number, time, 17 if is_udp else 6)
    (talk.udp if is_udp else talk.tcp)(wanted)
    return talk.records


def write(path, packets, flows):
    rng = random.Random(65432)
    waiting, written, begun = [], 0, 0
    average = packets / flows
    with open(path, "wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        while written < packets:
            begins = START + int(begun * average * PER_PACKET)
            while written < packets and waiting and (waiting[0][0] < begins or begun == flows):
                out.write(heapq.heappop(waiting)[2])
                written += 1
            if begun < flows:
                # What the flows so far had too little or too much, the next ones make up for.
                wanted = average * (begun + 1) - written - len(waiting)
                wanted = rng.randint(6, 12) + int(max(0, min(wanted, 4 * average)))
                for time, record in conversation(rng, begun, begins, wanted):
                    heapq.heappush(waiting, (time, len(waiting) + written, record))
                begun += 1
            elif not waiting:
                break
    return written, begun


if __name__ == "__main__":
    count, flow_count = write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(f"{count} packets, {flow_count} flows")
