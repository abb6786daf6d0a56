-- TCP is a stream: it keeps the order of bytes, not the borders of messages.
--
-- The client sends three messages, and each travels in a packet of its own; but the server's
-- one recv gets all three, since they had all come by then. Then a message of ten bytes comes
-- as three parts, for the server asked for four bytes at a time. How many recv calls it takes
-- has nothing to do with how many sends there were, nor with packets.
--
-- A program that needs borders draws them itself: a line feed behind each message, or its
-- length in front of it. (UDP keeps them: see datagram.lua.)
--
-- RFC 9293 section 2.2 ("a reliable, in-order, byte-stream service").
lab.title = "No borders in a stream"
lab.about = "Three sends come out of one recv, and one send out of three."
lab.group = "data"
lab.order = 61
lab.port  = 5000

local sent = 0

function lab.server(listener)
  local conn = listener:accept()
  repeat sleep(0.02) until sent == 3        -- and what was sent has come by then
  print("three sends in one recv:", conn:recv(1024))
  conn:sendall("go on")
  while sent < 4 do sleep(0.001) end
  print("one send in three recvs:", conn:recv(4), conn:recv(4), conn:recv(4))
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:setoption("TCP_NODELAY", true)       -- each send at once (see nagle.lua)
  for _, message in ipairs { "red ", "green ", "blue" } do
    sock:sendall(message)
    sent = sent + 1
  end
  print(sock:recv())
  sock:sendall("0123456789")
  sent = sent + 1
  sock:recv()
  sock:close()
end

function lab.check(trace)
  expect.order(trace, "client PSH ACK len 4", "...", "client PSH ACK len 6", "...",
               "client PSH ACK len 4", "...", "client PSH ACK len 10")
  expect.call("server", "recv", "red green blue")
  expect.call("server", "recv", "0123")
  expect.call("server", "recv", "89")
  expect.equal(trace:flow(1).client.sent, "red green blue0123456789")
  expect.equal(trace:flow(1).server.sent, "go on")
  expect.sound(trace)
end
