-- One segment is lost, the next arrive: SACK says which.
--
-- The server misses the first segment (it is deaf for a moment: IP_MINTTL, see silence.lua) and
-- hears the next. It cannot acknowledge them, for an ACK means "everything up to here"; so it
-- repeats its last ACK, a duplicate ACK, and adds the blocks that it has: the SACK option. The
-- sender sees that only the first is missing, and sends just that again, without waiting for a
-- time-out: a fast retransmission. Then one ACK covers all five.
--
-- nosack.lua is the same with the option switched off.
--
-- RFC 2018 section 3 and 4, RFC 5681 section 3.2 (fast retransmit), RFC 8985 (RACK).
lab.title = "Selective acknowledgement"
lab.about = "One segment is lost; duplicate ACKs say what arrived."
lab.group = "losses"
lab.order = 94
lab.mtu   = 1500

local deaf, lost = false, false

function lab.server()
  local listener = socket.tcp()
  listener:setoption("SO_RCVBUF", 8000)     -- a window that stays as it is
  listener:bind("127.0.0.1:5000")
  listener:listen()
  lab.ready("127.0.0.1:5000")
  local conn = listener:accept()
  conn:setoption("IP_MINTTL", 255)
  deaf = true
  while not lost do sleep(0.001) end
  conn:setoption("IP_MINTTL", 0)
  lost = false
  local count = 0
  for part in function() return conn:recv() end do count = count + #part end
  print("received", count, "bytes")
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  while not deaf do sleep(0.001) end
  sock:sendall(("1"):rep(1000))             -- the one that gets lost
  lost = true
  while lost do sleep(0.001) end
  sock:sendall(("2"):rep(4 * 1448))
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.truth(flow.sack)
  expect.order(flow, "client PSH ACK len 1000", "...", "server ACK <sack *>", "...",
               "client seq 1 len 1000", "...", "server ACK ack 6793")
  expect.equal(flow.client.sent, ("1"):rep(1000) .. ("2"):rep(4 * 1448))
  expect.sound(trace)
end
