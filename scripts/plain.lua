-- TCP as it was in 1981: no options but the MSS.
--
-- Timestamps, SACK and window scaling came later, and each works only if both SYNs offer it.
-- Switch them off in the kernel, and the SYN carries nothing but an MSS. A connection works
-- without them all the same; that is how old and new machines still talk to each other.
--
-- Timestamps cost twelve bytes in each segment: without them a full segment carries 1460 bytes
-- here, with them 1448 (segments.lua). They measure the round trip, also of what was sent
-- twice, and they tell an old segment from a new one when the sequence numbers have gone all
-- the way around.
--
-- RFC 9293 section 3.2 (the options every TCP knows), RFC 7323 section 3 to 5.
lab.title = "No options"
lab.about = "Timestamps, SACK and scaling switched off: a TCP as in 1981."
lab.group = "segments"
lab.order = 73
lab.port  = 5000
lab.mtu   = 1500
lab.kernel.timestamps     = false
lab.kernel.sack           = false
lab.kernel.window_scaling = false

function lab.server(listener)
  local conn = listener:accept()
  while conn:recv() do end
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  local info = sock:info()
  print("timestamps", info.timestamps, "sack", info.sack, "scaling", info.window_scaling)
  print("at most", info.mss_send, "bytes in a segment")
  sock:sendall(("x"):rep(2000))
  sock:shutdown("write")
  sock:recv()
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.timestamps, false)
  expect.equal(flow.sack, false)
  expect.equal(flow.window_scaling, false)
  expect.equal(flow.client.mss, 1460)
  expect.order(flow, "client ACK seq 1 len 1460", "...", "client * seq 1461 len 540")
  expect.equal(flow.client.sent, ("x"):rep(2000))
  expect.sound(trace)
end
