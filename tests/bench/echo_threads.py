"""lab.reply's echo as tutorials write it in Python: a thread for each connection.

    python3 echo_threads.py PORT

Says "ready" when it listens; ends by a signal.
"""

import socket
import sys
import threading


def serve(connection):
    with connection:
        try:
            while message := connection.recv(65536):
                connection.sendall(message)
        except ConnectionResetError:
            pass


def main():
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
