-- A segment gets lost, and again, and again: the kernel waits twice as long each time.
--
-- The server goes deaf (IP_MINTTL, see silence.lua) and the client sends. No ACK comes; after
-- the retransmission time-out (RTO) the client's kernel sends the segment again. The RTO is
-- made from the round-trip time and is at least 200 ms on Linux. Each try in vain doubles it,
-- so that a line that is overloaded is not loaded more: look at the times between the
-- retransmissions. (A first, earlier try is a tail loss probe: the kernel's guess that the last
-- segment was lost.)
--
-- Nobody's program notices. When the server hears again, the next repetition arrives.
--
-- RFC 6298 section 2.4 and 5.5, RFC 9293 section 3.8.1, RFC 8985 section 7 (the probe).
lab.title = "Retransmission and back-off"
lab.about = "A lost segment is sent again, with waits that double."
lab.group = "losses"
lab.order = 93
lab.port  = 5000

local deaf = false

function lab.server(listener)
  local conn = listener:accept()
  conn:setoption("IP_MINTTL", 255)
  deaf = true
  sleep(1)
  conn:setoption("IP_MINTTL", 0)
  print("received", conn:recv())
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  while not deaf do sleep(0.001) end
  sock:sendall("can you hear me?")          -- returns at once: the kernel has the bytes
  sock:recv()                               -- nil, when the server has closed
  print("retransmitted", sock:info().retransmits, "times")
  sock:close()
end

function lab.check(trace)
  local tries = {}
  for _, packet in ipairs(trace:flow(1).client.packets) do
    if packet.length == 16 then tries[#tries + 1] = packet.time end
  end
  if expect.less(3, #tries, "the segment was sent more than three times") then
    local wait = tries[#tries] - tries[#tries - 1]
    local before = tries[#tries - 1] - tries[#tries - 2]
    expect.less(1.5 * before, wait, "the last wait was about twice the one before")
  end
  expect.equal(trace:flow(1).client.sent, "can you hear me?")
  expect.sound(trace)
end
