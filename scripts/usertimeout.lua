-- How long may data stay unacknowledged? TCP_USER_TIMEOUT.
--
-- When the peer vanishes while data are on their way, the kernel repeats them some fifteen
-- times, which takes a quarter of an hour (backoff.lua shows how it begins). A program that
-- cannot wait so long says how many milliseconds it will: then the connection is given up, and
-- the call that waits fails with ETIMEDOUT. send never waits for ACKs, so it is the recv that
-- hears of it. (The kernel looks at its clock when it would repeat the segment, so it is a
-- little late.) Nothing tells the server: its goodbye meets an RST.
--
-- The server is deaf (IP_MINTTL, see silence.lua).
--
-- RFC 5482, RFC 9293 section 3.8.3 (R1 and R2); tcp(7).
lab.title = "TCP_USER_TIMEOUT"
lab.about = "Nobody acknowledges: the sender gives up after a while."
lab.group = "losses"
lab.order = 97
lab.port  = 5000

local deaf, done = false, false

function lab.server(listener)
  local conn = listener:accept()
  conn:setoption("IP_MINTTL", 255)
  deaf = true
  while not done do sleep(0.01) end
  conn:setoption("IP_MINTTL", 0)
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  while not deaf do sleep(0.001) end
  sock:setoption("TCP_USER_TIMEOUT", 500)   -- milliseconds
  sock:sendall("can you hear me?")
  local start = now()
  local ok, problem = pcall(sock.recv, sock)
  print(("given up after %.1f seconds:"):format(now() - start), problem)
  sock:close()
  done = true
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.less(0, flow.client.retransmissions, "the segment was repeated")
  expect.never(flow, "server ACK ack 17")
  expect.order(flow, "server FIN ACK", "client RST")
  expect.call("client", "recv", "ETIMEDOUT")
  expect.sound(trace)
end
