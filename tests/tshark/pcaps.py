"""Capture files as lists of frames: read, altered, and written in every form there is."""

import dataclasses
import struct

ETHERNET, RAW, NULL, LOOP, SLL, SLL2 = 1, 101, 0, 108, 113, 276
IPV4, IPV6 = 0x0800, 0x86dd


@dataclasses.dataclass(frozen=True)
class Frame:
    time: int  # nanoseconds
    data: bytes
    length: int = 0  # on the wire; 0: as many as are here
    link: int = ETHERNET

    def with_data(self, data, link=None):
        """Another frame around the same packet: what was cut off stays cut off."""
        missing = max(self.length - len(self.data), 0)
        return Frame(self.time, data, len(data) + missing, self.link if link is None else link)

    @property
    def wire_length(self):
        return self.length or len(self.data)


# -- classic pcap -----------------------------------------------------------------------------------------

def read_pcap(path):
    """The frames of a classic little-endian pcap file."""
    data = path.read_bytes()
    magic, link = struct.unpack_from("<I16xI", data)
    scale = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[magic]
    frames, at = [], 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        frames.append(Frame(seconds * 10**9 + fraction * scale, data[at + 16:at + 16 + captured], length, link))
        at += 16 + captured
    return frames


def pcap(frames, order="<", nanoseconds=True, snap_length=262144):
    """The bytes of a classic pcap file."""
    magic, scale = (0xa1b23c4d, 1) if nanoseconds else (0xa1b2c3d4, 1000)
    out = [struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, snap_length, frames[0].link)]
    for frame in frames:
        kept = frame.data[:snap_length]
        out.append(struct.pack(order + "IIII", frame.time // 10**9, frame.time % 10**9 // scale, len(kept),
                               frame.wire_length) + kept)
    return b"".join(out)


# -- pcapng -----------------------------------------------------------------------------------------------

def padded(data):
    return data + bytes(-len(data) % 4)


def block(order, kind, body):
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + padded(value)


class Section:
    """One section of a pcapng file in one byte order; interfaces come as they are first needed."""

    def __init__(self, order="<"):
        self.order = order
        self.blocks = [block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))]
        self.interfaces = {}

    def interface(self, link, resolution, offset=0, snap_length=0):
        key = (link, resolution, offset)
        if key not in self.interfaces:
            self.interfaces[key] = len(self.interfaces)
            options = option(self.order, 2, f"if{len(self.interfaces)}".encode())
            if resolution != 6:
                options += option(self.order, 9, bytes([resolution]))
            if offset:
                options += option(self.order, 14, struct.pack(self.order + "q", offset))
            options += struct.pack(self.order + "HH", 0, 0)
            self.blocks.append(block(self.order, 1,
                                     struct.pack(self.order + "HHI", link, 0, snap_length) + options))
        return self.interfaces[key]

    def packet(self, frame, resolution=9, offset=0, comment=b""):
        interface = self.interface(frame.link, resolution, offset)
        units = 2**(resolution & 0x7f) if resolution & 0x80 else 10**resolution
        stamp = (frame.time - offset * 10**9) * units // 10**9
        options = b""
        if comment:
            options = option(self.order, 1, comment) + struct.pack(self.order + "HH", 0, 0)
        self.blocks.append(block(self.order, 6, struct.pack(
            self.order + "IIIII", interface, stamp >> 32, stamp & 0xffffffff, len(frame.data),
            frame.wire_length) + padded(frame.data) + options))

    def other(self, kind, body):
        self.blocks.append(block(self.order, kind, padded(body)))

    def bytes(self):
        return b"".join(self.blocks)


# -- other links around the same packets ------------------------------------------------------------------

def taken_out(frame):
    """The Ethernet type and what follows it."""
    return struct.unpack_from(">H", frame.data, 12)[0], frame.data[14:]


def with_tags(frame, *tags):
    """tags: (Ethernet type, tag control information), the outermost first."""
    inner = b"".join(struct.pack(">HH", *tag) for tag in tags)
    return frame.with_data(frame.data[:12] + inner + frame.data[12:])


def as_cooked(frame):
    kind, packet = taken_out(frame)
    return frame.with_data(struct.pack(">HHH8sH", 0, 772, 6, bytes(8), kind) + packet, SLL)


def as_cooked2(frame):
    kind, packet = taken_out(frame)
    return frame.with_data(struct.pack(">HHIHBB8s", kind, 0, 1, 772, 0, 6, bytes(8)) + packet, SLL2)


def as_raw(frame):
    return frame.with_data(taken_out(frame)[1], RAW)


def as_null(frame, order="<", ipv6_family=30):
    kind, packet = taken_out(frame)
    return frame.with_data(struct.pack(order + "I", 2 if kind == IPV4 else ipv6_family) + packet, NULL)


def as_loop(frame):
    kind, packet = taken_out(frame)
    return frame.with_data(struct.pack(">I", 2 if kind == IPV4 else 24) + packet, LOOP)


# -- what networks do -------------------------------------------------------------------------------------

def without_some(frames, random, share):
    return [frame for frame in frames if random.random() >= share]


def with_doubles(frames, random, share, delay=50000):
    """Some come twice, the second time a moment later."""
    out = []
    for frame in frames:
        out.append(frame)
        if random.random() < share:
            out.append(dataclasses.replace(frame, time=frame.time + random.randrange(delay)))
    return in_order(out)


def reordered(frames, random, share, places=3):
    """Some change places with a later one; the stamps stay in order."""
    data = list(frames)
    for i in range(len(data) - places):
        if random.random() < share:
            other = i + random.randint(1, places)
            data[i], data[other] = data[other], data[i]
    return [dataclasses.replace(frame, time=at.time) for frame, at in zip(data, frames)]


def in_order(frames):
    return sorted(frames, key=lambda frame: frame.time)


def cut(frames, length):
    return [Frame(f.time, f.data[:length], f.wire_length, f.link) for f in frames]


def cut_somewhere(frames, random, share):
    """Some are cut at any length, but not where a part of the fixed TCP header would be left."""
    out = []
    for frame in frames:
        transport = 34 if taken_out(frame)[0] == IPV4 else 54
        length = random.choice([random.randrange(transport + 4), random.randrange(transport + 20, transport + 80)])
        out.append(cut([frame], length)[0] if random.random() < share else frame)
    return out


def damaged(frames, random, share):
    """Some have a few bytes overwritten behind their Ethernet header."""
    out = []
    for frame in frames:
        if random.random() < share:
            data = bytearray(frame.data)
            for _ in range(random.randint(1, 4)):
                data[random.randrange(14, min(len(data), 80))] = random.randrange(256)
            frame = dataclasses.replace(frame, data=bytes(data))
        out.append(frame)
    return out
