"""The course in scripts/: what each lab must have, and that its ladder shows what it is about."""

import os
import pathlib
import re

import handlens

SCRIPTS = pathlib.Path(handlens.HANDLENS).parents[1] / "share/handlens/scripts"
if os.environ.get("HANDLENS_BUILD"):
    SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"

# What a student must be able to see in a lab's ladder.
SHOWN = {
    "assassin": ["[port reused]", "RST", "before: EADDRINUSE", "after: the port is free"],
    "backlog": ["bob was connected after 1.0 seconds", "[retransmission]"],
    "backoff": ["kernel  PSH ACK", "[retransmission]", "later"],
    "boundaries": ['"red green blue"', '"0123"', '"4567"', '"89"'],
    "brokenpipe": ["RST", "sendall(\"hello?\") fails: Broken pipe (EPIPE)"],
    "closing": ["CLOSING", "the kernel says FIN-WAIT-2", 'prints "the kernel says CLOSING"'],
    "cork": ["setoption(TCP_CORK, 0)", "len 43"],
    "crossing": ["SYN-RECEIVED┃", "connect(127.0.0.1:5001)", "connect(127.0.0.1:5002)"],
    "delayedack": ["kernel  ACK"],
    "fastopen": ["fast open request", "fast open cookie", "SYN  seq 0 len 6"],
    "finwait": ["FIN-WAIT-2", "1.3 s later", "RST"],
    "fragments": ["len 1472 of 4000  first fragment", "IPv4 fragment  at 1480 len 1480",
                  "IPv4 fragment  at 2960 len 1048", "(EMSGSIZE)"],
    "halfclose": ["shutdown(write)", "FIN-WAIT-2", "you sent 15 bytes"],
    "handshake": ["SYN-SENT", "SYN-RECEIVED", "mss 65495, sack, timestamps, window scale"],
    "keepalive": ["[keep-alive]", "[keep-alive ACK]", "Connection timed out (ETIMEDOUT)"],
    "lastack": ["the kernel says LAST-ACK", "FIN ACK", "[retransmission]"],
    "linger": ["setoption(SO_LINGER, 0)", "RST ACK", "(ECONNRESET)"],
    "mss": ["mss 536", "len 524", "len 452"],
    "nagle": ["len 3", '"bcd"', 'sendall("b") → 1'],
    "nobody": ["ICMP  port unreachable", "(ECONNREFUSED)"],
    "nosack": ["[duplicate ACK #3"],
    "noscaling": ["[window full]", "scaling false"],
    "pipelining": ['"4\\n5\\n6\\n"', '"16\\n25\\n36\\n"'],
    "plain": ["    mss 1460  ", "len 1460"],
    "sack": ["sack 1001-2449", "[fast retransmission]"],
    "scaling": ["window scale 3", "win 5"],
    "segments": ["len 1448", "len 1104"],
    "silence": ["kernel  SYN", "Connection timed out (ETIMEDOUT)"],
    "slowreader": ["(EAGAIN)", "[window full]", "[zero window]", "[window update]"],
    "synack": ["kernel  SYN ACK", "the kernel says SYN-SENT"],
    "timewait": ["(EADDRINUSE)", "with it we listen at 127.0.0.1:5000"],
    "unread": ["RST ACK", "(ECONNRESET)"],
    "urgent": ["PSH ACK URG", "urgent 3", "recv(1, MSG_OOB) → \"!\""],
    "usertimeout": ["setoption(TCP_USER_TIMEOUT, 500)", "(ETIMEDOUT)"],
    "zerowindow": ["win 0", "[zero window]", "[keep-alive]", "[window update]"],
}


class Course(handlens.LabTest):
    def listed(self):
        return re.findall(r"(?m)^  (\w+) ", self.run_handlens("labs").out)

    def test_each_lab_has_what_a_lesson_needs(self):
        orders = {}
        for path in sorted(SCRIPTS.glob("*.lua")):
            with self.subTest(lab=path.stem):
                text = path.read_text(encoding="utf-8")
                fields = dict(re.findall(r'(?m)^lab\.(\w+) *= (.*)$', text))
                self.assertGreater(len(re.match(r"(?:--.*\n)*", text)[0].splitlines()), 4)
                for field in ("title", "about", "group", "order"):
                    self.assertIn(field, fields)
                self.assertNotIn(fields["order"], orders, "two labs at one place")
                orders[fields["order"]] = path.stem
                self.assertRegex(text, r"(?m)^function lab\.check\(")

    def test_readme_is_in_the_order_of_the_list(self):
        text = (SCRIPTS / "README.md").read_text(encoding="utf-8")
        rows = re.findall(r"(?m)^\| \[(\w+)\]\(\1\.lua\) \|", text)
        self.assertEqual(rows, self.listed())

    @handlens.needs_private
    def test_ladders_show_what_the_lab_is_about(self):
        def show(name):
            return self.run_handlens("run", name).out

        for name, out in self.side_by_side(show, SHOWN):
            for text in SHOWN[name]:
                with self.subTest(lab=name, text=text):
                    self.assertIn(text, out)

    @handlens.needs_private
    def test_a_listener_that_was_closed_does_not_listen(self):
        out = self.run_handlens("run", "assassin").out
        first, second = re.findall(r"(?m)^.* flow [12] .*$", out)
        self.assertIn("LISTEN", first)
        self.assertNotIn("LISTEN", second)


class Groups(handlens.LabTest):
    def test_stand_where_their_first_lab_does(self):
        (self.work / "scripts").mkdir()
        for name, fields in {"late": "lab.group = 'second' lab.order = 9",
                             "zebra": "lab.group = 'first' lab.order = 1",
                             "apple": "lab.group = 'First'",
                             "early": "lab.group = 'second' lab.order = 2",
                             "alone": ""}.items():
            self.lab(f"{fields} lab.about = 'It is {name}.' function lab.client() end",
                     f"scripts/{name}.lua")
        out = self.run_handlens("labs").out
        own = re.search(r"(?ms)^First\n  zebra .*?\n  apple .*?\n\nSecond\n  early .*?\n  late ", out)
        self.assertIsNotNone(own, out)
        self.assertRegex(out, r"(?ms)^Others\n  alone +It is alone\.$")


class Flags(handlens.LabTest):
    def test_of_recv_and_send(self):
        out = self.run_handlens("run", self.lab("""
lab.port = 5000
local sent
function lab.server(listener)
  local conn = listener:accept()
  while not sent do sleep(0.001) end
  print("peeked", conn:recv(3, "MSG_PEEK"), "read", conn:recv(9))
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:send("abc", "MSG_MORE")
  sock:send("def")
  sent = true
  print(select(2, pcall(sock.recv, sock, 1, "MSG_OOB")).code)
  print(select(2, pcall(sock.send, sock, "x", "MSG_NONE")))
  sock:recv()
  sock:close()
end
""")).out
        for text in ("len 6", 'send("abc", MSG_MORE) → 3', "peeked abc read abcdef", "EINVAL",
                     "'MSG_NONE'"):
            self.assertIn(text, out)


if __name__ == "__main__":
    handlens.main()
