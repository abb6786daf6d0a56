-- TIME-WAIT assassination: how an RST kills a TIME-WAIT before its time.
--
-- The server closed first, so its port is in TIME-WAIT; bind says EADDRINUSE. Now somebody
-- sends a SYN from the very port that the old client had (SO_REUSEADDR lets us take it). No
-- program listens, so the TIME-WAIT answers: with an ACK for the old connection, "I am still at
-- this number". To the new client that ACK is nonsense, and TCP answers nonsense with an RST.
-- The RST has exactly the number the TIME-WAIT expects, and kills it: bind works.
--
-- So TIME-WAIT does not protect from this. Ignoring RSTs would (tcp_rfc1337); Linux does not by
-- default. Compare timewait.lua, where the port is taken in spite of the TIME-WAIT, which lives
-- on.
--
-- In the ladder the TIME-WAIT's answer looks like that of a live connection, and its numbers count
-- from the new SYN: packets do not say who sent them.
--
-- RFC 1337; RFC 9293 section 3.10.7.4.
lab.title = "TIME-WAIT assassination"
lab.about = "A SYN from the old port, an ACK, an RST: TIME-WAIT is dead."
lab.group = "endings"
lab.order = 58
lab.port  = 5000

local closed, killed = false, false

local function try_to_bind(when)
  local sock = socket.tcp()
  local ok, problem = pcall(sock.bind, sock, "127.0.0.1", 5000)
  print(when .. ":", ok and "the port is free" or problem.code)
  sock:close()
end

function lab.server(listener)
  local conn = listener:accept()
  conn:close()
  listener:close()
  while not closed do sleep(0.001) end
  try_to_bind("before")
  closed = false
  while not killed do sleep(0.001) end
  try_to_bind("after")
end

function lab.client(server)
  local old = socket.connect(server)
  local port = old:getsockname()
  old:recv()
  old:close()
  closed = true
  while closed do sleep(0.001) end
  local new = socket.tcp()
  new:setoption("SO_REUSEADDR", true)
  new:bind(port)
  new:setblocking(false)
  pcall(new.connect, new, server)           -- does not wait for the outcome
  new:close()
  killed = true
end

function lab.check(trace)
  expect.order(trace, "server FIN ACK", "...", "client SYN", "server ACK", "client RST")
  expect.call("server", "bind", "EADDRINUSE")
  local binds = {}
  for _, call in ipairs(trace.calls) do
    if call.role == "server" and call.name == "bind" then binds[#binds + 1] = call.code or "ok" end
  end
  expect.equal(binds[#binds], "ok", "the last bind of the server works")
  expect.sound(trace)
end
