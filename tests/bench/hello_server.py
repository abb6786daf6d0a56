"""hello's server as tutorials write it. hello_server.py PORT; says "listening" when it does."""

import socket
import sys

with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen()
    print("listening", flush=True)
    conn, peer = server.accept()
    with conn:
        print("connection from", peer)
        print("received", conn.recv(1024).decode())
        conn.sendall(b"Hello from the server")
