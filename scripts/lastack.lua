-- Why TIME-WAIT exists: the last ACK may be lost.
--
-- The server closes first and is in TIME-WAIT as soon as it has the client's FIN. The ACK it
-- sends for that FIN is the very last packet, and nobody acknowledges an ACK: if it gets lost,
-- only the repeated FIN says so. So somebody must still be there to acknowledge it again. That
-- is TIME-WAIT's task: see the kernel do it when no program is left.
--
-- How we lose a packet: IP_MINTTL 255 makes a socket deaf. It drops what arrives with a time to
-- live below 255, and everything here has 64. (The option is meant for routers, RFC 5082.) With
-- 0 it hears again.
--
-- RFC 9293 section 3.6 and 3.10.7.4 (TIME-WAIT: "a retransmission of the remote FIN").
lab.title = "The last ACK gets lost"
lab.about = "The FIN is repeated, and TIME-WAIT acknowledges it again."
lab.group = "endings"
lab.order = 57
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()
  conn:close()                              -- and with this the server's program has ended
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:recv()                               -- nil: the server's FIN
  sock:setoption("IP_MINTTL", 255)          -- deaf …
  sock:shutdown("write")                    -- … when the ACK of our FIN comes
  print("we are in", sock:info().state)
  sock:setoption("IP_MINTTL", 0)
  sleep(0.3)                                -- the kernel tries again after 200 ms or a little more
  print("we are in", sock:info().state)
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client FIN ACK", "server ACK",
               "client FIN ACK [retransmission]", "server ACK")
  expect.equal(flow.server.state, "TIME-WAIT")
  expect.equal(flow.client.retransmissions, 1)
  expect.sound(trace)
end
