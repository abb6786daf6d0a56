import socket

# 创建套接字对象
client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# 获取本地主机名和端口号
host = socket.gethostname()
port = 12345

# 连接服务器
client_socket.connect((host, port))

# 接收消息并打印
message = client_socket.recv(1024)
print(message.decode('utf-8'))

# 关闭连接
client_socket.close()
