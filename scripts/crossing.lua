-- Both connect, nobody accepts: simultaneous open.
--
-- A connection needs no server. When two ends send a SYN to each other, each having bound the
-- port that the other connects to, TCP makes one connection of the two, and both connect()
-- calls succeed. A SYN in SYN-SENT leads to SYN-RECEIVED, which clients otherwise never see.
-- Programs behind address translators meet that way: each SYN opens a door for the other.
--
-- The SYNs must cross. On the loopback a SYN is answered before connect returns; so the first
-- one goes to a listener that is deaf (IP_MINTTL, see lastack.lua) and disappears. Then the
-- listener does too, and its port becomes the second caller's own.
--
-- RFC 9293 section 3.5, figure 7; RFC 5128 section 3.4 (TCP hole punching).
lab.title = "Simultaneous open"
lab.about = "Two ends connect to each other, and nobody listens: it works."
lab.group = "connections"
lab.order = 43

local calling = false
local LEFT, RIGHT = socket.address("127.0.0.1:5001"), socket.address("127.0.0.1:5002")

function lab.server()                       -- on the right, but no server at all
  local deaf = socket.listen(RIGHT)
  deaf:setoption("IP_MINTTL", 255)          -- keeps the port from answering with an RST
  lab.ready(RIGHT)
  while not calling do sleep(0.001) end
  deaf:close()

  local sock = socket.tcp()
  sock:bind(RIGHT)
  sock:connect(LEFT)                        -- which is in SYN-SENT by now
  sock:sendall("hello, you on the left")
  print("received", sock:recv())
  sock:close()
end

function lab.client()
  local sock = socket.tcp()
  sock:bind(LEFT)
  spawn(function() calling = true end)      -- runs while connect waits
  sock:connect(RIGHT)                       -- this SYN goes unheard
  sock:sendall("hello, you on the right")
  print("received", sock:recv())
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client SYN", "server SYN", "client SYN ACK", "server ACK")
  expect.call("server", "connect(127.0.0.1:5001)", "")
  expect.call("client", "connect(127.0.0.1:5002)", "")
  expect.equal(flow.client.sent, "hello, you on the right")
  expect.equal(flow.server.sent, "hello, you on the left")
  expect.sound(trace)
end
