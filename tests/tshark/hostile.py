"""Frames that nobody sends on purpose, from a seed: the same seed gives the same frames.

Segments are made around the numbers their connection has reached, so that they hit on what the analysis
compares: a little before, exactly, a little behind, across the wrap at 2^32, or anywhere.
"""

import ipaddress
import random
import struct

from pcaps import IPV4, IPV6, Frame

ARP = 0x0806
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(kind, packet):
    return bytes(12) + struct.pack(">H", kind) + packet


def ipv4(source, destination, protocol, body, *, fragment=0, options=b"", total=None, ident=1, ttl=64):
    size = 20 + len(options)
    head = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, size + len(body) if total is None else total, ident,
                       fragment, ttl, protocol, 0)
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    head = head[:10] + struct.pack(">H", checksum(head + ends + options)) + head[12:]
    return ethernet(IPV4, head + ends + options + body)


def ipv6(source, destination, protocol, body, *, extensions=(), total=None):
    """extensions: (protocol number, its bytes behind the two first) from the outermost."""
    chain, following = b"", protocol
    for kind, rest in reversed(extensions):
        chain = bytes([following, (len(rest) + 2) // 8 - 1]) + rest + chain
        following = kind
    length = len(chain) + len(body) if total is None else total
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return ethernet(IPV6, struct.pack(">IHBB", 6 << 28, length, following, 64) + ends + chain + body)


def tcp(source_port, destination_port, seq, ack, flags, window, options=b"", payload=b"", offset=None, urgent=0):
    options += bytes(-len(options) % 4)
    offset = 5 + len(options) // 4 if offset is None else offset
    return struct.pack(">HHIIHHHH", source_port, destination_port, seq & 0xffffffff, ack & 0xffffffff,
                       offset << 12 | flags, window, 0x1234, urgent) + options + payload


def udp(source_port, destination_port, payload, length=None):
    return struct.pack(">HHHH", source_port, destination_port, len(payload) + 8 if length is None else length,
                       0) + payload


class End:
    def __init__(self, address, port, start):
        self.address, self.port, self.start = address, port, start
        self.next_seq, self.acked = start, None


class Talk:
    """A connection about which much may be claimed.

    whole: it begins with a handshake, all later segments have ACK, and none lies before the beginning.
    middle: its beginning was not seen, and segments may come that lie before what was seen first.
    wild: anything goes.
    """

    def __init__(self, rng, family, number, manner):
        self.rng, self.family, self.whole, self.wild = rng, family, manner == "whole", manner == "wild"
        hosts = ("10.0.0.1", "10.0.0.2") if family == IPV4 else ("fd00::1", "fd00::2")
        start = rng.choice([rng.getrandbits(32), 2**32 - rng.randrange(1, 3000)])
        self.ends = (End(hosts[0], 20000 + number, start), End(hosts[1], 7777, rng.getrandbits(32)))
        self.to_come = [(0, SYN), (1, SYN | ACK), (0, ACK)] if self.whole else []

    def frame(self, here, there, seq, ack, flags, window, options, payload):
        body = tcp(here.port, there.port, seq, ack, flags, window, options, payload,
                   urgent=self.rng.randrange(5) if flags & URG else 0)
        return (ipv4 if self.family == IPV4 else ipv6)(here.address, there.address, TCP, body)

    def handshake(self):
        which, flags = self.to_come.pop(0)
        here, there = self.ends[which], self.ends[not which]
        frame = self.frame(here, there, here.next_seq, there.next_seq if flags & ACK else 0, flags, 512,
                           self.options(flags), b"")
        here.next_seq += 1 if flags & SYN else 0
        here.acked = there.next_seq if flags & ACK else None
        return frame

    def options(self, flags):
        rng, out = self.rng, b""
        if flags & SYN:
            if rng.random() < 0.8:
                out += struct.pack(">BBH", 2, 4, rng.choice([536, 1460, 0, 65535]))
            if rng.random() < 0.6:
                out += struct.pack(">BBBB", 1, 3, 3, rng.randrange(15))
            if rng.random() < 0.6:
                out += struct.pack(">BB", 4, 2)
        if rng.random() < 0.3:
            out += struct.pack(">BBBBII", 1, 1, 8, 10, rng.getrandbits(32), rng.getrandbits(32))
        return out

    def selective(self, there):
        rng = self.rng
        count = rng.randint(1, 3)
        out = struct.pack(">BBBB", 1, 1, 5, 2 + 8 * count)
        for _ in range(count):
            left = there.next_seq - rng.randrange(0, 4000)
            out += struct.pack(">II", left & 0xffffffff, left + rng.randrange(1, 1500) & 0xffffffff)
        return out

    def segment(self):
        """One more: mostly what a decent end would send next."""
        if self.to_come:
            return self.handshake()
        rng = self.rng
        here, there = rng.choice([self.ends, self.ends[::-1]])
        flags = ACK
        if rng.random() < 0.10:
            flags = rng.choice([FIN | ACK, RST | ACK, ACK | PSH | URG, ACK | PSH, ACK | PSH] if not self.wild
                               else [SYN, RST, FIN, PSH, 0, SYN | FIN | ACK, SYN | RST, SYN | ACK])
        size = rng.choice([0, 0, 0, 1, 10, 100, 536, 1460])
        seq = self.place(here, size)
        ack = self.acknowledgement(here, there)
        window = rng.choice([0, 0, 1, 64, 512, 512, 512, 512, 1000, 65535])
        options = self.options(flags)
        if flags == ACK and size < 200 and not options and rng.random() < 0.1:
            options = self.selective(there)
        if flags & ACK:
            here.acked = ack
        after = seq + size + (1 if flags & (SYN | FIN) else 0)
        here.next_seq = max(here.next_seq, after if after - here.next_seq < 20000 else 0)
        payload = bytes(rng.getrandbits(8) for _ in range(min(size, 20))) + bytes(max(size - 20, 0))
        return self.frame(here, there, seq, ack, flags, window, options, payload)

    def place(self, here, size):
        rng, seq, drift = self.rng, here.next_seq, self.rng.random()
        if drift < 0.10:
            seq -= rng.choice([1, size, size + 1, 536, 1460, rng.randrange(1, 5000)])
        elif drift < 0.16:
            seq += rng.choice([1, 536, 1460, rng.randrange(1, 5000)])
        elif drift < 0.165 and self.wild:
            seq = rng.getrandbits(32)
        return max(seq, here.start + 1) if self.whole else seq

    def acknowledgement(self, here, there):
        rng, ack, drift = self.rng, there.next_seq, self.rng.random()
        if here.acked is not None and drift < 0.35:
            ack = here.acked
        elif drift < 0.40:
            ack += rng.choice([1, 10, 1460])
        elif drift < 0.45:
            ack -= rng.choice([1, 100, 536, 1460])
        return max(ack, there.start + 1) if self.whole else ack


def talks(seed, count, manner, connections=12, pace=2000000):
    """Segments of several connections that make no sense together."""
    rng = random.Random(seed)
    all_talks = [Talk(rng, rng.choice([IPV4, IPV6]), number, manner) for number in range(connections)]
    frames, time = [], 1700000000 * 10**9
    for _ in range(count):
        time += rng.choice([0, rng.randrange(1000, pace), rng.randrange(1000, 40 * pace)])
        frames.append(Frame(time, rng.choice(all_talks).segment()))
    return frames


def odd_options(rng):
    """Options that are wrong, unusual, or not options at all."""
    kind = rng.randrange(12)
    if kind == 0:
        return bytes(rng.getrandbits(8) for _ in range(rng.randrange(4, 40, 4)))
    if kind == 1:
        return bytes([rng.choice([2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 254]), rng.randrange(0, 44)]) + bytes(10)
    if kind == 2:
        return b"\x00" + b"\x02\x04\x05\xb4"  # after the end
    if kind == 3:
        return b"\x03\x03" + bytes([rng.choice([14, 15, 255])])  # a shift that is too far
    if kind == 4:
        return b"\x05\x22" + bytes(rng.getrandbits(8) for _ in range(32))  # four blocks
    if kind == 5:
        return b"\x02\x04\x05\xb4" * 2  # twice
    if kind == 6:
        return b"\x22\x02" if rng.random() < 0.5 else b"\x22\x0a" + bytes(range(8))  # Fast Open
    if kind == 7:
        return b"\xfe\x0c\xf9\x89" + bytes(range(8))  # as it was while experimental
    if kind == 8:
        return b"\x13\x12" + bytes(16)  # a signature
    if kind == 9:
        return b"\x1c\x04\x80\x05" + b"\x1d\x10\x01\x02" + bytes(12)
    if kind == 10:
        return b"\x01" * rng.randrange(1, 40)
    return b"\x05\x02\x08\x02\x02\x02\x03\x02"  # without their values


def oddities(seed, count):
    """Single frames of every protocol, wrong in every way that headers can be wrong."""
    rng = random.Random(seed)
    frames, time = [], 1700000000 * 10**9
    for number in range(count):
        time += rng.randrange(1000, 10**6)
        frames.append(Frame(time, odd_frame(rng, number)))
    return frames


def specimens():
    """A decent frame of each kind."""
    a, b, c, d = "10.2.0.1", "10.2.0.2", "fd02::1", "fd02::2"
    options = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7])
    segment = tcp(5000, 6000, 77, 99, ACK | PSH, 1000, b"\x01\x01\x08\x0a" + bytes(range(8)), b"some bytes")
    padding = b"\x01\x04" + bytes(4)
    return [
        ipv4(a, b, TCP, tcp(5001, 6000, 77, 0, SYN, 1000, options)),
        ipv6(c, d, TCP, segment),
        ipv6(c, d, TCP, segment, extensions=[(0, padding), (60, padding)]),
        ipv4(a, b, UDP, udp(5002, 6000, b"some bytes")),
        ipv4(a, b, UDP, udp(5003, 6000, b"some bytes"), options=b"\x94\x04\x00\x00"),
        ipv6(c, d, UDP, udp(5004, 6000, b"some bytes")),
        ipv4(a, b, ICMP, bytes([3, 3, 0, 0]) + bytes(4) + ipv4(b, a, TCP, segment)[14:]),
        ipv6(c, d, ICMPV6, bytes([1, 4, 0, 0]) + bytes(4) + ipv6(d, c, UDP, udp(1, 2, b"some bytes"))[14:]),
        ethernet(ARP, struct.pack(">HHBBH6s4s6s4s", 1, IPV4, 6, 4, 1, bytes(6), bytes([10, 2, 0, 1]), bytes(6),
                                  bytes([10, 2, 0, 2]))),
    ]


