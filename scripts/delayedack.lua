-- An ACK can wait for company.
--
-- An answer mostly follows a question within moments, and can carry the ACK for it. So a
-- receiver may hold an ACK back, in Linux for 40 ms, and then either an answer takes it along
-- or it goes alone. It may not hold back forever, nor let more than two full segments go
-- unacknowledged.
--
-- Linux acknowledges at once while a connection is young ("quick ACK"), so TCP_QUICKACK has to
-- switch that off. It is not for good: the kernel goes by what it sees.
--
--   1st question   nothing to say in return: the ACK comes 40 ms later, from the kernel
--   2nd question   the answer carries the ACK
--   3rd question   TCP_QUICKACK: the ACK comes at once, and the answer later
--
-- RFC 9293 section 3.8.6.3, RFC 1122 section 4.2.3.2, RFC 5681 section 4.2; tcp(7).
lab.title = "Delayed ACK"
lab.about = "The ACK that waits, the one in an answer, the one at once."
lab.group = "data"
lab.order = 64
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()
  conn:setoption("TCP_QUICKACK", false)
  conn:sendall("ask")
  conn:recv()
  sleep(0.2)                                -- nothing to answer
  conn:setoption("TCP_QUICKACK", false)
  conn:sendall("next")
  conn:recv()
  conn:sendall("answer")                    -- at once
  conn:setoption("TCP_QUICKACK", true)
  conn:recv()
  conn:sendall("late answer")
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  for _, question in ipairs { "1st", "2nd", "3rd" } do
    sock:recv()
    sock:sendall(question)
  end
  sock:recv()
  sock:close()
end

function lab.check(trace)
  expect.order(trace, "client PSH ACK ack 4 len 3", "server ACK ack 4 len 0")
  expect.order(trace, "client PSH ACK ack 8 len 3", "server PSH ACK ack 7 len 6")
  expect.order(trace, "client PSH ACK ack 14 len 3", "server ACK ack 10 len 0")
  expect.equal(trace:flow(1).client.sent, "1st2nd3rd")
  expect.equal(trace:flow(1).server.sent, "asknextanswerlate answer")
  expect.sound(trace)
end
