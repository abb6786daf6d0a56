-- "Please, no large segments": the MSS that the other end asks for.
--
-- The MSS option in a SYN is no agreement: each end says what it wants to receive, and the
-- other keeps to it. TCP_MAXSEG makes the server ask for 536 bytes, the size that every IPv4
-- host must be able to take, and the client's kernel cuts accordingly, though its line carries
-- 1500. (The timestamps option takes 12 of each: 524 are left.)
--
-- Routers rewrite this option ("MSS clamping") in front of lines with a small MTU, when they do
-- not trust path MTU discovery.
--
-- RFC 9293 section 3.7.1.
lab.title = "Maximum segment size"
lab.about = "A server asks for 536 bytes a segment, and the client obeys."
lab.group = "segments"
lab.order = 72
lab.mtu   = 1500

function lab.server()
  local listener = socket.tcp()
  listener:setoption("TCP_MAXSEG", 536)
  listener:bind("127.0.0.1:5000")
  listener:listen()
  lab.ready("127.0.0.1:5000")
  local conn = listener:accept()
  while conn:recv() do end
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  print("at most", sock:info().mss_send, "bytes a segment")
  sock:sendall(("x"):rep(1500))
  sock:close()
end

function lab.check(trace)
  local flow, largest = trace:flow(1), 0
  expect.equal(flow.server.mss, 536)
  expect.equal(flow.client.mss, 1460)
  for _, packet in ipairs(flow.client.packets) do largest = math.max(largest, packet.length) end
  expect.equal(largest, 524, "the client's largest segment: 536 less the timestamps")
  expect.equal(flow.client.sent, ("x"):rep(1500))
  expect.sound(trace)
end
