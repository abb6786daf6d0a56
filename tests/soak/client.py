"""A client of an echo, from outside: connects, says something, hangs up, again and again.

    client.py PORT PAUSE MOST

An exchange is a connection with one to three messages, whose answers must be the same bytes; every
tenth ends by reset. PAUSE seconds lie between two. On SIGTERM, or when there were MOST (0: never), it
prints how many there were and ends; at the first that goes wrong it says what, with status 1.
"""

import random
import signal
import socket
import struct
import sys
import threading

RESET = struct.pack("ii", 1, 0)  # linger, but not for long: close sends RST
PATIENCE = 30


def exchange(port, number, rng):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        for _ in range(rng.randint(1, 3)):
            message = rng.randbytes(rng.choice((1, 64, 1024, 4000)))
            sock.sendall(message)
            answer = b""
            while len(answer) < len(message):
                chunk = sock.recv(65536)
                if not chunk:
                    raise EOFError("the server hung up")
                answer += chunk
            if answer != message:
                raise ValueError("the answer is not the message")
        if number % 10 == 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def main():
    port, pause, most = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    rng, done = random.Random(port), 0
    try:
        while not over.is_set() and (not most or done < most):
            exchange(port, done, rng)
            done += 1
            if pause:
                over.wait(pause)
    except (OSError, EOFError, ValueError) as problem:
        print(f"exchange {done + 1} failed: {problem}", file=sys.stderr)
        return 1
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
