-- The shortest server there is: what you say comes back.
--
-- lab.reply is called with every message and returns the answer. Accepting, receiving, sending and
-- closing are done for it, for any number of clients at once. Compare it with hello.lua, where all
-- of that is written out: the packets are the same.
--
-- To a real client it is as good as any server. Try:  handlens serve echo   and, elsewhere,
--     nc 127.0.0.1 7007
lab.title = "Echo"
lab.about = "The server in three lines: what you say comes back."
lab.group = "servers"
lab.order = 111
lab.port  = 7007

function lab.reply(message)
  return message
end

function lab.client(server)
  local sock = socket.connect(server)
  for _, message in ipairs { "hello", "is there an echo?" } do
    sock:sendall(message)
    print(sock:recv(1024))
  end
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.client.sent, "hellois there an echo?")
  expect.equal(flow.server.sent, flow.client.sent)
  expect.sound(trace)
end
