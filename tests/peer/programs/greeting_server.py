import socket

# 設定伺服器的 IP 與端口
HOST = '127.0.0.1'  # 本地回送地址
PORT = 65432        # 伺服器監聽端口

# 創建 TCP 套接字
server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# 綁定到指定的地址與端口
server_socket.bind((HOST, PORT))

# 開始監聽來自客戶端的連接請求
server_socket.listen(5)
print(f"Server is listening on {HOST}:{PORT}...")

# 等待並接受客戶端的連接
while True:
    client_socket, client_address = server_socket.accept()
    print(f"Connection from {client_address} has been established.")

    # 接收來自客戶端的訊息
    data = client_socket.recv(1024)
    if not data:
        break

    print(f"Received message: {data.decode()}")

    # 回應客戶端
    client_socket.sendall("Hello from the server".encode())

    # 關閉與客戶端的連接
    client_socket.close()

# 關閉伺服器套接字
server_socket.close()
