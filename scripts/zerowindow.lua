-- "Stop": the receiver's window closes, and opens again.
--
-- Each segment says how much more its sender can take: the window. The server takes connections
-- but does not read, so what comes fills its receive buffer, made small here (SO_RCVBUF); when
-- it is full the window is 0, and the client may send nothing. Then only an ACK with a larger
-- window can set things going, and ACKs can get lost. So the client's kernel asks from time to
-- time, each time later: a window probe. The answer is another ACK with window 0.
--
-- When the server reads, its kernel says so: a window update.
--
-- RFC 9293 section 3.8.6 and 3.8.6.1 (probes).
lab.title = "Zero window"
lab.about = "A server that does not read: window 0, probes, an update."
lab.group = "windows"
lab.order = 82

function lab.server()
  local listener = socket.tcp()
  listener:setoption("SO_RCVBUF", 4000)     -- accepted sockets have it from their listener
  listener:bind("127.0.0.1:5000")
  listener:listen()
  lab.ready("127.0.0.1:5000")
  local conn = listener:accept()
  sleep(1)                                  -- too busy to read
  local count = 0
  while count < 10000 do count = count + #conn:recv() end
  print("received", count, "bytes")
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall(("x"):rep(10000))            -- the kernel takes it all; it goes when it may
  sock:recv()                               -- nil, when the server has everything
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "server ACK win 0 [zero window]", "client ACK [keep-alive]",
               "server ACK win 0 [zero window]", "...", "server ACK win >0 [window update]")
  expect.equal(flow.client.sent, ("x"):rep(10000))
  expect.sound(trace)
end
