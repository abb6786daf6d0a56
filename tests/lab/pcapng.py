"""Captures changed in one place each, for tests that a check notices it."""

import collections
import struct

PACKET = 6  # an Enhanced Packet Block
ICMP, TCP, UDP = 1, 6, 17

Layers = collections.namedtuple("Layers", "protocol transport payload end")


def blocks(data):
    """The blocks of a little-endian pcapng file, as (type, bytes)."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        found.append((kind, data[at:at + length]))
        at += length
    return found


def rewrite(source, target, change):
    """Copies the file; change(number, frame) of each packet returns its new bytes, of the same
    length, or None to leave the packet out."""
    number, out = 0, b""
    for kind, block in blocks(source.read_bytes()):
        if kind == PACKET:
            number += 1
            captured, = struct.unpack_from("<I", block, 20)
            frame = change(number, bytearray(block[28:28 + captured]))
            if frame is None:
                continue
            block = block[:28] + bytes(frame) + block[28 + captured:]
        out += block
    target.write_bytes(out)
    return target


def frames(source):
    """The bytes of each packet."""
    for kind, block in blocks(source.read_bytes()):
        if kind == PACKET:
            captured, = struct.unpack_from("<I", block, 20)
            yield block[28:28 + captured]


def layers(frame):
    """Of an Ethernet frame: the protocol in the IP packet, where its header starts, where the payload
    does, and where the packet ends. An ICMP error's payload are the bytes that it quotes of a datagram's
    own; a fragment but the first is all payload."""
    if frame[12:14] == b"\x86\xdd":
        protocol, transport, later = frame[20], 54, False
        end = transport + int.from_bytes(frame[18:20], "big")
    else:
        protocol, transport = frame[23], 14 + (frame[14] & 15) * 4
        later = int.from_bytes(frame[20:22], "big") & 0x1fff != 0
        end = 14 + int.from_bytes(frame[16:18], "big")
    lengths = {TCP: lambda: (frame[transport + 12] >> 4) * 4, UDP: lambda: 8, ICMP: lambda: 8 + 20 + 8}
    header = 0 if later else lengths.get(protocol, lambda: 0)()
    return Layers(protocol, transport, transport + header, end)


def tcp_at(frame):
    """Where the TCP header starts."""
    return layers(frame).transport


def packets_only(source, target):
    """The capture as another program would have made it: without calls, causes and comments."""
    out = b""
    for kind, block in blocks(source.read_bytes()):
        if kind & 0x80000000:
            continue
        if kind == PACKET:
            captured, = struct.unpack_from("<I", block, 20)
            body = block[8:28] + block[28:28 + (captured + 3) // 4 * 4]
            length = len(body) + 12
            block = struct.pack("<II", kind, length) + body + struct.pack("<I", length)
        out += block
    target.write_bytes(out)
    return target
