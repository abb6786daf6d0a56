-- Windows above 64 KiB: the scale.
--
-- The window's field has 16 bits: at most 65535 bytes on their way at a time, which is little
-- over a long or fast line. The window scale option in both SYNs says by how many bits each
-- end's windows are shifted. The SYNs' own windows are never scaled. Views show windows scaled;
-- `--as bytes` shows the 16 bits as well.
--
-- The server's receive buffer is large, and it does not read until all has come. Watch the
-- window in its ACKs grow beyond 65535: the kernel opens it as it sees that the data keep
-- coming. noscaling.lua is the same without the option.
--
-- RFC 7323 section 2.
lab.title = "Window scaling"
lab.about = "A window above 64 KiB: 300000 bytes without a pause."
lab.group = "windows"
lab.order = 83

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
  local info = sock:info()
  print("the server's windows are shifted by", info.window_scale_send)
  print("its window is", info.send_window)
  sock:sendall(("x"):rep(SIZE))
  print("its window is", sock:info().send_window)
  sock:recv()
  sock:close()
end

function lab.check(trace)
  local flow, largest = trace:flow(1), 0
  expect.truth(flow.window_scaling)
  for _, packet in ipairs(flow.server.packets) do largest = math.max(largest, packet.window) end
  expect.less(65535, largest, "the largest window is above 65535")
  expect.equal(flow.client.sent, ("x"):rep(SIZE))
  expect.sound(trace)
end
