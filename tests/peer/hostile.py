"""Peers that mean harm, many of them at once.

    python3 hostile.py KIND PORT COUNT [SOURCE]

says "there" when they are in place, goes on until its standard input ends, and then they all leave as
the kernel has it for a process that exits. SOURCE is the address they come from; else they come from
many, so that their ports do not run out.
"""

import itertools
import resource
import select
import socket
import struct
import sys

REFUSED = (ConnectionError, BlockingIOError, TimeoutError)
IP_BIND_ADDRESS_NO_PORT = 24
BLOCK = bytes(65536)

# What a TLS server may get to hear from who speaks none, or badly.
NONSENSE = [
    b"",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\xff\xff" + b"\x00" * 70000,        # a record longer than any may be
    b"\x16\x03\x01\x00\x20\x01\x00\x00\x1c\x03\x03",  # a Client Hello's beginning
    b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",          # one that says it is 16 MiB long
    b"\x15\x03\x03\x00\x02\x02\x28",                  # an alert before anything else
    b"\x14\x03\x03\x00\x01\x01",                      # Change Cipher Spec, likewise
    b"\x17\x03\x03\x00\x10" + b"?" * 16,              # application data, likewise
    b"\x80\x2e\x01\x00\x02" + b"\x00" * 60,           # SSL 2
    b"\x00" * 100000,
]


class Peers:
    def __init__(self, port, count, source=None):
        self.port, self.count, self.source = port, count, source
        self.made = 0

    def connect(self, buffers=None):
        """A connection, with buffers of so many bytes, or None where there was none to be had."""
        self.made += 1
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if buffers:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        sock.bind((self.source or f"127.{self.made // 100 % 100 + 1}.0.{self.made % 100 + 1}", 0))
        sock.settimeout(20)
        try:
            sock.connect(("127.0.0.1", self.port))
        except REFUSED:
            sock.close()
            return None
        return sock

    def connect_all(self, **options):
        return list(filter(None, (self.connect(**options) for _ in range(self.count))))

    # Each kind is a generator. The peers are in place at its first yield; each yield says how many
    # seconds may pass until it goes on.

    def idle(self):
        """They connect, and that is all."""
        socks = self.connect_all()
        while socks:
            yield 3600

    def talked(self):
        """They ask once, take the answer, and stay."""
        socks = self.connect_all()
        for sock in socks:
            sock.sendall(BLOCK)
        for sock in socks:
            left = len(BLOCK)
            while left > 0:
                left -= len(sock.recv(left))
        while socks:
            yield 3600

    def slow(self):
        """A byte now and then, and never a whole request."""
        socks = self.connect_all()
        for byte in itertools.cycle(b"GET / HTTP/1.1\r\nX: "):
            for sock in socks:
                sock.send(bytes([byte]))
            yield 0.05

    def resets(self):
        """At every moment: when connected, within a message, with the answer on its way, after it."""
        for moment in itertools.cycle(range(4)):
            for _ in range(self.count):
                sock = self.connect()
                if sock is None:
                    continue
                if moment > 0:
                    sock.sendall(b"GET / HT")
                if moment > 1:
                    sock.sendall(b"TP/1.1\r\n\r\n")
                if moment == 3:
                    sock.recv(100)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
            if moment == 3:
                yield 0

    def one_way(self):
        """They have said all that they will say, and never hang up."""
        socks = self.connect_all()
        for number, sock in enumerate(socks):
            if number % 2:
                sock.sendall(b"the end")
            sock.shutdown(socket.SHUT_WR)
        while socks:
            yield 3600

    def flood(self):
        """Connect, close, connect, close …"""
        while True:
            for _ in range(self.count):
                sock = self.connect()
                if sock is not None:
                    sock.close()
            yield 0

    def deaf(self):
        """They ask and ask, and read no answer."""
        socks = self.connect_all(buffers=4096)
        for sock in socks:
            sock.setblocking(False)
        while True:
            for sock in socks:
                try:
                    while sock.send(BLOCK) == len(BLOCK):
                        pass
                except OSError:
                    pass  # it has its fill, or was hung up on
            yield 0.05

    def greedy(self):
        """They send and receive as fast as they can."""
        poll = select.epoll()
        socks = {}
        for sock in self.connect_all():
            sock.setblocking(False)
            socks[sock.fileno()] = sock
            poll.register(sock, select.EPOLLIN | select.EPOLLOUT)
        while True:
            for number, events in poll.poll(1):
                if events & select.EPOLLIN:
                    socks[number].recv(4 * len(BLOCK))
                if events & select.EPOLLOUT:
                    socks[number].send(BLOCK)
            yield 0

    def nonsense(self):
        """Whatever is no TLS; some stay and wait."""
        stays = []
        for round_number in itertools.count():
            for number in range(self.count):
                sock = self.connect()
                if sock is None:
                    continue
                try:
                    sock.sendall(NONSENSE[number % len(NONSENSE)])
                except REFUSED:
                    pass
                if round_number == 0:
                    stays.append(sock)
                else:
                    sock.close()
            yield 0.2  # each costs the server the beginning of a handshake

    def datagrams(self):
        """As many as the kernel takes, of all sizes, from many ports."""
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(self.count)]
        for size in itertools.cycle((0, 1, 100, 1400, 9000, 65507)):
            for sock in socks:
                for _ in range(20):
                    sock.sendto(BLOCK[:size], ("127.0.0.1", self.port))
            yield 0


def main():
    kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rounds = getattr(Peers(port, count, *sys.argv[4:]), kind)()
    pause = next(rounds)
    print("there", flush=True)
    while not select.select([sys.stdin], [], [], pause)[0]:
        pause = next(rounds)


if __name__ == "__main__":
    main()
