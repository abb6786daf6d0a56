-- Without the window scale: never more than 65535 bytes on their way.
--
-- The same as scaling.lua, but the kernel may not offer the option (tcp_window_scaling 0), as a
-- TCP from before 1992 would not. The 16 bits of the window are all there is. However large the
-- server's buffer, the client runs into "window full" and must wait for the next ACK: over a
-- line with a round trip of 100 ms that makes 650 kilobytes a second at most, be the line as
-- fast as it may.
--
-- RFC 7323 section 1.1 and 2.
lab.title = "Without window scaling"
lab.about = "The same without the option: no window is above 65535."
lab.group = "windows"
lab.order = 84
lab.kernel.window_scaling = false

local SIZE = 300000

function lab.server()
  local listener = socket.tcp()
  listener:setoption("SO_RCVBUF", 400000)
  listener:bind("127.0.0.1:5000")
  listener:listen()
  lab.ready("127.0.0.1:5000")
  local conn = listener:accept()
  local count = 0
  while count < SIZE do count = count + #conn:recv() end
  conn:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  print("scaling", sock:info().window_scaling)
  sock:sendall(("x"):rep(SIZE))
  print("the server's window is", sock:info().send_window)
  sock:recv()
  sock:close()
end

function lab.check(trace)
  local flow, largest = trace:flow(1), 0
  expect.equal(flow.window_scaling, false)
  for _, packet in ipairs(flow.server.packets) do largest = math.max(largest, packet.window) end
  expect.less(largest, 65536, "no window is above 65535")
  expect.equal(flow.client.sent, ("x"):rep(SIZE))
  expect.sound(trace)
end
