-- Half a goodbye: "I have said everything", and still listening.
--
-- A connection is two streams, one each way, and each ends by itself. shutdown("write") ends
-- ours: it sends a FIN, and the peer's recv returns nil. The other stream stays open. So the
-- client can say "that was all of it" without a length or an end mark, and then read the
-- answer. close() would have ended both: what came after it would be met by an RST (see
-- unread.lua).
--
-- Look at the states: the client that is done waits in FIN-WAIT-2, the server that is not in
-- CLOSE-WAIT, for as long as they like.
--
-- RFC 9293 section 3.6, case 1 and 2.
lab.title = "Half-close"
lab.about = "The client ends its own stream, and goes on reading."
lab.group = "endings"
lab.order = 51
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()
  local count = 0
  for part in function() return conn:recv() end do
    count = count + #part                   -- until the client's FIN: recv returns nil
  end
  conn:sendall("you sent " .. count .. " bytes")
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("one, ")
  sock:sendall("two, three")
  sock:shutdown("write")                    -- the FIN
  print("received", sock:recv())            -- and yet there is something to read
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(trace, "client FIN ACK", "...", "server PSH ACK", "client ACK", "server FIN ACK",
               "client ACK")
  expect.equal(flow.client.sent, "one, two, three")
  expect.equal(flow.server.sent, "you sent 15 bytes")
  expect.matches(flow.client.states, "ESTABLISHED, FIN%-WAIT%-1, FIN%-WAIT%-2, TIME%-WAIT")
  expect.equal(flow.close, "closed")
  expect.sound(trace)
end
