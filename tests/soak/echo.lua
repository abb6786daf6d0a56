-- What soak.py runs, serves, records and checks: an echo, and a client that says one message. In a
-- run, --message gives the message's bytes.
lab.title   = "Soak"
lab.port    = 65432
lab.message = "200"

local text = string.rep("soak ", math.ceil(tonumber(lab.message) / 5))

function lab.reply(message)
  return message
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall(text)
  local left = #text
  while left > 0 do
    left = left - #sock:recv(65536)
  end
  sock:close()
end

function lab.check(trace)
  local whole = 0
  for _, flow in ipairs(trace.flows) do
    if flow.handshake == "SYN, SYN ACK, ACK" and flow.client.sent == flow.server.sent and
       #flow.client.sent > 0 then
      whole = whole + 1
    end
  end
  expect.equal(whole, #trace.flows, "every flow is a whole exchange")
end
