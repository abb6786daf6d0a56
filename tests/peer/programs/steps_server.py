import socket

# 創建 Socket 並綁定
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(('127.0.0.1', 8080))
s.listen(1)

print('Server listening...')

# 接受客戶端的連接
conn, addr = s.accept()
print('Connected by', addr)

# 接收並回應資料
data = conn.recv(1024)
print('Received:', data.decode())
conn.send(b'Hello, Client')

# 關閉連接
conn.close()
s.close()
