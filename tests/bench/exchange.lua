-- One exchange, again and again: connect, a message, an answer as long, and both hang up, the server
-- first. --message gives the length in bytes.
lab.title   = "Exchange"
lab.port    = 65432
lab.message = "21"

local texts = {}

local function text()
  local length = tonumber(lab.message)
  texts[length] = texts[length] or string.rep("x", length)
  return texts[length]
end

local function receive(sock, left)
  while left > 0 do
    left = left - #sock:recv(65536)
  end
end

function lab.server(listener)
  while true do
    local conn = listener:accept()
    receive(conn, #text())
    conn:sendall(text())
    conn:close()
  end
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall(text())
  receive(sock, #text())
  sock:recv(1)
  sock:close()
end