def odd_frame(rng, number):
    port = 10000 + number % 5000
    payload = bytes(rng.getrandbits(8) for _ in range(rng.randrange(0, 40)))
    segment = tcp(port, 7777, rng.getrandbits(32), rng.getrandbits(32), rng.choice([SYN, ACK, SYN | ACK, 0xfff]),
                  rng.getrandbits(16), b"", payload)
    datagram = udp(port, 7777, payload)
    a, b, c, d = "10.1.0.1", "10.1.0.2", "fd01::1", "fd01::2"
    kind = rng.randrange(16)
    if kind < 4:
        return ipv4(a, b, TCP, tcp(port, 7777, 1, 1, rng.choice([SYN, ACK]), 500, odd_options(rng)[:40], payload))
    if kind == 4:
        return ipv6(c, d, TCP, tcp(port, 7777, 1, 1, SYN, 500, odd_options(rng)[:40], payload))
    if kind == 5:
        return ipv4(a, b, TCP, tcp(port, 7777, 1, 1, ACK, 500, b"", payload, offset=rng.randrange(16)))
    if kind == 6:
        return ipv4(a, b, TCP, segment, total=rng.choice([0, 19, 20, 24, 39, 40, 20 + len(segment) + 7]))
    if kind == 7:
        return ipv4(a, b, UDP, udp(port, 7777, payload, rng.choice([0, 3, 7, 8, 9, len(payload), 1000])))
    if kind == 8:
        body = rng.choice([segment, datagram])
        return ipv4(a, b, TCP if body is segment else UDP, body,
                    fragment=rng.choice([0x2000, 0x4000, 0x2005, 5, 0x1fff, 0x8000]), ident=number & 0xffff)
    if kind == 9:
        return ipv4(a, b, UDP, datagram, options=rng.choice(
            [b"\x01\x01\x01\x00", b"\x07\x07\x04" + bytes(4) + b"\x00", b"\x94\x04\x00\x00", b"\x88\x00\x00\x00"]))
    if kind == 10:
        return odd_extensions(rng, c, d, segment, datagram)
    if kind == 11:
        kind, code = rng.choice([(0, 0), (8, 0), (3, 1), (3, 3), (3, 4), (5, 1), (11, 0), (12, 0), (13, 0), (200, 9)])
        quoted = ipv4(b, a, rng.choice([TCP, UDP]), segment[:rng.choice([8, 20, 28])])[14:]
        rest = struct.pack(">HH", 0, 1400) + (quoted if kind in (3, 5, 11, 12) else payload)
        return ipv4(a, b, ICMP, bytes([kind, code, 0, 0]) + rest)
    if kind == 12:
        kind, code = rng.choice([(128, 0), (129, 0), (1, 4), (2, 0), (3, 0), (4, 1), (133, 0), (135, 0)])
        quoted = ipv6(d, c, rng.choice([TCP, UDP]), segment[:28])[14:]
        rest = struct.pack(">I", 1280) + (quoted if kind < 5 else bytes(16))
        return ipv6(c, d, ICMPV6, bytes([kind, code, 0, 0]) + rest)
    if kind == 13:
        operation = rng.choice([1, 2, 3])
        return ethernet(ARP, struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, bytes(6), bytes([10, 1, 0, 1]),
                                         bytes(6), bytes([10, 1, 0, 2])) + bytes(18))
    if kind == 14:
        return (ipv4(a, b, UDP, datagram) if rng.random() < 0.5 else ipv4(a, b, TCP, segment)) + bytes(9)
    return ipv6(c, d, rng.choice([UDP, 59, 132, 253]), datagram)


def odd_extensions(rng, source, destination, segment, datagram):
    padding = b"\x01\x04" + bytes(4)
    fragment = (44, struct.pack(">HI", rng.choice([0, 1, 0x0010, 0x0011]), rng.getrandbits(32)))
    chain = [(0, padding)] if rng.random() < 0.5 else []
    chain += rng.sample([(60, padding), (43, b"\x02\x00" + bytes(20)), fragment, (60, b"\x01\x0c" + bytes(12))],
                        rng.randint(0, 3))
    body = rng.choice([segment, datagram])
    frame = ipv6(source, destination, TCP if body is segment else UDP, body, extensions=chain)
    at = frame.find(fragment[1])
    if at >= 0 and fragment in chain:  # its second byte is reserved, not a length
        frame = frame[:at - 1] + b"\0" + frame[at:]
    return frame
