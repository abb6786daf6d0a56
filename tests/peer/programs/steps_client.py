import socket

# 創建 Socket 並連接伺服器
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', 8080))

# 發送資料
s.send(b'Hello, Server')

# 接收伺服器的回應
data = s.recv(1024)
print('Received:', data.decode())

# 關閉連接
s.close()
