import socket

# 設定伺服器的 IP 與端口
HOST = '127.0.0.1'  # 伺服器 IP 地址
PORT = 65432        # 伺服器端口

# 創建 TCP 套接字
client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# 連接到伺服器
client_socket.connect((HOST, PORT))

# 傳送訊息給伺服器
message = "Hello from the client"
client_socket.sendall(message.encode())

# 接收伺服器回應
data = client_socket.recv(1024)
print(f"Received from server: {data.decode()}")

# 關閉與伺服器的連接
client_socket.close()
