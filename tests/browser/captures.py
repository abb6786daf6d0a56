"""Captures for the report's tests, written as classic pcap files: one TCP flow of any length."""

import struct

CLIENT, SERVER = (b"\x0a\x00\x00\x01", 40000), (b"\x0a\x00\x00\x02", 80)
SYN, FIN, ACK, PSH = 2, 1, 16, 8


def frame(source, destination, seq, ack, flags, payload=b"", options=b""):
    tcp = struct.pack("!HHIIBBHHH", source[1], destination[1], seq & 0xffffffff, ack & 0xffffffff,
                      (20 + len(options)) << 2, flags, 64000, 0, 0) + options + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, source[0],
                     destination[0])
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00" + ip + tcp


class Capture:
    def __init__(self):
        self.records = []
        self.time = 1_700_000_000_000_000  # µs

    def add(self, *arguments, after=50, **named):
        self.time += after
        self.records.append((self.time, frame(*arguments, **named)))

    def handshake(self, client=CLIENT, server=SERVER):
        self.add(client, server, 999, 0, SYN, options=b"\x02\x04\x05\xb4")
        self.add(server, client, 4999, 1000, SYN | ACK, options=b"\x02\x04\x05\xb4")
        self.add(client, server, 1000, 5000, ACK)

    def write(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for time, data in self.records:
                out.write(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(data),
                                      len(data)) + data)
        return path


def bulk(path, packets):
    """A download of so many packets; every hundredth segment is lost once and sent again."""
    capture = Capture()
    capture.handshake()
    capture.add(CLIENT, SERVER, 1000, 5000, PSH | ACK, payload=b"GET / HTTP/1.0\r\n\r\n")
    sent, turn = 5000, 0
    while len(capture.records) < packets:
        turn += 1
        data = b"line %06d of what was asked for\n" % turn
        sack = b"\x01\x01\x05\x0a" + struct.pack("!II", sent + len(data), sent + 2 * len(data))
        if turn % 100 == 0:
            first, sent = sent, sent + len(data)
            capture.add(SERVER, CLIENT, first, 1018, ACK, payload=data)
            for _ in range(3):
                capture.add(CLIENT, SERVER, 1018, first, ACK, options=sack)
            capture.add(SERVER, CLIENT, first, 1018, ACK, payload=data, after=200_000)
        else:
            capture.add(SERVER, CLIENT, sent, 1018, PSH | ACK, payload=data)
            sent += len(data)
        capture.add(CLIENT, SERVER, 1018, sent, ACK)
    capture.records = capture.records[:packets]
    return capture.write(path)


def many_flows(path, flows, packets):
    """So many flows, which share so many packets."""
    capture = Capture()
    for number in range(flows):
        client = (CLIENT[0], 20000 + number)
        capture.handshake(client)
        for n in range(packets // flows - 3):
            capture.add(client, SERVER, 1000 + 3 * n, 5000, PSH | ACK, payload=b"abc")
    return capture.write(path)


def saying(path, payload):
    """One flow in which the client says this."""
    capture = Capture()
    capture.handshake()
    capture.add(CLIENT, SERVER, 1000, 5000, PSH | ACK, payload=payload)
    capture.add(SERVER, CLIENT, 5000, 1000 + len(payload), ACK)
    return capture.write(path)
