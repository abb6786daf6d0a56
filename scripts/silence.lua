-- Nobody answers at all: SYN, SYN, SYN.
--
-- refused.lua got an RST, so the kernel knew at once. Here nothing comes back, as from a
-- firewall that drops packets, or a machine that is switched off. Silence may be a lost packet,
-- so the kernel tries again, waits longer each time, and gives up: ETIMEDOUT. How long it goes
-- on is up to tcp_syn_retries: 6 means two minutes, 1 as here three seconds. (Since Linux 6.5
-- the first repetitions come a second apart, and only then does the wait double.)
--
-- The silent one is a listener that is deaf: IP_MINTTL 255 makes it drop all that arrives with
-- a time to live below 255, and everything here has 64.
--
-- RFC 9293 section 3.8.1 and 3.8.3, RFC 6298 section 2 (the first wait is one second).
lab.title = "Silence"
lab.about = "SYNs that nobody answers are repeated, and connect times out."
lab.group = "losses"
lab.order = 91
lab.kernel.syn_retries = 1

local done = false

function lab.server()
  local listener = socket.listen("127.0.0.1:5000")
  listener:setoption("IP_MINTTL", 255)
  lab.ready("127.0.0.1:5000")
  while not done do sleep(0.01) end
  listener:close()
end

function lab.client(server)
  local start = now()
  local ok, problem = pcall(socket.connect, server)
  print(("after %.0f seconds:"):format(now() - start), problem)
  done = true
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN")
  expect.less(0, flow.client.retransmissions, "the SYN was repeated")
  expect.equal(#flow.server.packets, 0)
  expect.call("client", "connect", "ETIMEDOUT")
  expect.sound(trace)
end
