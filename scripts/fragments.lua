-- A datagram that does not fit: IP cuts it into fragments.
--
-- UDP keeps a datagram in one piece, whatever the link carries. So IP must cut it: 4000 bytes
-- and 8 of UDP's header, at 1480 a fragment, make three. Only the first has the UDP header; the
-- others only say where they belong. The receiving kernel puts them together and hands over one
-- datagram, or, if one fragment is lost, nothing. That is why programs keep datagrams small,
-- and why TCP never lets it come to this (segments.lua).
--
-- IP_MTU_DISCOVER 2 forbids cutting ("don't fragment"): then sendto fails with EMSGSIZE.
--
-- RFC 791 section 3.2 (fragmentation), RFC 8085 section 3.2, ip(7).
lab.title = "Fragments"
lab.about = "A datagram of 4000 bytes through an MTU of 1500."
lab.group = "datagrams"
lab.order = 102
lab.mtu   = 1500

function lab.server()
  local sock = socket.udp()
  sock:bind("127.0.0.1", 5000)
  lab.ready("127.0.0.1", 5000)
  local bytes = sock:recvfrom()
  print("one datagram of", #bytes, "bytes")
  sock:close()
end

function lab.client(server)
  local sock = socket.udp()
  sock:setoption("IP_MTU_DISCOVER", 2)
  local ok, problem = pcall(sock.sendto, sock, ("x"):rep(4000), server)
  print("in one piece:", problem)
  sock:setoption("IP_MTU_DISCOVER", 0)
  print("in pieces:", sock:sendto(("x"):rep(4000), server), "bytes")
  sock:close()
end

function lab.check(trace)
  expect.equal(#trace.packets, 3)
  expect.call("client", "sendto", "EMSGSIZE")
  expect.call("client", "sendto", 4000)
  local bytes = ""
  for _, packet in ipairs(trace.packets) do bytes = bytes .. packet.payload end
  expect.equal(bytes, ("x"):rep(4000), "the bytes of all three")
  expect.sound(trace)
end
