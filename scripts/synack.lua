-- Half a connection: the server repeats its SYN ACK.
--
-- The client's SYN arrives, the server's kernel answers, and the client does not hear the
-- answer (it is deaf, IP_MINTTL, see silence.lua). For the server that is a connection in
-- SYN-RECEIVED: it keeps a note of it, and repeats the SYN ACK when a second has passed. Its
-- program notices nothing, accept goes on waiting. A flood of such SYNs fills the notes: that
-- attack made SYN cookies.
--
-- The client repeats its SYN as well, for its own reasons. When it hears again, the connection
-- is made.
--
-- RFC 9293 section 3.5, RFC 4987 (SYN flooding); tcp(7), tcp_synack_retries.
lab.title = "Half a connection"
lab.about = "The SYN ACK is not heard, so the server repeats it."
lab.group = "losses"
lab.order = 92
lab.port  = 5000

local connected = false

function lab.server(listener)
  local conn = listener:accept()
  while not connected do sleep(0.001) end
  conn:sendall("there you are")
  conn:close()
end

function lab.client(server)
  local sock = socket.tcp()
  sock:setoption("IP_MINTTL", 255)          -- deaf
  spawn(function()
    sleep(0.5)
    sock:setoption("IP_MINTTL", 0)
  end)
  sock:connect(server)
  connected = true
  print("received", sock:recv())
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client SYN", "server SYN ACK", "...",
               "server SYN ACK [retransmission]", "...", "client ACK")
  expect.equal(flow.server.sent, "there you are")
  expect.sound(trace)
end
