-- Do not wait for the answer before asking the next question.
--
-- The client first asks three questions the polite way: ask, wait, ask. Then it asks three at
-- once and reads the three answers. The server is the same both times: since TCP keeps the
-- order, the answers need no numbers, only borders, here line feeds. Here it saves two waits;
-- over a line of 100 ms it would save 200 ms. HTTP/1.1, Redis and SMTP allow it.
--
-- RFC 9112 section 9.3.2 (pipelining in HTTP), RFC 2920 (in SMTP).
lab.title = "Pipelining"
lab.about = "Three questions one by one, then all at once."
lab.group = "data"
lab.order = 65
lab.port  = 5000

function lab.server(listener)
  local conn = listener:accept()
  local text = ""
  for part in function() return conn:recv() end do
    text = text .. part
    local answers = {}
    text = text:gsub("(%d+)\n", function(n)
      answers[#answers + 1] = n * n .. "\n"
      return ""
    end)
    if #answers > 0 then conn:sendall(table.concat(answers)) end
  end
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  for n = 1, 3 do                           -- three round trips
    sock:sendall(n .. "\n")
    print(n, "squared is", sock:recv())
  end
  sock:sendall("4\n5\n6\n")                 -- one
  local text = ""
  while #text < 9 do text = text .. sock:recv() end
  print("4, 5 and 6 squared are", (text:gsub("\n", " ")))
  sock:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.client.sent, "1\n2\n3\n4\n5\n6\n")
  expect.equal(flow.server.sent, "1\n4\n9\n16\n25\n36\n")
  expect.order(flow, "client PSH ACK len 2", "...", "server PSH ACK len 2", "...",
               "client PSH ACK len 2", "...", "server PSH ACK len 2")
  expect.order(flow, "client PSH ACK len 6", "...", "server PSH ACK len 9")
  expect.sound(trace)
end
