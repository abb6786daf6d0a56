-- Data in the SYN: TCP Fast Open.
--
-- A handshake costs a round trip before the first byte. With Fast Open the SYN may carry data,
-- if the client can show that it has been here before: on the first connection it asks for a
-- cookie, and on the next it shows it. The server's program gets the bytes before the handshake
-- is over. The cookie keeps strangers from making a server work for a forged address.
--
-- TCP_FASTOPEN on the listener: how many such SYNs may wait. TCP_FASTOPEN_CONNECT on the
-- client: connect returns at once, and the first send makes the SYN.
--
-- The bytes may arrive twice if the SYN does, so this is for requests that may be repeated.
--
-- RFC 7413 section 2 to 4; tcp(7), tcp_fastopen.
lab.title = "Fast Open"
lab.about = "The first SYN asks for a cookie; the second carries data."
lab.group = "connections"
lab.order = 44
lab.port  = 5000
lab.kernel.fast_open = 3                    -- both as client and as server

function lab.server(listener)
  listener:setoption("TCP_FASTOPEN", 5)
  for _ = 1, 2 do
    local conn = listener:accept()
    conn:sendall("you said " .. conn:recv())
    conn:close()
  end
end

function lab.client(server)
  for _, word in ipairs { "first", "second" } do
    local sock = socket.tcp()
    sock:setoption("TCP_FASTOPEN_CONNECT", true)
    sock:connect(server)
    sock:sendall(word)                      -- the SYN goes only now
    print(sock:recv())
    sock:recv()
    sock:close()
  end
end

function lab.check(trace)
  expect.order(trace:flow(1), "client SYN len 0 <fast open request>",
               "server SYN ACK <fast open cookie>", "client *")
  expect.order(trace:flow(2), "client SYN len 6 <fast open cookie>", "server SYN ACK ack 7")
  for n, word in ipairs { "first", "second" } do
    expect.equal(trace:flow(n).client.sent, word)
    expect.equal(trace:flow(n).server.sent, "you said " .. word)
  end
  expect.sound(trace)
end
