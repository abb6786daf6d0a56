-- More connections than the listener can hold: the kernel lets the SYN fall on the floor.
--
-- The kernel finishes handshakes while the program is busy, and keeps the connections in a
-- queue until accept() takes them out. listen(0) asks for the shortest queue there is; Linux
-- keeps one connection more than it is told. alice fills it. When bob knocks, the queue is
-- full, so his SYN is dropped without a word: an RST would say "nobody there", and somebody is,
-- only busy.
--
-- bob's kernel tries again after a second. By then alice has been accepted, so it works, and
-- bob's program only sees a connect() that took a second. Such seconds are how an overloaded
-- server looks from outside.
--
-- RFC 9293 section 3.9.1.1 (OPEN), listen(2); Stevens, UNIX Network Programming, section 4.5.
lab.title = "A full backlog"
lab.about = "The queue for accept is full: a SYN is dropped, and comes again."
lab.group = "connections"
lab.order = 42

local full, dropped, connected = false, false, false

function lab.server()
  local listener = socket.listen("127.0.0.1:5000", 0)
  lab.ready("127.0.0.1:5000")
  while not dropped do sleep(0.001) end     -- busy with something else
  local first = listener:accept()
  first:sendall("hello, alice")
  first:close()
  while not connected do sleep(0.001) end
  local second = listener:accept()
  second:sendall("hello, bob")
  second:close()
end

function lab.clients.alice(server)
  local sock = socket.connect(server)
  full = true
  print("alice gets", sock:recv())
  sock:close()
end

function lab.clients.bob(server)
  while not full do sleep(0.001) end
  local sock, start = socket.tcp(), now()
  spawn(function() dropped = true end)      -- runs while connect waits
  sock:connect(server)
  connected = true
  print(("bob was connected after %.1f seconds"):format(now() - start))
  print("bob gets", sock:recv())
  sock:close()
end

function lab.check(trace)
  expect.equal(trace:flow("alice").retransmissions, 0)
  expect.order(trace:flow("bob"), "bob SYN", "bob SYN [retransmission]", "server SYN ACK")
  expect.equal(trace:flow("alice").server.sent, "hello, alice")
  expect.equal(trace:flow("bob").server.sent, "hello, bob")
  expect.sound(trace)
end
