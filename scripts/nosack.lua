-- The same loss without SACK: the sender has to guess.
--
-- As in sack.lua the first of several segments is lost, but the kernel may not use SACK
-- (tcp_sack 0). The server can only repeat "everything up to here, no more": duplicate ACKs,
-- all alike. After the third a sender should guess that the next segment is lost, and send it
-- again (fast retransmit). Does yours? Linux's loss detection lives on SACK now, and some
-- versions wait for the time-out, 200 ms. Compare the time with sack.lua, where it takes
-- microseconds.
--
-- With several losses in a window it is worse: one round trip for each, even when all goes
-- well.
--
-- RFC 5681 section 3.2, RFC 6582 (NewReno).
lab.title = "Without SACK"
lab.about = "The same loss with SACK switched off: ACKs that name nothing."
lab.group = "losses"
lab.order = 95
lab.mtu   = 1500
lab.kernel.sack = false

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
  expect.equal(flow.sack, false)
  expect.order(flow, "client PSH ACK len 1000", "...", "server ACK ack 1 [duplicate ACK]", "...",
               "client * seq 1 len 1000", "...", "server ACK ack >6792")
  expect.equal(flow.client.sent, ("1"):rep(1000) .. ("2"):rep(4 * 1448))
  expect.sound(trace)
end
