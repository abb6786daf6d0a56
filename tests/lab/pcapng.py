"""Captures changed in one place each, for tests that a check notices it."""

import struct

PACKET = 6  # an Enhanced Packet Block


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


def tcp_at(frame):
    """Where the TCP header starts in an Ethernet frame with IPv4."""
    return 14 + (frame[14] & 15) * 4


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
