-- "Address already in use": the server that closed first leaves a TIME-WAIT behind.
--
-- Who sends the first FIN keeps the connection in TIME-WAIT after the end, a minute on Linux,
-- so that a late packet of it cannot be taken for one of a new connection between the same
-- ports, and so that a lost last ACK can be repeated (lastack.lua). No program owns it, yet it
-- occupies the address: a server that restarts gets EADDRINUSE from bind. SO_REUSEADDR says "I
-- know, let me"; it is safe, since the kernel still tells old packets from new ones. Every
-- server sets it.
--
-- The port that is taken is the server's here, for it closed first; had the client closed
-- first, its own short-lived port would wait, and nobody would notice.
--
-- RFC 9293 section 3.3.2 and 3.6.1, RFC 6191; Stevens, UNIX Network Programming, section 2.7,
-- 7.5.
lab.title = "TIME-WAIT"
lab.about = "A restarted server cannot bind, until it sets SO_REUSEADDR."
lab.group = "endings"
lab.order = 56
lab.port  = 5000

local closed = false

function lab.server(listener)
  local conn = listener:accept()
  conn:close()                              -- the first FIN is ours
  listener:close()                          -- the server ends …


  while not closed do sleep(0.001) end
  local again = socket.tcp()                -- … and begins again
  local ok, problem = pcall(again.bind, again, "127.0.0.1", 5000)
  print("without SO_REUSEADDR:", problem)
  again:setoption("SO_REUSEADDR", true)
  again:bind("127.0.0.1", 5000)
  again:listen()
  print("with it we listen at", again:getsockname())
  again:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:recv()
  sock:close()
  closed = true
end

function lab.check(trace)
  expect.equal(trace:flow(1).closed_by, "server")
  expect.equal(trace:flow(1).server.state, "TIME-WAIT")
  expect.call("server", "bind", "EADDRINUSE")
  expect.call("server", "listen")
  expect.sound(trace)
end
