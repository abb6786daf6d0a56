-- Back-pressure: a slow reader slows the writer down.
--
-- send hands bytes to the kernel, which sends them while the peer's window lets it and keeps
-- the rest in the socket's send buffer. When that is full too, send must wait, or, on a socket
-- that does not block, fails with EAGAIN. So a writer can never be further ahead of its reader
-- than both buffers hold, and needs no code for that. A writer that must not wait (a server
-- with many clients) asks select when it can go on.
--
-- Here both buffers are small. The kernel doubles what it is told, for its own bookkeeping.
--
-- RFC 9293 section 3.8.6, socket(7) SO_SNDBUF; Stevens, UNIX Network Programming, section 16.2.
lab.title = "Back-pressure"
lab.about = "How much fits between a writer and a reader that sleeps?"
lab.group = "windows"
lab.order = 81

local stuck = false

function lab.server()
  local listener = socket.tcp()
  listener:setoption("SO_RCVBUF", 8000)
  listener:bind("127.0.0.1:5000")
  listener:listen()
  lab.ready("127.0.0.1:5000")
  local conn = listener:accept()
  while not stuck do sleep(0.001) end       -- does not read
  local count = 0
  for part in function() return conn:recv(4000) end do count = count + #part end
  print("read", count, "bytes")
  conn:close()
end

function lab.client(server)
  local sock = socket.tcp()
  sock:setoption("SO_SNDBUF", 8000)
  sock:connect(server)
  sock:setblocking(false)
  local block, written = ("x"):rep(4000), 0
  while true do
    local ok, result = pcall(sock.send, sock, block)
    if not ok then
      print("after", written, "bytes:", result)
      break
    end
    written = written + result
  end
  stuck = true
  socket.select({}, { sock })               -- waits until there is room again
  written = written + sock:send(block)
  print("wrote", written, "bytes")
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.call("client", "send", "EAGAIN")
  expect.less(4000, #flow.client.sent, "more than a few blocks fit")
  expect.less(#flow.client.sent, 100000, "the writer is not far ahead")
  expect.order(flow, "server ACK win 0 [zero window]", "...", "server ACK win >0 [window update]")
  expect.matches(flow.client.sent, "^x*$")
  expect.sound(trace)
end
