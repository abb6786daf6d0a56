-- One role serves many: select watches all sockets at once.
--
-- A server that waits in recv for alice cannot hear bob. It could use a thread for each client
-- (here: spawn, see chatroom.lua). Or it asks the kernel, "which of these sockets has something
-- for me?", and goes to that one. That is multiplexing, and select is its oldest call: it takes a
-- list of sockets, waits until at least one is ready, and says which.
--
-- A socket is ready to be read when a read would not wait: bytes have come, or the peer has hung
-- up (recv returns nil), or, for the listener, a connection can be accepted. So the listener is
-- just one more socket in the list.
--
-- alice comes first and says nothing for a while: a server that waits for her words would let the
-- others wait too. Follow the server's lane: it is one role, in one loop, answers bob and carol,
-- and hears alice when she speaks at last.
lab.title = "Many clients, one select"
lab.about = "A server without threads hears alice, bob and carol by turns."
lab.group = "sockets"
lab.order = 33
lab.port  = 8080

local GUESTS = 3

function lab.server(listener)
  local open, served = { listener }, 0
  while served < GUESTS do
    for _, sock in ipairs(socket.select(open)) do
      if sock == listener then              -- somebody new
        table.insert(open, (listener:accept()))
      else
        local bytes = sock:recv(1024)
        if bytes then
          sock:sendall("you said " .. bytes)
        else                                -- that one has hung up
          sock:close()
          served = served + 1
          for i, other in ipairs(open) do
            if other == sock then table.remove(open, i) break end
          end
        end
      end
    end
  end
end

local function talk(server, pause, words)
  local sock = socket.connect(server)
  sleep(pause)
  sock:sendall(words)
  print(sock:recv(1024))
  sock:close()
end

function lab.clients.alice(server) talk(server, 0.2, "at last") end
function lab.clients.bob(server)   talk(server, 0, "hi") end
function lab.clients.carol(server) talk(server, 0, "good day") end

function lab.check(trace)
  expect.equal(#trace.flows, GUESTS)
  expect.equal(trace:flow("alice").client.sent, "at last")
  expect.equal(trace:flow("alice").server.sent, "you said at last")
  expect.equal(trace:flow("bob").client.sent, "hi")
  expect.equal(trace:flow("bob").server.sent, "you said hi")
  expect.equal(trace:flow("carol").client.sent, "good day")
  expect.equal(trace:flow("carol").server.sent, "you said good day")
  expect.order(trace, "alice SYN", "...", "bob SYN", "...", "carol SYN", "...",
               "bob FIN ACK", "...", "alice PSH ACK len 7")
  expect.sound(trace)
end
