---@meta handlens
-- What a lab can use, for the Lua language server: completion, hints and type checks in an editor.
-- scripts/README.md explains all of it.

---An address and a port. As text "127.0.0.1:8080"; equal when host and port are.
---@class Address
---@field host string "127.0.0.1", "::1"
---@field port integer
---@field family 4|6

---What calls take as an address: a value, "host:port", or a port alone, of lab.host. Where a host
---stands alone, the port is the next argument.
---@alias AddressLike Address|string|integer

---What a failed call raises. As text it is the message.
---@class SocketError
---@field call string the call that failed: "connect"
---@field code string the errno's name: "ECONNREFUSED"
---@field errno integer
---@field message string "connect to 127.0.0.1:9: Connection refused (ECONNREFUSED)"
---@field where string the script's file and line: "refused.lua:17"

---What the kernel says about a TCP socket (TCP_INFO).
---@class SocketInfo
---@field state string "ESTABLISHED", as RFC 9293 names it
---@field rtt_us integer microseconds
---@field rtt_variance_us integer microseconds
---@field rto_us integer microseconds
---@field retransmits integer segments
---@field mss_send integer bytes
---@field mss_receive integer bytes
---@field path_mtu integer bytes
---@field congestion_window integer segments
---@field slow_start_threshold integer segments
---@field unacked integer segments
---@field send_window integer bytes
---@field window_scale_send integer
---@field window_scale_receive integer
---@field timestamps boolean
---@field sack boolean
---@field window_scaling boolean
---@field ecn boolean
---@field bytes_acked integer
---@field bytes_received integer
---@field bytes_sent integer
---@field bytes_retransmitted integer
---@field segments_out integer
---@field segments_in integer

---@alias SocketOption
---| "SO_REUSEADDR"
---| "SO_REUSEPORT"
---| "SO_KEEPALIVE"
---| "SO_BROADCAST"
---| "SO_SNDBUF"
---| "SO_RCVBUF"
---| "SO_SNDLOWAT"
---| "SO_RCVLOWAT"
---| "SO_LINGER"
---| "SO_OOBINLINE"
---| "SO_DONTROUTE"
---| "SO_PRIORITY"
---| "SO_ERROR"
---| "SO_TYPE"
---| "SO_ACCEPTCONN"
---| "TCP_NODELAY"
---| "TCP_CORK"
---| "TCP_QUICKACK"
---| "TCP_MAXSEG"
---| "TCP_KEEPIDLE"
---| "TCP_KEEPINTVL"
---| "TCP_KEEPCNT"
---| "TCP_SYNCNT"
---| "TCP_LINGER2"
---| "TCP_DEFER_ACCEPT"
---| "TCP_WINDOW_CLAMP"
---| "TCP_USER_TIMEOUT"
---| "TCP_FASTOPEN"
---| "TCP_FASTOPEN_CONNECT"
---| "TCP_NOTSENT_LOWAT"
---| "IP_TTL"
---| "IP_MINTTL"
---| "IP_TOS"
---| "IP_MTU"
---| "IP_MTU_DISCOVER"
---| "IP_MULTICAST_TTL"
---| "IP_MULTICAST_LOOP"
---| "IPV6_V6ONLY"
---| "IPV6_UNICAST_HOPS"
---| "IPV6_MINHOPCOUNT"
---| "IPV6_TCLASS"
---| "IPV6_MTU"
---| "IPV6_MULTICAST_HOPS"
---| "IPV6_MULTICAST_LOOP"

---A TCP or UDP socket.
---@class Socket
local Socket = {}

---Gives the socket an address of its own. Port 0 lets the kernel choose.
---@param address AddressLike
---@param port? integer
function Socket:bind(address, port) end

---Makes a bound TCP socket a listener.
---@param backlog? integer how many connections may wait for accept; 128
function Socket:listen(backlog) end

---Waits for the next connection.
---@return Socket conn
---@return Address peer
function Socket:accept() end

---@param address AddressLike
---@param port? integer
function Socket:connect(address, port) end

