-- The hello of hello.lua once more, but nobody on the way can read it: TLS 1.3.
--
-- TCP carries bytes in the clear; whoever captures the packets has read the letter. TLS sits
-- between the program and the socket: what goes into secure:sendall("…") comes out on the wire as
-- a record of encrypted bytes. Look for both in the ladder: the words stand at the call, and on
-- the packets inside it there is only "TLS Application Data" and a length.
--
-- The handshake comes first, inside tls.client and tls.server. Client Hello and Server Hello are
-- the last things said in the clear; with them both ends agree on a key that was never sent. From
-- then on all is encrypted, even the certificate by which the server proves who it is.
--
-- A certificate is worth what the trust in it is worth. A browser trusts a list of authorities;
-- this client is given the one certificate to trust, as ca: the server has left it in the lab's
-- folder, the way one hands it over on paper. Take ca away and run it again: the handshake fails
-- with ECERT, for nobody has vouched for this server. verify = false would go on all the same,
-- encrypted, and not know with whom.
--
-- In two terminals, `handlens serve encrypted --files DIR` and `handlens connect encrypted --files
-- DIR` share that folder.
--
-- The keys of this exchange are written into the capture. Save it with -w and open it in
-- Wireshark: it shows the plaintext. With anybody else's capture it could not.
lab.title = "Encrypted"
lab.about = "The same hello over TLS 1.3: the words at the calls, ciphertext on the wire."
lab.group = "security"
lab.order = 131
lab.port  = 65443

function lab.server(listener)
  local identity = tls.certificate()        -- for localhost, 127.0.0.1 and ::1, for a day
  file.write("server.pem", identity.certificate)
  local conn, peer = listener:accept()
  local secure = tls.server(conn, { certificate = identity.certificate, key = identity.key })
  print("connection from", peer)
  print("received", secure:recv(1024))
  secure:sendall("Hello from the server")
  secure:recv(1024)                         -- nil: the client's goodbye, close_notify
  secure:close()
end

function lab.client(server)
  local sock = socket.connect(server)
  -- Each record is to go at once: else TCP would hold back the hello until the handshake's last
  -- bytes are acknowledged (Nagle's algorithm), and the server is in no hurry to do so.
  sock:setoption("TCP_NODELAY", true)
  local secure = tls.client(sock, { server_name = "localhost", ca = file.read("server.pem") })
  print(secure:info().version, secure:info().cipher)
  secure:sendall("Hello from the client")
  print("received", secure:recv(1024))
  secure:close()
end

function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  -- The words are nowhere on the wire.
  expect.equal(string.find(flow.client.sent, "Hello", 1, true), nil)
  expect.equal(string.find(flow.server.sent, "Hello", 1, true), nil)
  expect.never(trace, "* FIN * len >0")        -- close_notify comes before the FIN, by itself
  expect.sound(trace)
end
