-- UDP to a port where nobody is: the kernel answers with ICMP.
--
-- There is no handshake, so the first send always works: the datagram goes off. There is no RST
-- in UDP either; the receiving kernel sends an ICMP "port unreachable" back, with the head of
-- the datagram in it, so that the sender's kernel can tell whose it was. The next call on a
-- connected socket then fails with ECONNREFUSED. (A socket that is not connected never hears of
-- it.) A firewall that stays silent gives no ICMP, and then no error at all.
--
-- RFC 1122 section 4.1.3.3, RFC 792 (destination unreachable, code 3).
lab.title = "Nobody at this UDP port"
lab.about = "A datagram to a closed port: ICMP, and an error one call late."
lab.group = "datagrams"
lab.order = 101

function lab.client()
  local sock = socket.udp()
  sock:connect("127.0.0.1", 9)              -- sends nothing
  print("sent", sock:send("anybody?"), "bytes")
  sock:settimeout(1)
  local ok, problem = pcall(sock.recv, sock)
  print("then", problem)
  sock:close()

  local other = socket.udp()                -- not connected: it is not told
  other:sendto("anybody?", "127.0.0.1", 9)
  other:settimeout(0.1)
  ok, problem = pcall(other.recv, other)
  print("unconnected", problem)
  other:close()
end

function lab.check(trace)
  local unreachable = "* ICMP destination unreachable: port unreachable"
  expect.order(trace, "client UDP len 8", unreachable, "client UDP len 8", unreachable)
  for n = 1, 2 do
    expect.equal(trace:flow(n).client.sent, "anybody?")
    local icmp = trace.packets[2 * n]
    expect.matches(icmp and icmp.payload, "anybody%?$", "the ICMP message quotes the datagram")
  end
  expect.call("client", "recv", "ECONNREFUSED")
  expect.call("client", "recv", "ETIMEDOUT")
  expect.sound(trace)
end
