-- Nobody listens: what "connection refused" looks like on the wire.
--
-- The client sends a SYN to a port that no socket is bound to. There is no program to ask, so the
-- kernel answers by itself: an RST, "there is nothing here". connect() fails at once with
-- ECONNREFUSED. (Silence instead of an RST would mean a firewall or a lost packet; then connect()
-- tries again and again, and ends with ETIMEDOUT much later.)
--
-- A failed call raises an error. pcall catches it: it calls the function and returns false and
-- the error, instead of ending the script. Take the pcall away and see how the lab ends then.
lab.title = "Connection refused"
lab.about = "A client knocks where nobody listens, and the kernel says so."
lab.group = "first steps"
lab.order = 13

local NOBODY = socket.address("127.0.0.1", 9)

function lab.client()
  local ok, problem = pcall(socket.connect, NOBODY)
  print("connected?", ok)
  print("call", problem.call)               -- which call failed
  print("code", problem.code)               -- the errno's name, as C programs know it
  print("message", problem)
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, RST ACK")
  expect.order(trace, "client SYN", "server RST ACK")
  expect.sound(trace)
end
