-- Many clients at once, and each must get its own answer.
--
--     handlens run many --clients 1000 --no-capture
--     handlens run many --clients 50 --repeat 20 --as flows
--
-- --clients N starts N clients together, --repeat M has each of them do its work M times. Every
-- client asks the server to add up two numbers of its own, so an answer that went to the wrong
-- client would be noticed. None of the clients waits for the others, and the server, a single
-- task for each connection, never mixes them up: a connection is known by both its addresses.
lab.title = "Many at once"
lab.about = "Any number of clients, each with a question of its own: try --clients 1000."
lab.group = "servers"
lab.order = 112
lab.port  = 7008

local asked = 0                               -- all roles share the script's variables

function lab.reply(message, peer)
  local a, b = message:match("^(%d+) plus (%d+)$")
  return a and string.format("%d", a + b) or "what?"
end

function lab.client(server)
  asked = asked + 1
  local a, b = asked, asked * 1000
  local sock = socket.connect(server)
  sock:sendall(a .. " plus " .. b)
  local answer = sock:recv(1024)
  if answer ~= tostring(a + b) then
    error("asked for " .. a .. " plus " .. b .. ", got " .. tostring(answer))
  end
  sock:close()
end

function lab.check(trace)
  for _, flow in ipairs(trace.flows) do
    local a, b = flow.client.sent:match("^(%d+) plus (%d+)$")
    expect.truth(a, "the question is a sum")
    if a then expect.equal(flow.server.sent, string.format("%d", a + b)) end
  end
  expect.sound(trace)
end
