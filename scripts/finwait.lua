-- FIN-WAIT-2: how long a closed socket waits for the other half.
--
-- After close() no program owns the client's socket any more, but the connection is only half
-- closed: the server may still have something to say. With nobody left to hear it, the kernel
-- waits only for a while for the server's FIN: tcp_fin_timeout, 60 seconds, here 1. Then it
-- forgets the connection. The server knows nothing of that. When it closes at last, its FIN
-- meets nobody, and an RST comes back instead of an ACK.
--
-- This is the kernel's own rule: in the standard FIN-WAIT-2 has no end. With shutdown("write")
-- instead of close() the program still owns the socket, and the kernel waits as long as it does
-- (halfclose.lua).
--
-- RFC 9293 section 3.6 (case 1), RFC 1122 section 4.2.2.13; tcp(7), tcp_fin_timeout.
lab.title = "FIN-WAIT-2"
lab.about = "The server never closes: the client's kernel waits a second."
lab.group = "endings"
lab.order = 55
lab.port  = 5000
lab.kernel.fin_timeout = 1

function lab.server(listener)
  local conn = listener:accept()
  conn:recv()                               -- nil: the client has closed
  sleep(1.3)                                -- and here one should close too
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.order(flow, "client FIN ACK", "server ACK", "server FIN ACK", "client RST")
  expect.matches(flow.client.states, "FIN%-WAIT%-2")
  local fin = flow.server.packets[#flow.server.packets]
  expect.less(1, fin.time - flow.packets[1].time, "a second had passed when the server closed")
  expect.sound(trace)
end
