-- A chat room: what one says, all others hear.
--
-- The server keeps a list of who is in the room, and has a task for each of them (spawn; in Python
-- that would be a thread). A task reads lines from its own member and sends each to all the others.
-- Joining and leaving are told as well. There is no connection between alice and bob: every word
-- goes to the server and from there to each of the others, one packet each.
--
-- TCP carries a stream, not messages: one recv may bring half a line, or three. So every message
-- ends with "\n", and lines() collects bytes until it has a whole one. Forget this and the room
-- works nearly always, until it is busy.
--
-- TCP_NODELAY switches Nagle's algorithm off, which holds a small segment back while another is not
-- yet acknowledged. Take both lines away, and look how long some words then take.
--
-- A member may vanish without a word (a lost connection, a killed program). Then sendall or recv
-- fails; pcall catches it, and for the room that member has just left.
--
-- With real people: `handlens serve chatroom`, and `nc 127.0.0.1 8080` in some terminals; the first
-- line is the name.
lab.title = "A chat room"
lab.about = "alice, bob and carol join, talk through the server, and leave."
lab.group = "programs"
lab.order = 121
lab.port  = 8080

local LONGEST = 4096                        -- nobody shall fill our memory with one endless line

-- An iterator over the lines that come from a socket.
local function lines(sock)
  local rest = ""
  return function()
    while not rest:find("\n", 1, true) do
      local ok, bytes = pcall(sock.recv, sock, 1024)
      if not ok or not bytes or #rest > LONGEST then return nil end
      rest = rest .. bytes
    end
    local line
    line, rest = rest:match("^([^\r\n]*)\r?\n(.*)$")
    return line or ""
  end
end

local members = {}                          -- { name, conn } of everybody in the room

local function tell(text, but)
  for _, member in ipairs(members) do
    if member ~= but then pcall(member.conn.sendall, member.conn, text .. "\n") end
  end
end

local function serve(conn)
  conn:setoption("TCP_NODELAY", 1)
  local heard = lines(conn)
  local name = heard()
  if name then
    local me = { name = name, conn = conn }
    table.insert(members, me)
    tell(name .. " joined", me)
    for line in heard do tell(name .. ": " .. line, me) end
    for i, member in ipairs(members) do
      if member == me then table.remove(members, i) break end
    end
    tell(name .. " left")
  end
  conn:close()
end

function lab.server(listener)
  while true do
    spawn(serve, (listener:accept()))
  end
end

-- Joins, and returns two functions: one that speaks, one that listens until a text has come.
local function join(server, name)
  local sock = socket.connect(server)
  sock:setoption("TCP_NODELAY", 1)
  local heard = lines(sock)
  local function say(text) sock:sendall(text .. "\n") end
  local function await(text)
    for line in heard do
      print(line)
      if line == text then return end
    end
    error("the room closed before we heard: " .. text)
  end
  say(name)
  return sock, say, await
end

function lab.clients.alice(server)
  local sock, say, await = join(server, "alice")
  await("carol joined")
  say("hello, you two")
  await("carol: hello, both")
  sock:close()
end

function lab.clients.bob(server)
  local sock, say, await = join(server, "bob")
  await("alice: hello, you two")
  say("hello, alice")
  await("alice left")
  sock:close()
end

function lab.clients.carol(server)
  local sock, say, await = join(server, "carol")
  await("bob: hello, alice")
  say("hello, both")
  await("bob left")
  sock:close()
end

function lab.check(trace)
  expect.equal(trace:flow("alice").client.sent, "alice\nhello, you two\n")
  expect.equal(trace:flow("bob").client.sent, "bob\nhello, alice\n")
  expect.equal(trace:flow("carol").client.sent, "carol\nhello, both\n")
  expect.equal(trace:flow("alice").server.sent,
               "bob joined\ncarol joined\nbob: hello, alice\ncarol: hello, both\n")
  expect.equal(trace:flow("bob").server.sent,
               "carol joined\nalice: hello, you two\ncarol: hello, both\nalice left\n")
  expect.equal(trace:flow("carol").server.sent,
               "alice: hello, you two\nbob: hello, alice\nalice left\nbob left\n")
  for _, name in ipairs({ "alice", "bob", "carol" }) do
    expect.equal(trace:flow(name).closed_by, name)
  end
  expect.sound(trace)
end
