-- lab.reply's echo once more, in Lua with luv: libuv as it is bound to Lua for general use.
--
--     lua5.4 echo_luv.lua PORT
--
-- Says "ready" when it listens; ends by a signal.
local uv = require("luv")

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", tonumber(arg[1])))

local function reply(message)
  return message
end

assert(server:listen(128, function(failed)
  assert(not failed, failed)
  local client = uv.new_tcp()
  server:accept(client)
  client:read_start(function(problem, message)
    if problem or not message then
      client:close()
    else
      client:write(reply(message))
    end
  end)
end))

print("ready")
io.stdout:flush()
uv.run()
