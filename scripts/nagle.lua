-- Nagle's algorithm: one small segment on its way at a time.
--
-- A program that sends a letter at a time would send 40 bytes of headers with each. So the
-- kernel sends a segment that is not full only when nothing is unacknowledged; else it collects
-- until the ACK comes. The server delays its ACKs by 40 ms here (TCP_QUICKACK off, see
-- delayedack.lua), and so "b", "c" and "d" wait for the ACK of "a" and then travel together.
--
-- Two such algorithms, each waiting for the other, made many programs slow: that is what
-- TCP_NODELAY is for. The second connection has it, and all four go at once.
--
-- RFC 9293 section 3.7.4, RFC 896.
lab.title = "Nagle's algorithm"
lab.about = "Four letters in two packets; with TCP_NODELAY in four."
lab.group = "data"
lab.order = 62
lab.port  = 5000

function lab.server(listener)
  for _ = 1, 2 do
    local conn = listener:accept()
    conn:setoption("TCP_QUICKACK", false)
    conn:sendall("ready")
    local text = ""
    while #text < 4 do text = text .. conn:recv() end
    conn:close()
  end
end

local function talk(server, nodelay)
  local sock = socket.connect(server)
  sock:setoption("TCP_NODELAY", nodelay)
  sock:recv()
  for _, letter in ipairs { "a", "b", "c", "d" } do sock:sendall(letter) end
  sock:recv()                               -- nil
  sock:close()
end

function lab.client(server)
  talk(server, false)
  talk(server, true)
end

local function segments(flow)
  local count = 0
  for _, packet in ipairs(flow.client.packets) do
    if packet.length > 0 then count = count + 1 end
  end
  return count
end

function lab.check(trace)
  expect.order(trace:flow(1), "client PSH ACK len 1", "server ACK", "client PSH ACK len >1")
  expect.less(segments(trace:flow(1)), 4, "with Nagle: fewer segments than letters")
  expect.equal(segments(trace:flow(2)), 4, "with TCP_NODELAY: as many segments as letters")
  for n = 1, 2 do
    expect.equal(trace:flow(n).client.sent, "abcd")
    expect.equal(trace:flow(n).server.sent, "ready")
  end
  expect.sound(trace)
end
