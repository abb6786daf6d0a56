-- A close that throws data away is no goodbye: it is an RST.
--
-- The client closes while bytes that the server sent still wait to be read. A FIN would say "I
-- have had everything", and that would be a lie; so the kernel sends an RST instead: "something
-- is lost here". The server notices at its next call: ECONNRESET, "connection reset by peer".
--
-- The same RST often eats an answer: a server that answers a request and closes without reading
-- the rest of it may take its own answer out of the client's hands.
--
-- RFC 9293 section 3.6.1 (a CLOSE with unread data), RFC 2525 section 2.17.
lab.title = "Closing on unread data"
lab.about = "The client closes before it has read all: an RST."
lab.group = "endings"
lab.order = 52
lab.port  = 5000

local sent, closed = false, false

function lab.server(listener)
  local conn = listener:accept()
  conn:sendall("something to read")
  sent = true
  while not closed do sleep(0.001) end
  local ok, problem = pcall(conn.recv, conn)
  print("received?", ok, problem)
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  while not sent do sleep(0.001) end
  sock:close()                              -- without a recv
  closed = true
end

function lab.check(trace)
  expect.order(trace, "server PSH ACK", "client ACK", "client RST ACK")
  expect.never(trace, "* FIN *")
  expect.equal(trace:flow(1).close, "reset")
  expect.call("server", "recv", "ECONNRESET")
  expect.equal(trace:flow(1).server.sent, "something to read")
  expect.sound(trace)
end
