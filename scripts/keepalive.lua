-- Is anybody still there? Keep-alive asks.
--
-- TCP is silent when nobody speaks: a connection to a machine that has vanished looks like one
-- that is idle. SO_KEEPALIVE makes the kernel ask: after TCP_KEEPIDLE seconds of silence it
-- sends a segment with nothing new in it (its number is one too low), which the peer must
-- answer with an ACK. The defaults are two hours, so programs set their own. After TCP_KEEPCNT
-- probes without answer, TCP_KEEPINTVL seconds apart, the connection is given up: ETIMEDOUT.
--
-- Here the first probe is answered. Then the server goes deaf (IP_MINTTL, see silence.lua).
--
-- RFC 9293 section 3.8.4, RFC 1122 section 4.2.3.6; tcp(7).
lab.title = "Keep-alive"
lab.about = "Probes on an idle connection: answered, then not any more."
lab.group = "losses"
lab.order = 96
lab.port  = 5000

local done = false

function lab.server(listener)
  local conn = listener:accept()
  conn:recv()
  sleep(1.5)
  conn:setoption("IP_MINTTL", 255)          -- gone …
  while not done do sleep(0.01) end
  conn:setoption("IP_MINTTL", 0)            -- … and back, to learn that it is too late
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:setoption("SO_KEEPALIVE", true)
  sock:setoption("TCP_KEEPIDLE", 1)
  sock:setoption("TCP_KEEPINTVL", 1)
  sock:setoption("TCP_KEEPCNT", 1)
  sock:sendall("hello")
  local ok, problem = pcall(sock.recv, sock)
  print("the kernel says:", problem)
  sock:close()
  done = true
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client ACK [keep-alive]", "server ACK [keep-alive ACK]",
               "client ACK [keep-alive]", "client RST ACK", "server FIN ACK", "client RST")
  expect.equal(flow.client.sent, "hello")
  expect.call("client", "recv", "ETIMEDOUT")
  expect.sound(trace)
end
