-- TCP_CORK: fill the segment first, then send it.
--
-- A program often has its answer in pieces: a status line, headers, a body. Each send would be
-- a packet. With the cork in, the kernel keeps what does not fill a segment; pulling it sends
-- the rest. Three sends become one packet. (The kernel pulls a forgotten cork after 200 ms.)
--
-- Compare: without a cork the first piece goes at once, and Nagle (nagle.lua) holds the others
-- only until its ACK comes. TCP_CORK is Linux's; BSD's TCP_NOPUSH is alike. RFC 9293 section
-- 3.7.4 is about when to send small segments; tcp(7).
lab.title = "TCP_CORK"
lab.about = "Three sends, first as three packets, then corked into one."
lab.group = "data"
lab.order = 63
lab.port  = 5000

local function answer(conn)
  conn:sendall("HTTP/1.0 200 OK\r\n")
  conn:sendall("Content-Length: 5\r\n\r\n")
  conn:sendall("hello")
end

function lab.server(listener)
  local conn = listener:accept()
  answer(conn)
  conn:setoption("TCP_CORK", true)
  answer(conn)
  conn:setoption("TCP_CORK", false)         -- this sends it
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  while sock:recv() do end
  sock:close()
end

function lab.check(trace)
  expect.order(trace, "server PSH ACK len 17", "...", "server PSH ACK len 21", "...",
               "server PSH ACK len 5", "client ACK", "server PSH ACK len 43")
  local uncorking
  for _, call in ipairs(trace.calls) do
    if call.arguments == "TCP_CORK, 0" then uncorking = call end
  end
  expect.equal(#uncorking.packets, 2, "packets of pulling the cork: the segment and its ACK")
  expect.equal(trace:flow(1).server.sent,
               ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"):rep(2))
  expect.sound(trace)
end
