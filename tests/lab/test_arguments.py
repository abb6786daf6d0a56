"""What a script is told of arguments that cannot be: one sentence that names the line."""

import handlens

# In a client, one after the other: what is called, and what is said of it.
CASES = """
sleep(-1) | bad argument #1 to 'sleep' (seconds are a number from 0 on)
sleep(1e10) | seconds are a number from 0 on
sleep(0 / 0) | seconds are a number from 0 on
sleep("x") | number expected, got string
socket.tcp(5) | bad argument #1 to 'tcp' (the family is 4 or 6, for IPv4 or IPv6)
socket.udp("x") | number expected, got string
socket.connect() | an address is missing (a lab without lab.port must say its address with lab.ready
socket.connect(true) | address expected, got boolean
socket.connect("127.0.0.1") | the address '127.0.0.1' has no port; write "127.0.0.1:80", or the port
socket.connect("127.0.0.1:") | the address '127.0.0.1:' has no port
socket.connect(":80x") | the address ':80x' has no port
socket.connect("127.0.0.1:x") | the address '127.0.0.1:x' has no port
socket.connect("127.0.0.1:65536") | the address '127.0.0.1:65536' has no port
socket.connect("127.0.0.1:99999999") | the address '127.0.0.1:99999999' has no port
socket.connect("::1") | the address '::1' has no port
socket.connect("127.0.0.1", 70000) | bad argument #2 to 'connect' (a port is a number from 0 to 65535)
socket.connect("127.0.0.1", -1) | a port is a number from 0 to 65535
socket.connect("127.0.0.1", 1.5) | port number expected, got number
socket.connect("127.0.0.1", {}) | port number expected, got table
socket.connect("127.0.0.1\\0:80") | a host has no zero byte in it
socket.connect(70000) | bad argument #1 to 'connect' (a port is a number from 0 to 65535)
socket.listen("127.0.0.1:0", -1) | a backlog is a whole number from 0
socket.listen("127.0.0.1:0", 2^40) | a backlog is a whole number from 0
tcp:listen(-1) | bad argument #1 to 'listen' (a backlog is a whole number from 0)
tcp:listen(2^31) | a backlog is a whole number from 0
tcp:listen("x") | number expected, got string
tcp:recv(0) | bad argument #1 to 'recv' (how many bytes at most: a whole number from 1 to 16777216)
tcp:recv(2^40) | how many bytes at most: a whole number from 1 to 16777216
tcp:recv("x") | number expected, got string
udp:recvfrom(0) | how many bytes at most: a whole number from 1 to 16777216
tcp:send() | string expected, got no value
tcp:send({}) | string expected, got table
tcp:settimeout(-1) | seconds are a number from 0 on
tcp:setoption("TCP_NODELY", 1) | no socket option is called TCP_NODELY; did you mean TCP_NODELAY?
tcp:setoption("xyzzy", 1) | no socket option is called xyzzy
tcp:setoption("TCP_NODELAY", 2^40) | (EINVAL)
tcp:shutdown("x") | invalid option 'x'
tcp.frobnicate() | a socket has no 'frobnicate'
socket.select({tcp, 1}, {}) | socket.select: element 2 of the read list is a number, not a socket
socket.select({}, {true}) | socket.select: element 1 of the write list is a boolean, not a socket
socket.select({}, {}, -1) | seconds are a number from 0 on
socket.select(1, {}) | table expected, got number
socket.gethostname(1, 2).x() | attempt to call a nil value
tls.client(1) | socket expected, got number
tls.client(tcp, 1) | table expected, got number
tls.client(tcp, {xyzzy = 1}) | xyzzy
tls.client(tcp, {alpn = 1}) | alpn must be a list of texts, such as { "http/1.1" }
tls.client(tcp, {alpn = {1}}) | alpn must be a list of 1 to
tls.client(tcp, {alpn = {""}}) | texts of 1 to 255 bytes
tls.client(tcp, {alpn = {("x"):rep(256)}}) | texts of 1 to 255 bytes
tls.client(tcp, {alpn = many}) | alpn must be a list of 1 to
tls.client(tcp, {server_name = "a\\0b"}) | server_name has a zero byte in it
tls.client(tcp, {min_version = "1.3", max_version = "1.2"}) | min_version is above max_version
tls.server(tcp, {certificate = "x"}) | certificate and key go together
tls.server(tcp, {certificate = "x", key = "y"}) | certificate
tls.certificate({days = "x"}) | days must be a number from -36500 to 36500
tls.certificate({days = 1e9}) | days must be a number from -36500 to 36500
tls.certificate({names = 1}) | names must be a list of texts, not a number
tls.certificate({names = {}}) | names must be a list of 1 to
tls.certificate({names = many}) | names must be a list of 1 to
tls.certificate({names = {1}}) | names must be a list of texts
tls.certificate({names = {"a\\0b"}}) | a name has a zero byte in it
file.read("") | file.read '': this is not the name of a file (EINVAL)
file.read("a\\0b") | this is not the name of a file (EINVAL)
file.read("../x") | file.read '../x': the name leads out of the lab's folder (EPERM)
file.read("/etc/passwd") | the name leads out of the lab's folder (EPERM)
file.read("no/such") | file.read 'no/such': No such file or directory (ENOENT)
file.read("there/below") | file.read 'there/below': Not a directory (ENOTDIR)
file.write("there/below", "x") | file.write 'there/below': Not a directory (ENOTDIR)
file.read("folder") | file.read 'folder': this is a folder (EISDIR)
file.write("folder", "x") | this is a folder (EISDIR)
file.remove("folder") | file.remove 'folder': this is a folder (EISDIR)
file.remove("none") | file.remove 'none': No such file or directory (ENOENT)
file.read("big") | file.read 'big': more than 16 MiB; open it, and read it in parts (EFBIG)
file.open("there", "x") | invalid option 'x'
file.open("there"):write("x") | write 'there': the file is closed, or not open for this (EBADF)
file.open("new", "w"):read() | read 'new': the file is closed, or not open for this (EBADF)
file.open("there"):read(0) | bad argument #1 to 'read' (how many bytes at most: a whole number from 1 to 16777216)
file.open("there"):read(2^25) | how many bytes at most: a whole number from 1 to 16777216
closed:read() | read 'there': the file is closed, or not open for this (EBADF)
spawn(1) | function expected, got number
coroutine.resume(1) | coroutine expected
coroutine.status({}) | coroutine expected
coroutine.close(coroutine.running()) | cannot close a running coroutine
("x"):gsub("x") | string/function/table expected, got no value
("x"):gsub("x", "%2") | invalid capture index %2 in replacement string
("x"):gsub("x", "%") | invalid use of '%' in replacement string
("x"):gsub("x", "%y") | invalid use of '%' in replacement string
("x"):gsub(".", function() return {} end) | invalid replacement value (a table)
("x"):find("%1") | invalid capture index %1
("x"):find("(x%1)") | invalid capture index %1
("x"):find("(") | unfinished capture
("x"):find("%f") | missing '[' after '%f' in pattern
("x"):find("%b") | missing arguments to '%b'
("x"):find("x%") | malformed pattern (ends with '%')
setmetatable({}, {__gc = print}) | __gc
setmetatable({}, 1) | nil or table expected
require("../x") | require
require("") | require
require(("x"):rep(65)) | require
require("none") | none
assert(load(string.char(27) .. "Lua")) | attempt to load a binary chunk
lab.ready("x") | the address 'x' has no port
collectgarbage("stop") | collectgarbage
"""