---Hands bytes to the kernel.
---@param bytes string
---@param flag? "MSG_OOB"|"MSG_MORE"
---@return integer taken may be fewer than given
function Socket:send(bytes, flag) end

---Sends all of the bytes.
---@param bytes string
function Socket:sendall(bytes) end

---At most size bytes, as soon as there are any; nil at the end of the stream.
---@param size? integer 1 to 16777216; 65536
---@param flag? "MSG_PEEK"|"MSG_OOB"
---@return string? bytes
function Socket:recv(size, flag) end

---Sends one datagram.
---@param bytes string
---@param address AddressLike
---@param port? integer
---@return integer sent
function Socket:sendto(bytes, address, port) end

---Waits for one datagram.
---@param size? integer 1 to 16777216; 65536
---@return string bytes
---@return Address peer
---@return integer length the datagram's full length
function Socket:recvfrom(size) end

---Ends one direction, or both.
---@param how "read"|"write"|"both"
function Socket:shutdown(how) end

---Closes the socket; twice does nothing.
function Socket:close() end

---Closes with an RST instead of a FIN.
function Socket:reset() end

---How long later calls wait: seconds, 0 not at all, nil for ever.
---@param seconds number?
function Socket:settimeout(seconds) end

---true: settimeout(nil); false: settimeout(0).
---@param on boolean
function Socket:setblocking(on) end

---@param name SocketOption
---@param value integer|boolean
function Socket:setoption(name, value) end

---@param name SocketOption
---@return integer value
function Socket:getoption(name) end

---@return Address
function Socket:getsockname() end

---@return Address
function Socket:getpeername() end

---@return SocketInfo
function Socket:info() end

socket = {}

---A TCP socket, neither bound nor connected.
---@param family? 4|6 4
---@return Socket
function socket.tcp(family) end

---A UDP socket.
---@param family? 4|6 4
---@return Socket
function socket.udp(family) end

---A TCP socket that is connected.
---@param address AddressLike
---@param port? integer
---@return Socket
function socket.connect(address, port) end

---A TCP socket that listens, its address free to use again at once. The backlog, 128 by default,
---is the last argument.
---@overload fun(address: AddressLike, backlog?: integer): Socket
---@param host string
---@param port integer
---@param backlog? integer
---@return Socket
function socket.listen(host, port, backlog) end

---Waits until one of the sockets is ready.
---@param read Socket[]?
---@param write Socket[]?
---@param timeout? number seconds; nil for ever, 0 just looks
---@return Socket[] readable
---@return Socket[] writable
function socket.select(read, write, timeout) end

---@return string
function socket.gethostname() end

---An address as a value; no names.
---@param address AddressLike
---@param port? integer
---@return Address
function socket.address(address, port) end

---@class TlsIdentity
---@field certificate string PEM
---@field key string PEM

---What tls.client, tls.server and tls.certificate take, each its own part.
---@class TlsOptions
---@field server_name string? client: the name or address in the server's certificate
---@field verify boolean? client: true
---@field ca string? client: PEM, the certificates to trust; the system's
---@field certificate string? server: PEM
---@field key string? server: PEM
---@field alpn string[]? protocols in order
---@field min_version "1.2"|"1.3"|nil as max_version
---@field max_version "1.2"|"1.3"|nil "1.3"
---@field handshake boolean? false: not yet
---@field names string[]? certificate: localhost, 127.0.0.1, ::1
---@field days number? certificate: valid so long, or expired so long ago; 1

---What a handshake agreed upon.
---@class TlsInfo
---@field version string "TLSv1.3"
---@field cipher string
---@field alpn string?
---@field subject string? of the peer's certificate
---@field issuer string?
---@field verified boolean

---@class TlsStream
local TlsStream = {}

---Makes the handshake, or goes on with it.
function TlsStream:handshake() end

---At most one record, 16384 bytes.
---@param bytes string
---@return integer sent
function TlsStream:send(bytes) end

---@param bytes string
function TlsStream:sendall(bytes) end

