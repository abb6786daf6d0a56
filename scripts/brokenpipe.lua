-- Writing to somebody who has gone: the first write works, the second is EPIPE.
--
-- The server closes. Its FIN only says that it will send nothing more, so the client may still
-- send. The first sendall() succeeds, for to send is to hand bytes to the kernel, and nobody
-- knows yet that they are in vain. But the server's program has no socket any more, so its
-- kernel answers with an RST. Now the client's kernel knows, and the second sendall() fails:
-- EPIPE, "broken pipe". (In C a signal, SIGPIPE, would kill the program first, unless it
-- ignores it.)
--
-- So an error comes one call too late, and a send that worked does not mean that anything
-- arrived.
--
-- RFC 9293 section 3.5.2 and 3.10.7.1; Stevens, UNIX Network Programming, section 5.13.
lab.title = "Broken pipe"
lab.about = "The first write to a closed peer works, the second fails."
lab.group = "endings"
lab.order = 54
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  print("the server says", sock:recv())     -- nil: it has closed its side
  sock:sendall("are you there?")
  local ok, problem = pcall(sock.sendall, sock, "hello?")
  print("second time", problem)
  sock:close()
end

function lab.check(trace)
  expect.order(trace, "server FIN ACK", "...", "client PSH ACK len 14", "server RST")
  expect.never(trace, "client len 6")
  expect.call("client", "sendall", "EPIPE")
  expect.equal(trace:flow(1).client.sent, "are you there?")
  expect.sound(trace)
end