BEGIN = """
local many = {}
for i = 1, 500 do many[i] = "n" .. i end
local function says(code, ...)
  local f <const> = load("local tcp, udp, many, closed = ... return " .. code)
  local done, text = pcall(f, ...)
  return done and "done" or tostring(text)
end
function lab.client()
  local tcp, udp = socket.tcp(), socket.udp()
  file.write("there", "x")
  file.write("folder/in", "x")
  local big = file.open("big", "w")
  for _ = 1, 17 do big:write(("x"):rep(2^20)) end
  big:close()
  local closed = file.open("there")
  closed:close()
"""


class Arguments(handlens.LabTest):
    def test_each_is_told_what_must_be(self):
        cases = [line.split(" | ") for line in CASES.strip().splitlines()]
        lab = self.lab(BEGIN + "".join(f"  print(says([==[{code}]==], tcp, udp, many, closed))\n"
                                       for code, _ in cases) + "end\n")
        (self.work / "files").mkdir()
        result = self.run_handlens("run", lab, "--files", "files", "--as", "json", "--no-capture",
                                   "--timeout", "5")
        told = [e["text"] for e in result.json() if e["event"] == "note" and e.get("role")]
        self.assertEqual(len(told), len(cases), result.err)
        for (code, expected), text in zip(cases, told):
            with self.subTest(code=code):
                self.assertIn(expected, text)


if __name__ == "__main__":
    handlens.main()
