"""Real traffic of many kinds on a private loopback, captured by tcpdump.

    unshare --user --map-user=1000 --net --keep-caps python3 traffic.py FOLDER

writes FOLDER/loopback.pcap (Ethernet, nanoseconds), cooked.pcap (Linux cooked v2, microseconds) and short.pcap
(96 bytes of each frame), all of the same traffic. Losses are real: a socket filter lets the kernel throw
arriving segments away after they were captured, and what follows is its own recovery.
"""

import array
import contextlib
import ctypes
import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
SO_MEMINFO, MEMINFO_DROPS = 55, 8
MPTCP = 262
MARKER = b"the last packet of this capture"


# -- the place --------------------------------------------------------------------------------------------

def sysctl(name, value):
    pathlib.Path("/proc/sys/net/ipv4", name).write_text(str(value), encoding="ascii")


def set_up_loopback(mtu, offload):
    subprocess.run(["ip", "link", "set", "lo", "mtu", str(mtu), "up"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in (0x1f, 0x24, 0x2c):  # ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO
            value = array.array("B", struct.pack("II", command, offload))
            request = struct.pack("16sP8x", b"lo", value.buffer_info()[0])
            with contextlib.suppress(OSError):
                fcntl.ioctl(sock, 0x8946, request)  # SIOCETHTOOL


class Capture:
    """A tcpdump that runs until stop(), which waits for the marker packet."""

    def __init__(self, path, *options):
        self.path = path
        self.process = subprocess.Popen(["tcpdump", "-n", "-B", "16384", "-U",
                                         "-w", path, *options], stderr=subprocess.PIPE)
        heard = b""
        while b"listening on" not in heard:
            line = self.process.stderr.readline()
            if not line:
                sys.exit(f"tcpdump does not run: {heard.decode()}")
            heard += line

    def stop(self):
        deadline = time.monotonic() + 20
        with open(self.path, "rb") as file:
            kept = b""
            while MARKER[:20] not in kept:
                more = file.read()
                kept = kept[-100:] + more
                if not more:
                    select.select([], [], [], 0.01)
                if time.monotonic() > deadline:
                    sys.exit(f"the marker never came into {self.path}")
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()


# -- sockets ----------------------------------------------------------------------------------------------

def attach_filter(sock, *instructions):
    code = b"".join(struct.pack("HBBI", *each) for each in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HL", len(instructions), ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def lose_some(sock, share):
    """Of the segments that arrive at the socket from now on, this share is lost."""
    attach_filter(sock, (0x20, 0, 0, 0xfffff000 + 56),  # a random number
                  (0x35, 0, 1, int(share * 2**32)), (0x06, 0, 0, 0xffffffff), (0x06, 0, 0, 0))


def lose_flags(sock, flags):
    """Segments with any of these flags are lost."""
    attach_filter(sock, (0x30, 0, 0, 13), (0x45, 1, 0, flags), (0x06, 0, 0, 0xffffffff), (0x06, 0, 0, 0))


def lose_nothing(sock):
    sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def wait_for_losses(sock, count):
    """Until so many segments to it were lost."""
    deadline = time.monotonic() + 30
    while array.array("I", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[MEMINFO_DROPS] < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count} segments were not lost")
        time.sleep(0.005)


LOCAL = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def listener(family=socket.AF_INET, port=0, protocol=0, prepare=None):
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if prepare:
        prepare(sock)
    sock.bind((LOCAL[family], port))
    sock.listen()
    return sock


def pair(family=socket.AF_INET, protocol=0, prepare=None, client_prepare=None):
    """A client and a server, connected."""
    with listener(family, 0, protocol, prepare) as waiting:
        client = socket.socket(family, socket.SOCK_STREAM, protocol)
        if client_prepare:
            client_prepare(client)
        client.connect(waiting.getsockname())
        server, _ = waiting.accept()
    for sock in (client, server):
        sock.settimeout(20)
    return client, server


def receive(sock, count):
    got = b""
    while len(got) < count:
        more = sock.recv(count - len(got))
        if not more:
            break
        got += more
    return got


def pattern(count, seed=7):
    return bytes((i * seed + i // 251) & 0xff for i in range(count))


def talk(client, server, messages=3, size=100):
    for i in range(messages):
        client.sendall(pattern(size + i))
        receive(server, size + i)
        server.sendall(pattern(2 * size, 3))
        receive(client, 2 * size)
    client.close()
    server.close()


def bulk(client, server, count, slow=False):
    data = pattern(count)

    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    got = 0
    while True:
        more = server.recv(2000 if slow else 65536)
        if not more:
            break
        got += len(more)
    thread.join()
    assert got == count
    server.sendall(b"got it")
    server.close()
    receive(client, 100)
    client.close()


def set_option(level, option, value):
    return lambda sock: sock.setsockopt(level, option, value)


# -- the scenes -------------------------------------------------------------------------------------------

def plain():
    for family in (socket.AF_INET, socket.AF_INET6):
        talk(*pair(family))
        talk(*pair(family, client_prepare=set_option(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)), size=3000)


def endings():
    client, server = pair()
    client.sendall(b"and then a reset")
    receive(server, 16)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()

    client, server = pair()  # closed with bytes unread: a reset
    client.sendall(b"nobody reads this")
    server.close()
    client.close()

    client, server = pair()  # half-closed
    client.shutdown(socket.SHUT_WR)
    server.sendall(pattern(500))
    receive(client, 500)
    server.close()
    client.close()

    client, server = pair()  # writing to one who has gone
    server.close()
    with contextlib.suppress(OSError):
        for _ in range(3):
            client.sendall(b"is anybody there")
    client.close()

    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 9), 5)
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("::1", 9), 5)


def urgent():
    client, server = pair()
    client.sendall(b"before")
    client.send(b"now!", socket.MSG_OOB)
    client.sendall(b"after")
    receive(server, 14)
    client.close()
    server.close()


def reused_ports():
    """The same two addresses three times, and once more from the same port to itself."""
    with listener() as waiting:
        port = None
        for _ in range(3):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(("127.0.0.1", port or 0))
            port = client.getsockname()[1]
            client.connect(waiting.getsockname())
            server, _ = waiting.accept()
            client.sendall(b"again")
            receive(server, 5)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            server.close()


def crossing():
    """Two sockets that connect to each other, and one that connects to itself."""
    first, second = socket.socket(), socket.socket()
    for sock in (first, second):
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        lose_flags(sock, 0x04)  # the RST that tells it nobody listens there
    first.connect_ex(second.getsockname())
    second.connect_ex(first.getsockname())
    for sock in (first, second):
        select.select([], [sock], [], 5)
        lose_nothing(sock)
        sock.settimeout(5)
    talk(first, second)

    alone = socket.socket()
    alone.bind(("127.0.0.1", 0))
    alone.connect(alone.getsockname())
    alone.sendall(b"echo")
    receive(alone, 4)
    alone.close()


def fast_open():
    for _ in range(3):
        with listener(prepare=set_option(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)) as waiting:
            client = socket.socket()
            client.sendto(b"with the SYN", socket.MSG_FASTOPEN, waiting.getsockname())
            server, _ = waiting.accept()
            receive(server, 12)
            talk(client, server, 1)


def multipath():
    try:
        talk(*pair(protocol=MPTCP))
    except OSError:
        pass  # not in this kernel


def signed():
    """RFC 2385 signatures."""
    def sign(sock):
        peer = struct.pack("HH4s120x", socket.AF_INET, 0, socket.inet_aton("127.0.0.1"))
        sock.setsockopt(socket.IPPROTO_TCP, 14, peer + struct.pack("BBHi80s", 0, 0, 6, 0, b"secret"))

    try:
        talk(*pair(prepare=sign, client_prepare=sign))
    except OSError:
        pass  # not in this kernel


def zero_window():
    small = set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client, server = pair(prepare=small)
    client.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 1000000:
            sent += client.send(pattern(3000))
    time.sleep(1.1)  # the probes come by the kernel's own timer
    client.settimeout(20)
    receive(server, sent)
    client.close()
    server.close()


def slow_reader():
    bulk(*pair(prepare=set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, 6000)), 60000, slow=True)


def keep_alive():
    client, server = pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    client.sendall(b"here I am")
    receive(server, 9)
    time.sleep(2.3)  # they come by the kernel's own timer
    talk(client, server, 1)


def lost_syn():
    with listener() as waiting:
        lose_flags(waiting, 0x02)
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(waiting.getsockname())
        wait_for_losses(waiting, 1)
        lose_nothing(waiting)
        select.select([], [client], [], 10)
        client.settimeout(10)
        server, _ = waiting.accept()
        server.settimeout(10)
        talk(client, server)


def lossy(family, share_there, share_back, count):
    client, server = pair(family)
    lose_some(server, share_there)
    lose_some(client, share_back)
    bulk(client, server, count)


def lost_end():
    client, server = pair()
    lose_flags(server, 0x09)  # FIN and PSH
    client.sendall(b"comes late")
    client.close()
    wait_for_losses(server, 5)  # three of them sent again by the kernel's own timer
    lose_nothing(server)
    receive(server, 100)
    server.close()


def lost_acks():
    client, server = pair()
    lose_flags(client, 0x10)
    client.sendall(b"heard, and sent again")
    receive(server, 21)
    wait_for_losses(client, 4)  # one for each time it sends again
    lose_nothing(client)
    talk(client, server, 1)


def datagrams():
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
            server.bind((LOCAL[family], 0))
            for size in (0, 1, 100, 1400, 5000):  # the last in fragments
                client.sendto(pattern(size), server.getsockname())
                data, peer = server.recvfrom(9000)
                server.sendto(data[:50], peer)
            client.sendto(b"to nobody", (LOCAL[family], 9))  # an ICMP error comes back
            if family == socket.AF_INET6:
                hop_by_hop = struct.pack("BBBB4x", 0, 0, 1, 4)
                for kind in (socket.IPV6_HOPOPTS, socket.IPV6_DSTOPTS):
                    with contextlib.suppress(OSError):
                        client.sendmsg([b"extended"], [(socket.IPPROTO_IPV6, kind, hop_by_hop)], 0,
                                       server.getsockname())
            else:
                client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xb9)
                client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 3)
                client.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x07\x07\x04\x00\x00\x00\x00\x00")
                client.sendto(b"with a record of its route", server.getsockname())


