# 服务端代码
import socket

def server():
    server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    host = socket.gethostname()
    port = 12345
    server_socket.bind((host, port))
    server_socket.listen(5)

    print('等待客户端连接...')
    while True:
        client_socket, addr = server_socket.accept()
        print('连接地址:', addr)

        while True:
            message = client_socket.recv(1024).decode('utf-8')
            if not message:
                break
            print(f"客户端消息：{message}")

            # 服务端回复消息
            reply = input('回复客户端：')
            client_socket.send(reply.encode('utf-8'))

        client_socket.close()

if __name__ == '__main__':
    server()
