import socket

# 创建套接字对象
server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# 获取本地主机名和端口号
host = socket.gethostname()
port = 12345

# 绑定地址和端口
server_socket.bind((host, port))

# 开始监听传入连接
server_socket.listen(5)

print('等待客户端连接...')
while True:
    # 建立客户端连接
    client_socket, addr = server_socket.accept()
    print('连接地址:', addr)

    # 向客户端发送消息
    message = '欢迎访问服务器！'
    client_socket.send(message.encode('utf-8'))

    # 关闭连接
    client_socket.close()
