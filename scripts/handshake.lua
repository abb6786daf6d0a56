-- Three packets before the first byte: what the two ends agree on.
--
-- A SYN says "I begin counting my bytes here": seq is 0 in every view because numbers are shown
-- relative to it; `--as bytes` shows the true one, which is random. The options say what else
-- the sender can do, and only a SYN can carry most of them:
--
--   mss            the most bytes it wants in one segment; the loopback's MTU less 40
--   window scale   its windows are to be multiplied by 2 to the power of this
--   sack           it understands selective acknowledgements
--   timestamps     it will put a clock into every segment
--
-- An option counts only when both SYNs carry it. info() asks the kernel what came out: it says
-- the same as the packets. The first number of a window is not scaled, so it is at most 65535.
--
-- RFC 9293 section 3.5 (figure 6), RFC 7323 section 2 and 3, RFC 2018 section 2.
lab.title = "The handshake"
lab.about = "SYN, SYN ACK, ACK, and the options that both ends must offer."
lab.group = "connections"
lab.order = 41
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()            -- the handshake was over before this returned
  conn:recv()
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)       -- all three packets are in this one call
  local info = sock:info()
  print("the kernel says", info.state)
  print("scaling", info.window_scaling, "sack", info.sack, "timestamps", info.timestamps)
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(trace, "client SYN seq 0", "server SYN ACK seq 0 ack 1", "client ACK seq 1 ack 1")
  expect.matches(flow.client.states, "^CLOSED, SYN%-SENT, ESTABLISHED")
  expect.matches(flow.server.states, "^LISTEN, SYN%-RECEIVED, ESTABLISHED")
  expect.truth(flow.window_scaling)
  expect.truth(flow.sack)
  expect.truth(flow.timestamps)
  expect.equal(flow.client.mss, 65495, "the largest IP packet, 65535 bytes, less 40 of headers")
  expect.sound(trace)
end
