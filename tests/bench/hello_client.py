"""hello's client as tutorials write it. hello_client.py PORT"""

import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    sock.sendall(b"Hello from the client")
    print("received", sock.recv(1024).decode())
