-- UDP: datagrams, each on its own, and nobody who looks after them.
--
-- The same talk as in steps.lua, with SOCK_DGRAM instead of SOCK_STREAM. Look at what is missing:
-- no listen and no accept, no SYN, no acknowledgement, no FIN. One sendto is one packet, one
-- recvfrom takes one packet, and the server answers whoever wrote.
--
-- Three things that TCP does differently:
--   * Boundaries are kept. Two sendto are two messages, however fast they follow each other.
--     (TCP is a stream: the same two sends may arrive in one recv.)
--   * What does not fit is gone. recvfrom(5) takes five bytes of a datagram and the kernel throws
--     the rest away; the third result tells how long the datagram was.
--   * Nobody promises delivery. sendto succeeds although nobody listens. If the other host's
--     kernel answers at all, it is with an ICMP message, "port unreachable". Only a socket that
--     is connected hears of it: connect sends nothing, it just notes the peer, and the next call
--     on that socket fails with ECONNREFUSED.
lab.title = "Datagrams"
lab.about = "UDP: no handshake, messages kept apart, nothing promised."
lab.group = "sockets"
lab.order = 34

function lab.server()
  local sock = socket.udp()                 -- SOCK_DGRAM
  sock:bind("127.0.0.1", 8080)
  lab.ready("127.0.0.1", 8080)

  local hello, peer = sock:recvfrom(1024)   -- the bytes, and who sent them
  print("received", hello)
  sock:sendto("Hello, Client", peer)

  local first = sock:recvfrom(1024)         -- two messages stay two messages
  print("first:", first)
  local start, _, length = sock:recvfrom(5) -- room for five bytes only
  print("second:", start, "of", length, "bytes")
  sock:close()
end

function lab.client(server)
  local sock = socket.udp()
  sock:sendto("Hello, Server", server)      -- the first datagram chooses our port
  local answer = sock:recvfrom(1024)
  print("received", answer)
  sock:sendto("one", server)
  sock:sendto("two, too long", server)
  sock:close()

  local nobody = socket.udp()
  nobody:connect("127.0.0.1", 9)            -- sends nothing
  print("sent", nobody:send("anybody?"))    -- succeeds: the kernel took the bytes
  local _, problem = pcall(nobody.recv, nobody, 1024)
  print(problem)                            -- what the ICMP message has become
  nobody:close()
end

function lab.check(trace)
  local talk, shout = trace:flow(1), trace:flow(2)
  expect.equal(talk.protocol, "UDP")
  expect.equal(#talk.packets, 4, "four datagrams, and nothing else")
  expect.order(talk, "client UDP len 13", "server UDP len 13", "client UDP len 3", "client UDP len 13")
  expect.equal(talk.client.sent, "Hello, Server" .. "one" .. "two, too long")
  expect.equal(talk.server.sent, "Hello, Client")
  expect.equal(shout.client.sent, "anybody?")
  expect.order(trace, "client UDP len 8", "* ICMP destination unreachable: port unreachable")
  local icmp = trace.packets[6]
  expect.matches(icmp and icmp.payload, "anybody%?$", "the ICMP message quotes the datagram")
  expect.call("client", "send", 8)          -- it did not fail …
  expect.call("client", "recv", "ECONNREFUSED")   -- … but this did
  expect.sound(trace)
end