def pings():
    echo = struct.pack(">BBHHH", 8, 0, 0, 77, 1) + pattern(40)
    total = sum(struct.unpack(f">{len(echo) // 2}H", echo))
    total = (total & 0xffff) + (total >> 16)
    echo = echo[:2] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + echo[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(5)
        sock.sendto(echo, ("127.0.0.1", 0))
        sock.recv(1000)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.settimeout(5)
        sock.sendto(struct.pack(">BBHHH", 128, 0, 0, 77, 1) + pattern(40), ("::1", 0))
        sock.recv(1000)


OPTIONS = ("tcp_timestamps", "tcp_sack", "tcp_window_scaling", "tcp_ecn", "tcp_dsack")

QUICK = (plain, endings, urgent, reused_ports, crossing, fast_open, multipath, signed, datagrams, pings)


def together(*scenes):
    failed = []

    def guarded(scene):
        try:
            scene()
        except Exception as problem:  # told below, in the main thread
            failed.append(f"{getattr(scene, '__name__', scene)}: {problem!r}")

    threads = [threading.Thread(target=guarded, args=(each,)) for each in scenes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit("\n".join(failed))


def perform():
    sysctl("tcp_fastopen", 3)
    plain()  # as the loopback is: huge segments
    bulk(*pair(), 1000000)
    set_up_loopback(1500, 0)
    for scene in QUICK:
        scene()
    for timestamps, sack, scaling, ecn in ((0, 1, 1, 1), (1, 0, 1, 0), (1, 1, 0, 2), (0, 0, 0, 1)):
        for name, value in zip(OPTIONS, (timestamps, sack, scaling, ecn, sack)):
            sysctl(name, value)
        together(plain, slow_reader, *(lambda: lossy(socket.AF_INET, 0.05, 0.05, 60000) for _ in range(3)))
    for name in OPTIONS:
        sysctl(name, 1)
    together(zero_window, keep_alive, lost_syn, lost_end, lost_acks, slow_reader,
             *(lambda: lossy(socket.AF_INET, 0.03, 0.03, 100000) for _ in range(3)),
             *(lambda: lossy(socket.AF_INET6, 0.1, 0, 60000) for _ in range(2)),
             lambda: lossy(socket.AF_INET, 0, 0.3, 60000))


def main(folder):
    set_up_loopback(65536, 1)
    captures = [
        Capture(folder / "loopback.pcap", "-i", "lo", "--time-stamp-precision=nano"),
        Capture(folder / "cooked.pcap", "-i", "any", "-y", "LINUX_SLL2"),
        Capture(folder / "short.pcap", "-i", "lo", "-s", "96"),
    ]
    # Each processor delivers what it sent on its own, so that two of them would be captured out of order.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    perform()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(MARKER, ("127.0.0.1", 9))
    for capture in captures:
        capture.stop()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
