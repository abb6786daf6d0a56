-- Urgent data: one byte out of the ordinary, and why nobody uses it.
--
-- A terminal program wants its Ctrl-C to be heard before the thousand letters that wait in
-- front of it. For that TCP has the URG flag and the urgent pointer, which says where the
-- urgent data end. The bytes stay in the stream at their place; the pointer runs ahead of them.
-- Sockets make one byte of it, "out of band" (MSG_OOB): the receiver takes it with a recv of
-- its own, past all that waits.
--
-- It never worked well. Standard and systems disagreed whether the pointer points at the last
-- urgent byte or behind it (everybody does the latter now), a second urgent byte overtakes the
-- first, and firewalls clear the flag. New programs are told not to use it; FTP and telnet
-- still do.
--
-- RFC 9293 section 3.8.5.
lab.title = "Urgent data"
lab.about = "One byte with MSG_OOB: URG, and a recv past the queue."
lab.group = "data"
lab.order = 66
lab.port  = 5000

local sent = false

function lab.server(listener)
  local conn = listener:accept()
  while not sent do sleep(0.001) end
  print("urgent:", conn:recv(1, "MSG_OOB"))
  print("in its place:", conn:recv())       -- stops where the urgent byte was
  print("and behind:", conn:recv())
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("a thousand letters")
  sock:send("ab!", "MSG_OOB")               -- the last byte of it is urgent
  sock:sendall("more")
  sent = true
  sock:recv()
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client PSH ACK URG seq 19 len 3 <urgent 3>")
  expect.equal(flow.client.sent, "a thousand lettersab!more", "the urgent byte is in the stream")
  expect.call("server", "recv", "!")
  expect.call("server", "recv", "a thousand lettersab")
  expect.call("server", "recv", "more")
  expect.sound(trace)
end
