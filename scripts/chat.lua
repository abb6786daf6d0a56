-- A chat of two: each types a line, and waits for the other's.
--
-- The client begins. Both programs are loops that take turns: while one waits in input(), the
-- other waits in recv(). A line is sent as it is, without an end mark: this works as long as each
-- line is one recv, which TCP does not promise. (Send a line longer than 1024 bytes and see.)
--
-- Try it in two terminals:      handlens serve chat
--                               handlens connect chat
-- and type. Ctrl-D, the end of input, hangs up. In `handlens run chat` nobody types, so there the
-- lines of lab.answers are taken.
lab.title = "Chat"
lab.about = "Two people type in turn; the end of input hangs up."
lab.group = "conversations"
lab.order = 22
lab.port  = 12345

lab.answers = {
  client = { "你好！", "今天天气怎么样？", "再见！" },
  server = { "你好，欢迎！", "是个晴天。", "再见。" },
}

function lab.server(server_socket)
  print("等待客户端连接...")
  while true do                               -- one guest after the other
    local client_socket, addr = server_socket:accept()
    print("连接地址:", addr)

    while true do
      local message = client_socket:recv(1024)
      if not message then break end           -- the client has hung up
      print("客户端消息：" .. message)

      local reply = input("回复客户端：")
      if not reply then break end             -- nobody types any more: hang up
      client_socket:send(reply)
    end

    client_socket:close()
  end
end

function lab.client(server)
  local client_socket = socket.connect(server)

  while true do
    local message = input("发送消息：")
    if not message then break end
    client_socket:send(message)

    local server_message = client_socket:recv(1024)
    if not server_message then break end      -- the server has hung up
    print("服务端消息：" .. server_message)
  end

  client_socket:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.client.sent, "你好！今天天气怎么样？再见！")
  expect.equal(flow.server.sent, "你好，欢迎！是个晴天。再见。")
  expect.order(trace, "client SYN", "...", "client PSH ACK", "...", "server PSH ACK", "...",
               "client PSH ACK", "...", "server PSH ACK", "...", "client FIN ACK")
  expect.sound(trace)
end