---At most size bytes of one record; nil when the peer has said goodbye.
---@param size? integer 1 to 16777216; 65536
---@return string? bytes
function TlsStream:recv(size) end

---Says goodbye (close_notify), waits for the peer's, and closes the socket.
function TlsStream:close() end

---@return TlsInfo
function TlsStream:info() end

tls = {}

---TLS on a connected socket, as the client.
---@param sock Socket
---@param options? TlsOptions
---@return TlsStream
function tls.client(sock, options) end

---TLS on a connected socket, as the server.
---@param sock Socket
---@param options? TlsOptions
---@return TlsStream
function tls.server(sock, options) end

---A new key and a certificate that it has signed itself.
---@param options? TlsOptions
---@return TlsIdentity
function tls.certificate(options) end

---A file that is open, below the folder of --files.
---@class OpenFile
local OpenFile = {}

---At most size bytes from where the last read ended; nil at the end of the file.
---@param size? integer 1 to 16777216; 65536
---@return string? bytes
function OpenFile:read(size) end

---@param bytes string
function OpenFile:write(bytes) end

---A written file appears under its name.
function OpenFile:close() end

---Closes the file without keeping what was written.
function OpenFile:discard() end

file = {}

---Opens a file; "w" writes a new one, which appears under its name at f:close().
---@param name string a path in the lab's folder
---@param mode? "r"|"w" "r"
---@return OpenFile
function file.open(name, mode) end

---The whole file; at most 16 MiB.
---@param name string
---@return string bytes
function file.read(name) end

---Writes a whole file, all of it or nothing.
---@param name string
---@param bytes string
function file.write(name, bytes) end

---Its length in bytes; nil if there is no such file.
---@param name string
---@return integer? bytes
function file.size(name) end

---@param name string
function file.remove(name) end

---A SHA-256 of bytes that come in parts.
---@class Checksum
local Checksum = {}

---@param bytes string
function Checksum:add(bytes) end

---64 hexadecimal digits: of all bytes added so far.
---@return string
function Checksum:hex() end

checksum = {}

---64 hexadecimal digits.
---@param bytes string
---@return string
function checksum.sha256(bytes) end

---@return Checksum
function checksum.new() end

---TCP settings of the private loopback; true and false stand for 1 and 0.
---@class LabKernel
---@field timestamps integer|boolean?
---@field sack integer|boolean?
---@field window_scaling integer|boolean?
---@field syn_retries integer?
---@field synack_retries integer|boolean?
---@field fin_timeout integer? seconds
---@field fast_open integer|boolean?
---@field ecn integer|boolean?

---@class Lab
---@field title string? the heading of every view
---@field about string? one sentence
---@field group string? labs of one group are listed together
---@field order integer? where `handlens labs` lists it
---@field host string "127.0.0.1"
---@field port integer? the host makes a listener there
---@field timeout number? seconds for the whole exchange
---@field mtu integer? bytes, of the private loopback
---@field kernel LabKernel
---@field message string? connect --message replaces it
---@field answers table<string, (string|number)[]>? what input() returns in run and check, by role
---@field server fun(listener: Socket)?
---@field reply (fun(message: string, peer: Address): string|nil|false)?
---@field client fun(server: Address)?
---@field clients table<string, fun(server: Address)>
---@field check fun(trace: Trace)?
lab = {}

---Says where the server is, and that clients may begin.
---@param address AddressLike
---@param port? integer
function lab.ready(address, port) end

---The values as text, with tabs between, to the screen and into the trace.
---@param ... any
function print(...) end

---A line of standard input, without its newline; nil at the end of input.
---@param prompt? any shown before it
---@return string? line
function input(prompt) end

---Waits; other roles run meanwhile.
---@param seconds number
function sleep(seconds) end

---A new task of the same role that calls f(...).
---@param f function
---@param ... any
function spawn(f, ...) end

---Seconds since the exchange began, with nanoseconds in it.
---@return number
function now() end

---Runs name.lua beside this script, once.
---@param name string
---@return any
function require(name) end

