-- Hello, over IPv6.
--
-- AF_INET6 instead of AF_INET, ::1 instead of 127.0.0.1, and a header of 40 bytes instead of 20:
-- that is all that changes. TCP itself is the same, so this ladder is the one of hello.lua.
--
-- An IPv6 address has colons in it, and so has "address:port". Therefore the address stands in
-- brackets when both are written together: [::1]:65432.
--
-- Compare the mss: on this loopback (MTU 65536) a segment has room for 65536 - 40 - 20 = 65476
-- bytes, twenty fewer than with IPv4.
lab.title = "Hello over IPv6"
lab.about = "The same hello to ::1: other addresses, the same TCP."
lab.group = "sockets"
lab.order = 35
lab.host  = "::1"
lab.port  = 65432

function lab.server(listener)
  local conn, peer = listener:accept()
  print("connection from", peer)            -- [::1]:port
  print("received", conn:recv(1024))
  conn:sendall("Hello from the server")
  conn:close()
end

function lab.client(server)
  print("connecting to", server.host, "port", server.port)
  local sock = socket.connect(server)       -- socket.tcp(6), then connect
  sock:sendall("Hello from the client")
  print("received", sock:recv(1024))
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.server.address, "[::1]:65432")
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  expect.equal(flow.client.sent, "Hello from the client")
  expect.equal(flow.server.sent, "Hello from the server")
  expect.sound(trace)
end
