-- A little of HTTP: what a browser says, and what a web server answers.
--
-- An HTTP/1.1 request is a few lines of text, each ended by "\r\n", and an empty line:
--     GET /hello?name=Li HTTP/1.1
--     Host: 127.0.0.1:8088
-- The answer begins the same way, and its body follows the empty line. Content-Length says how
-- long the body is: TCP itself has no notion of where a message ends. So both sides collect what
-- recv brings until they have seen the empty line, however the bytes were cut on the way.
--
-- Serve it, and look at it with your browser or curl:   handlens serve http
--     curl -v http://127.0.0.1:8088/
lab.title = "HTTP"
lab.about = "A web server and its client, small enough to read every byte of both."
lab.group = "servers"
lab.order = 113
lab.port  = 8088

local LONGEST_HEAD = 8192

-- Reads up to and including the empty line. Returns the head and what came behind it.
local function receive_head(sock)
  local got = ""
  while #got < LONGEST_HEAD do
    local _, last = got:find("\r\n\r\n", 1, true)
    if last then return got:sub(1, last), got:sub(last + 1) end
    local part = sock:recv(1024)
    if not part then return nil end           -- hung up in the middle, or before it began
    got = got .. part
  end
end

local function answer(status, body)
  return "HTTP/1.1 " .. status .. "\r\n" ..
         "Content-Type: text/plain; charset=utf-8\r\n" ..
         "Content-Length: " .. #body .. "\r\n" ..
         "Connection: close\r\n\r\n" .. body
end

local function answer_to(head)
  local method, path = head:match("^(%u+) (%S+) HTTP/1%.%d\r\n")
  if not method then return answer("400 Bad Request", "This is not HTTP.\n") end
  if method ~= "GET" then return answer("405 Method Not Allowed", "Only GET is spoken here.\n") end
  if path == "/" then return answer("200 OK", "Hello from handlens.\n") end
  local name = path:match("^/hello%?name=(%w+)$")
  if name then return answer("200 OK", "Hello, " .. name .. ".\n") end
  return answer("404 Not Found", "There is no " .. path .. " here.\n")
end

local function serve(conn, peer)
  conn:settimeout(10)                         -- who says nothing for so long is let go
  local head = receive_head(conn)
  print(peer, head and head:match("^[^\r\n]*") or "sent no request")
  conn:sendall(head and answer_to(head) or answer("400 Bad Request", "No request came.\n"))
end

function lab.server(listener)
  while true do
    local conn, peer = listener:accept()
    spawn(function()
      local ok, problem = pcall(serve, conn, peer)
      if not ok then print(peer, problem) end
      conn:close()
    end)
  end
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("GET /hello?name=Li HTTP/1.1\r\nHost: " .. server .. "\r\n\r\n")
  local head, body = receive_head(sock)
  local length = tonumber(head:match("\r\nContent%-Length: (%d+)\r\n"))
  while #body < length do
    body = body .. sock:recv(1024)
  end
  print(head:match("^[^\r\n]*"))
  print(body)
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.client.sent,
               "GET /hello?name=Li HTTP/1.1\r\nHost: " .. flow.server.address .. "\r\n\r\n")
  expect.equal(flow.server.sent, answer("200 OK", "Hello, Li.\n"))
  expect.sound(trace)
end
