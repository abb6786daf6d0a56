-- Five ways a call fails, each caused for real, and caught.
--
--   ECONNREFUSED  nobody listens there: the other kernel answers the SYN with an RST
--   EADDRINUSE    somebody else has that port: bind asks no one but our own kernel
--   ETIMEDOUT     nothing came in the time we were ready to wait
--   ECONNRESET    the peer has thrown the connection away: an RST came instead of a FIN
--   EPIPE         we write although we know that nobody will read
--
-- The last two are the same event met twice. After the RST the kernel tells the program once:
-- ECONNRESET. Whoever goes on writing after that gets EPIPE, "broken pipe". (In C a signal,
-- SIGPIPE, would end the program as well; Python and handlens switch it off.)
--
-- pcall(f, …) calls f(…) and catches its error: it returns false and the error, which has .call,
-- .code and .message. sock.recv is the function behind sock:recv, so pcall(sock.recv, sock, 1024)
-- is sock:recv(1024), caught. Which errors a program must
-- expect stands in the manual of each call: `man 2 connect`.
lab.title = "What can go wrong"
lab.about = "Refused, in use, timed out, reset, broken pipe: all caught."
lab.group = "sockets"
lab.order = 32
lab.port  = 8080

-- What pcall returned: it must be a failure.
local function caught(ok, problem)
  if ok then error("it did not fail") end
  print(problem.code, "in", problem.call)
end

function lab.server(listener)
  local conn = listener:accept()
  conn:recv(1024)                           -- "answer me", but we do not
  conn:recv(1024)                           -- "too late"
  conn:reset()                              -- RST: the connection is void
end

function lab.client(server)
  local sock = socket.tcp()
  caught(pcall(sock.connect, sock, "127.0.0.1", 9)) -- nobody listens at port 9
  sock:close()

  sock = socket.tcp()
  caught(pcall(sock.bind, sock, server))            -- the server has that port
  sock:close()

  sock = socket.connect(server)
  sock:sendall("answer me")
  sock:settimeout(0.05)
  caught(pcall(sock.recv, sock, 1024))              -- no answer in 50 ms
  sock:sendall("too late")
  sock:settimeout(nil)
  caught(pcall(sock.recv, sock, 1024))              -- now we wait, and the RST comes
  caught(pcall(sock.send, sock, "are you there?"))  -- and nobody will ever read this
  sock:close()
end

function lab.check(trace)
  expect.call("client", "connect", "ECONNREFUSED")
  expect.call("client", "bind", "EADDRINUSE")
  expect.call("client", "recv", "ETIMEDOUT")
  expect.call("client", "recv", "ECONNRESET")
  expect.call("client", "send", "EPIPE")
  expect.order(trace:flow(1), "client SYN", "RST ACK")
  expect.order(trace:flow(2), "client SYN", "...", "server RST ACK")
  expect.equal(trace:flow(2).client.sent, "answer metoo late")
  expect.sound(trace)
end
