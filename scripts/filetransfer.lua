-- Sending a file: its name, its length, its bytes, and a checksum.
--
-- TCP brings bytes in order and nothing else: not where the file ends, not what it is called. So
-- the client says it first. A header has the name (two bytes of length, then the name) and the
-- file's length (eight bytes); then come the bytes, then their SHA-256 as 64 hexadecimal digits.
-- The server answers with one line: "stored", or what was wrong.
--
-- What makes it a good server is what it does when things go wrong:
--   * Nobody but the server decides where files go. mallory asks for "../../notes.txt"; the server
--     takes a name only, no path. (It could not have left its folder anyway: a lab's files are all
--     below one folder, and file.open refuses a name that leads out of it.)
--   * bob hangs up halfway. The bytes so far went to a file without a name: it would have got its
--     name at out:close(), which never comes. So there is never half a file that looks whole.
--   * The checksum tells what TCP's own 16 bits cannot: that what was stored is what was sent.
--
-- recv returns what is there, which may be less than asked for; exactly() asks again until it has
-- all. A big file is read and written in pieces, so it never has to fit into memory.
--
-- A file of your own, however big, out of the folder DIR:
--     handlens run filetransfer --files DIR --message photo.jpg --as flows
-- and it lies in DIR/received afterwards. Between two machines it is `handlens serve filetransfer
-- --host 0.0.0.0 --files DIR` on the one, `handlens connect filetransfer --host …` on the other.
lab.title = "File transfer"
lab.about = "Name, length, bytes, checksum; half a file is no file."
lab.group = "programs"
lab.order = 122
lab.port  = 8080

local PIECE = 65536
local NOTES = "A file is bytes, a name and a length.\n"

-- Exactly so many bytes, or an error when the peer ends before.
local function exactly(sock, count)
  local parts = {}
  while count > 0 do
    local bytes = sock:recv(count)
    if not bytes then error("the sender hung up " .. count .. " bytes early", 0) end
    table.insert(parts, bytes)
    count = count - #bytes
  end
  return table.concat(parts)
end

local function receive(conn)
  local name = exactly(conn, string.unpack(">I2", exactly(conn, 2)))
  local left = string.unpack(">I8", exactly(conn, 8))
  if name:find("[/\0]") or name == "" or name:sub(1, 1) == "." then
    error("'" .. name .. "' is no name for a file", 0)
  end
  local out <close> = file.open("received/" .. name, "w")   -- not there before out:close()
  local sum = checksum.new()
  while left > 0 do
    local bytes = exactly(conn, math.min(left, PIECE))
    out:write(bytes)
    sum:add(bytes)
    left = left - #bytes
  end
  if exactly(conn, 64) ~= sum:hex() then error("the checksum is wrong", 0) end
  out:close()                                               -- now it is
  return name
end

function lab.server(listener)
  while true do
    local conn = listener:accept()
    local ok, result = pcall(receive, conn)
    print(ok and "stored" or "refused:", result)
    pcall(conn.sendall, conn, ok and "stored\n" or "refused: " .. tostring(result) .. "\n")
    conn:close()
  end
end

local function header(name, length)
  return string.pack(">s2I8", name, length)
end

function lab.clients.alice(server)
  local path = lab.message or "notes.txt"
  if not lab.message then file.write(path, NOTES) end
  local input <close> = file.open(path, "r")
  local sock = socket.connect(server)
  sock:sendall(header(path:match("[^/]*$"), file.size(path)))
  local sum = checksum.new()
  for bytes in function() return input:read(PIECE) end do
    sock:sendall(bytes)
    sum:add(bytes)
  end
  sock:sendall(sum:hex())
  print("the server says", sock:recv())
  sock:close()
end

function lab.clients.bob(server)            -- hangs up halfway
  if lab.message then return end
  local sock = socket.connect(server)
  sock:sendall(header("half.txt", 1000) .. "a beginning")
  sock:shutdown("write")
  print("the server says", sock:recv())
  sock:close()
end

function lab.clients.mallory(server)        -- would like to write elsewhere
  if lab.message then return end
  local sock = socket.connect(server)
  sock:sendall(header("../../notes.txt", #NOTES))
  print("the server says", sock:recv())
  sock:close()
end

function lab.check(trace)
  expect.sound(trace)
  expect.equal(trace:flow("alice").server.sent, "stored\n")
  if lab.message then return end
  expect.equal(trace:flow("alice").client.sent,
               header("notes.txt", #NOTES) .. NOTES .. checksum.sha256(NOTES),
               "alice sends the header, the bytes and their checksum")
  expect.equal(trace:flow("bob").client.sent, header("half.txt", 1000) .. "a beginning")
  expect.equal(trace:flow("bob").server.sent, "refused: the sender hung up 989 bytes early\n")
  expect.equal(trace:flow("mallory").client.sent, header("../../notes.txt", #NOTES))
  expect.equal(trace:flow("mallory").server.sent,
               "refused: '../../notes.txt' is no name for a file\n")
end
