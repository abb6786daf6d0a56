-- The seven steps of a socket program, one by one, nothing made ready.
--
--   1 create   2 bind   3 listen   4 accept   5 connect   6 send and receive   7 close
--
-- In Python this begins with
--     s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
--     s.bind(('127.0.0.1', 8080))
-- and reads the same from there on. Watch which steps put packets on the wire, and which do not:
-- create, bind and listen tell the kernel something and no one else. accept sends nothing either:
-- the handshake is over before it returns, the kernel has done it while the server slept.
--
-- This lab has no lab.port, so the server makes its own listener; lab.ready says where it is, and
-- that the client may begin.
lab.title = "The seven steps"
lab.about = "Create, bind, listen, accept, connect, send and receive, close."
lab.group = "first steps"
lab.order = 12

function lab.server()
  local s = socket.tcp()                    -- 1 create: a TCP socket for IPv4
  s:setoption("SO_REUSEADDR", 1)            -- so that the port can be used again at once
  s:bind("127.0.0.1", 8080)                 -- 2 bind: this address and port are ours
  s:listen(1)                               -- 3 listen: let connections come, one may queue
  lab.ready("127.0.0.1", 8080)
  print("Server listening...")

  local conn, addr = s:accept()             -- 4 accept: the next connection, and who it is
  print("Connected by", addr)

  local data = conn:recv(1024)              -- 6 receive: at most 1024 bytes
  print("Received:", data)
  conn:send("Hello, Client")                -- 6 send

  conn:close()                              -- 7 close: the connection …
  s:close()                                 -- … and the listener
end

function lab.client()
  local s = socket.tcp()                    -- 1 create
  s:connect("127.0.0.1", 8080)              -- 5 connect: SYN, SYN ACK, ACK

  s:send("Hello, Server")                   -- 6 send
  local data = s:recv(1024)                 -- 6 receive
  print("Received:", data)

  s:close()                                 -- 7 close
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  expect.equal(flow.client.sent, "Hello, Server")
  expect.equal(flow.server.sent, "Hello, Client")
  expect.order(trace, "client SYN", "server SYN ACK", "client ACK", "...", "server FIN ACK")
  expect.sound(trace)
end
