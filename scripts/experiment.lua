-- A server for many clients at once, and a client that sends one message or takes what you type.
--
--     handlens serve experiment --host localhost --port 8000
--     handlens connect experiment --host localhost --port 8000 --message "你好，服务器！"
--     handlens connect experiment          without a message: type, and end with Ctrl-D
--
-- The server gives every client a task of its own: spawn() does here what starting a thread does
-- in Python. While one task waits for its client, the others go on. So start the server in one
-- terminal, clients in several others, and none of them has to wait for another. In one go:
--     handlens run experiment --clients 5
--
-- What goes wrong with one client must not harm the rest: in Python an exception ends the thread
-- it happens in. Here pcall() keeps an error to the task in which it happens.
lab.title = "Experiment"
lab.about = "One server, many clients at once, a message each or as many as you type."
lab.group = "conversations"
lab.order = 23
lab.host  = "localhost"
lab.port  = 8000

lab.answers = { client = { "你好，服务器！", "How are you?" } }

local function converse(client_socket, client_address)
  print("新的连接来自", client_address)
  while true do
    local data = client_socket:recv(1024)
    if not data then break end                -- the client has closed the connection
    print("收到来自", client_address, "的消息:", data)
    client_socket:sendall("服务器已收到: " .. data)
  end
end

local function handle_client(client_socket, client_address)
  local ok, problem = pcall(converse, client_socket, client_address)
  if not ok then print(client_address, problem) end
  client_socket:close()
  print("连接已关闭", client_address)
end

function lab.server(server_socket)
  print("服务器正在监听", server_socket:getsockname())
  while true do
    local ok, client_socket, client_address = pcall(server_socket.accept, server_socket)
    if ok then
      spawn(handle_client, client_socket, client_address)
    else
      print(client_socket)                    -- the error: too many open files, perhaps
    end
  end
end

function lab.client(server)
  local client_socket = socket.connect(server)

  local function exchange(message)
    client_socket:sendall(message)
    local response = client_socket:recv(1024)
    if response then print("服务器响应:", response) end
    return response
  end

  if lab.message then
    exchange(lab.message)                     -- --message
  else
    for message in input, "请输入消息: " do   -- a line after the other, until there is none
      if message ~= "" and not exchange(message) then break end
    end
  end

  client_socket:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  expect.equal(flow.client.sent, "你好，服务器！How are you?")
  expect.equal(flow.server.sent, "服务器已收到: 你好，服务器！服务器已收到: How are you?")
  expect.sound(trace)
end