---What lab.check sees of an exchange. Nothing in it can be changed.
---@class Trace
---@field packets TracePacket[]
---@field flows TraceFlow[]
---@field calls TraceCall[]
local Trace = {}

---The n-th flow, or the first that a role is part of.
---@param n integer|string
---@return TraceFlow
function Trace:flow(n) end

---A TCP connection or UDP conversation.
---@class TraceFlow
---@field number integer
---@field protocol "TCP"|"UDP"
---@field handshake string "SYN, SYN ACK, ACK", "SYN, RST ACK", "SYN", "none"
---@field close "closed"|"half-closed"|"reset"|"refused"|"open"
---@field closed_by string? the role that sent the first FIN, or the RST
---@field client TraceSide
---@field server TraceSide
---@field packets TracePacket[]
---@field retransmissions integer
---@field marks string "retransmission, zero window", or "none"
---@field sack boolean? both SYNs offered it
---@field timestamps boolean?
---@field window_scaling boolean?
---@field rtt number? seconds, of the handshake

---One end of a flow.
---@class TraceSide
---@field role string
---@field address string "127.0.0.1:65432"
---@field state string at the end: "TIME-WAIT"
---@field states string "CLOSED, SYN-SENT, ESTABLISHED"
---@field sent string the bytes it sent, in order, each once
---@field missing integer bytes it sent that are not in the capture
---@field bytes integer
---@field packets TracePacket[]
---@field retransmissions integer
---@field marks string
---@field mss integer? of its SYN
---@field window_scale integer? of its SYN
---@field sack boolean?
---@field timestamps boolean?

---@class TracePacket
---@field number integer as Wireshark counts
---@field time number seconds since the trace began
---@field flow integer?
---@field role string? who sent it
---@field from "client"|"server"|nil
---@field source string? "127.0.0.1:51234"
---@field destination string?
---@field flags string? "PSH ACK"
---@field seq integer? relative
---@field ack integer? relative
---@field window integer? bytes
---@field length integer of the payload, bytes
---@field payload string
---@field marks string "duplicate ACK", or "none"
---@field call TraceCall? the call that caused it
---@field text string "client PSH ACK seq 1 ack 1 win 65536 len 21"

---@class TraceCall
---@field number integer
---@field role string?
---@field name string "connect"
---@field arguments string
---@field result string? as the ladder shows it
---@field code string? "ECONNREFUSED"
---@field message string?
---@field line integer?
---@field seconds number? from entry to return
---@field packets TracePacket[] that it caused

---What a check says must be so. Each returns whether it is; nil where it cannot be judged.
expect = {}

---The same text, number or truth value.
---@param seen any
---@param expected any
---@param words? string for the report
---@return boolean?
function expect.equal(seen, expected, words) end

---@param smaller number|string?
---@param larger number|string?
---@param words? string
---@return boolean?
function expect.less(smaller, larger, words) end

---Lua's string.find finds the pattern in the text.
---@param text string?
---@param pattern string
---@param words? string
---@return boolean?
function expect.matches(text, pattern, words) end

---Anything but false and nil.
---@param value any
---@param words? string
---@return boolean?
function expect.truth(value, words) end

---The packets come in this order, one directly behind the other; "..." stands for any or none.
---@param where Trace|TraceFlow|TracePacket[]
---@param ... string "client SYN", "server ACK len 21", "..."
---@return boolean?
function expect.order(where, ...) end

---No packet is like any of the patterns.
---@param where Trace|TraceFlow|TracePacket[]
---@param ... string "* RST *"
---@return boolean?
function expect.never(where, ...) end

---The role made such a call, with such a result.
---@param role string "client", or "*"
---@param call string "connect", "connect(127.0.0.1:65432)"
---@param result? any what it returned, or the name of its errno
---@return boolean?
function expect.call(role, call, result) end

---Each packet fits those before it: nothing was taken out, changed or missed.
---@param where Trace|TraceFlow
---@param words? string
---@return boolean?
function expect.sound(where, words) end
