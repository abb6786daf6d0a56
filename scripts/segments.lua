-- One send, three packets: the MTU cuts a stream into segments.
--
-- A link carries packets of a certain size at most, its MTU: on Ethernet 1500 bytes. Of these
-- IP's header takes 20, TCP's 20, and the timestamps option 12; 1448 are left for bytes. The
-- kernel cuts what send hands it, so 4000 bytes make 1448, 1448 and 1104. PSH stands on the
-- last: "no more for now". The receiver cannot see the cuts.
--
-- The loopback has an MTU of 65536, and network cards cut by themselves, so that captures show
-- segments of 60000 bytes that never were on a wire. lab.mtu = 1500 gives the true picture
-- here.
--
-- RFC 9293 section 3.7 and 3.7.1.
lab.title = "Segments"
lab.about = "An MTU of 1500 cuts 4000 bytes into 1448, 1448 and 1104."
lab.group = "segments"
lab.order = 71
lab.port  = 5000
lab.mtu   = 1500

function lab.server(listener)
  local conn = listener:accept()
  local count = 0
  for part in function() return conn:recv() end do count = count + #part end
  print("received", count, "bytes")
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  print("MTU", sock:getoption("IP_MTU"), "so at most", sock:info().mss_send, "bytes a segment")
  sock:sendall(("x"):rep(4000))
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.client.mss, 1460, "the MSS option: 1500 less 40; timestamps are not counted")
  expect.order(flow, "client ACK seq 1 len 1448", "...", "client * seq 1449 len 1448", "...",
               "client PSH ACK seq 2897 len 1104")
  expect.equal(flow.client.sent, ("x"):rep(4000))
  expect.sound(trace)
end
