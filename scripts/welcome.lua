-- A server that speaks first: whoever connects is welcomed, and dismissed.
--
-- The client sends nothing at all. It connects, and the server's first bytes are already on their
-- way: a connection is open in both directions, and neither end needs to be asked. Protocols such
-- as SMTP and FTP begin like this.
--
-- The welcome is eight Chinese characters, and 24 bytes: TCP carries bytes, and three of them make
-- one of these characters in UTF-8. A Lua string is bytes, too, so nothing needs to be encoded.
--
-- The server accepts for ever. `handlens run` ends when the client has; `handlens serve welcome`
-- ends with Ctrl-C. gethostname() is this machine's name, which stands for an address of it.
lab.title = "Welcome"
lab.about = "The server speaks first, in UTF-8, and closes; the client only listens."
lab.group = "conversations"
lab.order = 21

local PORT = 12345

function lab.server()
  local server_socket = socket.tcp()
  local host = socket.gethostname()           -- this machine's name
  local port = lab.port or PORT               -- lab.port is what --port said, if anything

  server_socket:setoption("SO_REUSEADDR", 1)
  server_socket:bind(host, port)
  server_socket:listen(5)                     -- five may wait to be accepted
  lab.ready(server_socket:getsockname())      -- now clients may begin

  print("等待客户端连接...")
  while true do
    local client_socket, addr = server_socket:accept()
    print("连接地址:", addr)

    client_socket:send("欢迎访问服务器！")    -- nobody asked
    client_socket:close()
  end
end

function lab.client(server)
  local client_socket = socket.tcp()
  client_socket:connect(server or socket.gethostname() .. ":" .. PORT)

  local message = client_socket:recv(1024)
  print(message)

  client_socket:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  expect.equal(flow.client.sent, "")
  expect.equal(flow.server.sent, "欢迎访问服务器！")
  expect.order(trace, "client ACK", "server PSH ACK", "...", "server FIN ACK", "...", "client FIN ACK")
  expect.sound(trace)
end
