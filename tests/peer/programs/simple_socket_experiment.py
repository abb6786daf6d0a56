"""Python Socket 网络编程实验: what the fifth tutorial describes, written from its description.

    python simple_socket_experiment.py --mode server [--host HOST] [--port PORT]
    python simple_socket_experiment.py --mode client [--host HOST] [--port PORT] [--message TEXT]
"""

import argparse
import socket
import threading


def handle_client(client_socket, client_address):
    """Talks with one client until it closes the connection; runs in a thread of its own."""
    print(f"新的连接来自 {client_address}")
    while True:
        data = client_socket.recv(1024)
        if not data:
            break
        message = data.decode("utf-8")
        print(f"收到来自 {client_address} 的消息: {message}")
        client_socket.sendall(f"服务器已收到: {message}".encode("utf-8"))
    client_socket.close()
    print(f"连接已关闭 {client_address}")


def run_server(host, port):
    server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server_socket.bind((host, port))
    server_socket.listen(5)
    print(f"服务器正在监听 {host}:{port}")
    while True:
        client_socket, client_address = server_socket.accept()
        thread = threading.Thread(target=handle_client, args=(client_socket, client_address))
        thread.daemon = True
        thread.start()


def run_client(host, port, message):
    client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client_socket.connect((host, port))
    if message is not None:
        client_socket.sendall(message.encode("utf-8"))
        print(f"服务器响应: {client_socket.recv(1024).decode('utf-8')}")
    else:
        while True:
            try:
                line = input("请输入消息: ")
            except EOFError:
                break
            client_socket.sendall(line.encode("utf-8"))
            print(f"服务器响应: {client_socket.recv(1024).decode('utf-8')}")
    client_socket.close()


def main():
    parser = argparse.ArgumentParser(description="Python Socket 网络编程实验")
    parser.add_argument("--mode", choices=["server", "client"], required=True)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--message")
    options = parser.parse_args()
    if options.mode == "server":
        run_server(options.host, options.port)
    else:
        run_client(options.host, options.port, options.message)


if __name__ == "__main__":
    main()
