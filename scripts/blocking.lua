-- Blocking and non-blocking sockets, side by side.
--
-- A socket blocks unless it is told otherwise: recv comes back only when there is something, and
-- everything else in the program waits with it. That is the easiest way to write a client, and it
-- is what alice does here: her recv begins long before the answer is there.
--
-- bob says setblocking(false). Then no call on his socket ever waits. recv with nothing there fails
-- at once with EAGAIN, "try again": not a failure of the connection, just the answer "not now". In
-- the ladder each of his tries is a call of its own, and between them he could do something else.
-- To try for ever would keep the processor busy with nothing, so when he has nothing better to do
-- he asks select to wait until a try is worth it; multiplex.lua makes a server of that.
--
-- connect needs time as well: on a non-blocking socket it may fail with EINPROGRESS while the
-- handshake goes on. So bob connects first and then switches.
--
-- Between the two stands settimeout(2.5): wait, but no longer than that; see errors.lua.
lab.title = "Blocking and non-blocking"
lab.about = "alice waits in one recv; bob hears EAGAIN, and tries again."
lab.group = "sockets"
lab.order = 31
lab.port  = 8080

function lab.server(listener)
  local conns = { (listener:accept()), (listener:accept()) }
  sleep(0.05)                               -- the answer takes a while
  for _, conn in ipairs(conns) do
    conn:sendall("Hello, " .. conn:recv(1024))
    conn:close()
  end
end

function lab.clients.alice(server)
  local sock = socket.connect(server)
  sock:sendall("alice")
  print("received", sock:recv(1024))        -- waits here
  sock:close()
end

function lab.clients.bob(server)
  local sock = socket.connect(server)
  sock:sendall("bob")
  sock:setblocking(false)
  local try = 0
  repeat
    try = try + 1
    local ok, result = pcall(sock.recv, sock, 1024)
    if ok then
      print("try", try, "received", result)
    else
      print("try", try, result.code)        -- EAGAIN
      if try == 2 then socket.select({ sock }) end
    end
  until ok
  sock:close()
end

function lab.check(trace)
  expect.call("alice", "recv", "Hello, alice")
  expect.call("bob", "recv", "EAGAIN")
  expect.call("bob", "recv", "Hello, bob")
  local tries = 0
  for _, call in ipairs(trace.calls) do
    if call.role == "bob" and call.name == "recv" then tries = tries + 1 end
  end
  expect.equal(tries, 3, "bob tries three times")
  for _, name in ipairs { "alice", "bob" } do
    expect.equal(trace:flow(name).client.sent, name)
    expect.equal(trace:flow(name).server.sent, "Hello, " .. name)
  end
  expect.sound(trace)
end
