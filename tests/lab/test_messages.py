"""Each message that can be provoked from outside, together in one file: tests/lab/messages.txt.

It is written anew, to be read in `git diff`, by

    HANDLENS=build/release/handlens python3 tests/lab/test_messages.py --write
"""

import pathlib
import re
import shutil
import sys

import handlens

LIST = pathlib.Path(__file__).with_name("messages.txt")
CLIENT = "function lab.client() {} end\n"

# The files that the commands below are about.
LABS = {
    "no_role.lua": "lab.title = 'nobody'\n",
    "two_servers.lua": "lab.port = 1\nfunction lab.reply() end\nfunction lab.server() end\n",
    "no_port.lua": "function lab.reply() end\n",
    "field.lua": "lab.prot = 80\n",
    "port.lua": "lab.port = 70000\n",
    "syntax.lua": "function lab.client()\n  local x = = 1\nend\n",
    "client.lua": CLIENT.format(""),
    "name.lua": CLIENT.format("pint('x')"),
    "global_call.lua": "socket.tcp():connect('127.0.0.1', 1)\n",
    "refused.lua": CLIENT.format("socket.connect('127.0.0.1', 9)"),
    "address.lua": CLIENT.format("socket.connect('127.0.0.1')"),
    "option.lua": CLIENT.format("socket.tcp():setoption('TCP_NODELY', 1)"),
    "closed.lua": CLIENT.format("local s = socket.tcp() s:close() s:send('x')"),
    "memory.lua": CLIENT.format("local s = 'x' while true do s = s .. s end"),
    "deadlock.lua": "lab.port = 7000\nfunction lab.server(l) l:accept():recv() end\n"
                    "function lab.client(a) socket.connect(a):recv() end\n",
    "late.lua": "lab.timeout = 0.2\n" + CLIENT.format("sleep(5)"),
    "wide.lua": "lab.host = '0.0.0.0'\nlab.port = 7000\nfunction lab.reply() end\n",
    "outside.lua": CLIENT.format("file.read('../secret')"),
    "no_expectation.lua": CLIENT.format("") + "function lab.check(trace) end\n",
    "wrong_check.lua": CLIENT.format("") + "function lab.check(trace) trace:flow(1).hand() end\n",
    "compiled.lua": "\x1bLua\n",
}
BYTES = {
    "empty.pcap": b"",
    "text.pcap": b"this is no capture\n" * 4,
    "gzip.pcap": b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    "short.pcap": b"\xd4\xc3\xb2\xa1\x02\0\x04\0",
    "section.pcapng": b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x09\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0",
    "taken.pcapng": b"somebody's",
}

COMMANDS = """
    rnu
    frobnicate
    run
    run hello again
    run nobodys_lab
    run helo
    run nowhere.lua
    run folder/x.lua
    run below.lua
    run --as laddr hello
    run --as nonsense hello
    run --color blue hello
    run --clients 0 hello
    run --clients many hello
    run --timeout -1 hello
    run --flow hello
    run --hexx hello
    run -Z hello
    run --hex hello
    run --step hello
    run --step --as packets hello
    run --html x.html --no-capture hello
    run -w taken.pcapng hello
    run -w nowhere/x.pcapng hello
    run -w taken.pcapng/x hello
    run -w folder hello
    run --html taken.pcapng hello
    run --files nowhere hello
    run no_role.lua
    run two_servers.lua
    run no_port.lua
    run field.lua
    run port.lua
    run syntax.lua
    run name.lua
    run global_call.lua
    run refused.lua
    run address.lua
    run option.lua
    run closed.lua
    run memory.lua
    run deadlock.lua
    run late.lua
    run outside.lua
    run compiled.lua
    serve client.lua
    serve wide.lua
    serve --port 65536 hello
    connect no_port.lua
    view
    view nowhere.pcap
    view folder
    view empty.pcap
    view text.pcap
    view gzip.pcap
    view short.pcap
    view section.pcapng
    view cut.pcapng --as packets
    view hello.pcapng tcp prot 80
    view hello.pcapng -o taken.pcapng
    view hello.pcapng -o nowhere/x
    check client.lua
    check no_expectation.lua
    check hello --format tpa
    check hello --format yaml
    check hello --here hello.pcapng
    check hello nowhere.pcapng
    check hello --html x.html hello.pcapng nobody.pcapng
    check hello text.pcap
    replay hello.pcapng
    replay --as nobody hello.pcapng
    replay --as client --flow 9 hello.pcapng
    replay --as client text.pcap
    replay --as client --port 9 hello.pcapng
    replay --as client nobody.pcapng
    new
    new taken
    new a/b
    labs one
"""


@handlens.needs_private
class Messages(handlens.LabTest):
    maxDiff = None

    def make_files(self):
        for name, text in LABS.items():
            self.lab(text, name)
        for name, content in BYTES.items():
            (self.work / name).write_bytes(content)
        captures = pathlib.Path(__file__).parents[2] / "captures"
        for name in ("hello.pcapng", "nobody.pcapng"):
            shutil.copy(captures / name, self.work)
        (self.work / "cut.pcapng").write_bytes((captures / "hello.pcapng").read_bytes()[:-10])
        (self.work / "folder").mkdir()
        (self.work / "below.lua").mkdir()
        self.lab("-- somebody's\n", "taken.lua")

    def provoke(self, command):
        """What stderr says of it, with the exit status; and what had to be so of every message."""
        result = self.run_handlens(*command.split(), status=None)
        text = result.err
        self.assertNotIn(result.status, (handlens.DONE, 139, 134), result)
        self.assertTrue(text.startswith("handlens: "), result)
        self.assertNotRegex(text, r"(?i)\berrno\b|\(null\)|\[C\]: in|PANIC|0x[0-9a-f]{6}", result)
        self.assertLessEqual(len(text.splitlines()), 8, result)
        return f"$ handlens {command}    [{result.status}]\n{text.strip()}\n"

    def told(self):
        """All of them; what differs between machines and runs replaced by words."""
        self.make_files()
        commands = [line.strip() for line in COMMANDS.strip().splitlines()]
        said = dict(self.side_by_side(lambda command: self.provoke(command), commands))
        text = "\n".join(said[command] for command in commands)
        text = re.sub(r"(?<=127\.0\.0\.1:)[3-6]\d{4}\b", "PORT", text)
        return text.replace(str(self.folder), "FOLDER")

    def test_each_is_what_the_list_says(self):
        self.assertEqual(self.told(), LIST.read_text(encoding="utf-8"))


def write():
    test = Messages()
    test.setUp()
    LIST.write_text(test.told(), encoding="utf-8")
    test.doCleanups()


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        handlens.main()
