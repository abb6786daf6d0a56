# 客户端代码
import socket

def client():
    client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    host = socket.gethostname()
    port = 12345
    client_socket.connect((host, port))

    while True:
        message = input('发送消息：')
        client_socket.send(message.encode('utf-8'))

        # 接收服务端消息
        server_message = client_socket.recv(1024).decode('utf-8')
        print(f"服务端消息：{server_message}")

    client_socket.close()

if __name__ == '__main__':
    client()
