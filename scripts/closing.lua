-- Both hang up at once: the state CLOSING.
--
-- Each end sends a FIN before it has the other's. Then a FIN arrives where an ACK was expected:
-- FIN-WAIT-1 goes to CLOSING, "we have both said goodbye, I only wait for my ACK", and from
-- there straight to TIME-WAIT.
--
-- On a long line FINs cross by themselves. On the loopback a packet arrives before send
-- returns, so we help: the server is deaf (IP_MINTTL, see lastack.lua) while the client's FIN
-- comes, and so sends its own without knowing. After 200 ms the client's kernel repeats the
-- lost FIN. The states in the margin take no packet for lost; where the kernel knows better,
-- its own word stands below.
--
-- RFC 9293 section 3.6, case 3 and figure 13.
lab.title = "Simultaneous close"
lab.about = "FINs cross, and one end passes through CLOSING."
lab.group = "endings"
lab.order = 59
lab.port  = 5000

local deaf, said = false, false

function lab.server(listener)
  local conn = listener:accept()
  conn:setoption("IP_MINTTL", 255)          -- deaf
  deaf = true
  while not said do sleep(0.001) end
  conn:setoption("IP_MINTTL", 0)
  conn:shutdown("write")                    -- our FIN: the client's never came
  conn:recv()
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  while not deaf do sleep(0.001) end
  sock:shutdown("write")                    -- the lost FIN
  said = true
  sock:recv()                               -- nil: the server's FIN
  print("the kernel says", sock:info().state)
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client FIN ACK", "server FIN ACK", "client ACK",
               "client FIN ACK [retransmission]", "server ACK")
  expect.equal(flow.close, "closed")
  expect.sound(trace)
end
