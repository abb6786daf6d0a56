-- One message each way, as every socket tutorial begins.
--
-- The server waits at 127.0.0.1:65432. The client connects, says hello, reads the answer, and
-- both hang up. Run it, and look at what each line put on the wire: connect() is three packets
-- (the handshake), sendall() one with your bytes and one that acknowledges them, and the two
-- close() calls are the two goodbyes.
--
-- The listener that lab.server gets is made before: a socket, bound to lab.host and lab.port,
-- listening. steps.lua spells those three steps out.
lab.title = "Hello"
lab.about = "A client says hello, the server answers, and both hang up."
lab.group = "first steps"
lab.order = 11
lab.port  = 65432

function lab.server(listener)               -- bound to lab.host, lab.port; already listening
  local conn, peer = listener:accept()
  print("connection from", peer)
  print("received", conn:recv(1024))
  conn:sendall("Hello from the server")
  conn:close()
end

function lab.client(server)                 -- the server's address
  local sock = socket.connect(server)
  sock:sendall("Hello from the client")
  print("received", sock:recv(1024))
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  expect.equal(flow.client.sent, "Hello from the client")
  expect.equal(flow.server.sent, "Hello from the server")
  expect.order(trace, "client SYN", "server SYN ACK", "client ACK", "...", "server FIN ACK")
  expect.sound(trace)
end
