-- Hanging up with SO_LINGER 0: an RST on purpose.
--
-- SO_LINGER says how long close() may go on delivering what was sent. With 0 it does not
-- deliver at all: what is not sent yet is thrown away, and the peer gets an RST instead of a
-- FIN. There is no TIME-WAIT afterwards. That is why some programs do it; but the peer cannot
-- tell whether it had everything, and TIME-WAIT has its reasons (see timewait.lua and
-- lastack.lua).
--
-- sock:reset() does the same in one call.
--
-- RFC 9293 section 3.9.1 (ABORT), socket(7).
lab.title = "SO_LINGER 0"
lab.about = "close() as an abort: an RST instead of a FIN, and no TIME-WAIT."
lab.group = "endings"
lab.order = 53
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()
  print("received", conn:recv())
  local ok, problem = pcall(conn.recv, conn)
  print("then", problem)
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("I am off")
  sock:setoption("SO_LINGER", 0)
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(trace, "client PSH ACK", "server ACK", "client RST ACK")
  expect.equal(flow.close, "reset")
  expect.matches(flow.client.states, "ESTABLISHED, CLOSED$")
  expect.call("server", "recv", "ECONNRESET")
  expect.equal(flow.client.sent, "I am off")
  expect.sound(trace)
end
