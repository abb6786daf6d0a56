"""Scripts that would run for ever, eat the memory, or get out: whatever a role does after it has
connected, the run ends within its limits with one clear error that names the line, and the capture
so far is kept. (What the limits are, tests/unit/script/test_limits.c has it in numbers.)"""

import handlens
from handlens import DONE, USAGE

LAB = """lab.port = 7000
function lab.server(listener)
  local conn = listener:accept()
  while conn:recv(1000) do end
end
function lab.client(server)
  local sock = socket.connect(server)
{body}
end
"""
FIRST = 8  # the line of LAB where the body begins

ENDLESS = "is this loop endless?"
MEMORY = "needs more than its 256 MiB of memory"
NO_WAIT = "cannot wait inside a function that"

# name: (body, line of it that the error names, words of the error)
LOOPS = {
    "loop": ("while true do end", 1, ENDLESS),
    "in a metamethod": ("local t = setmetatable({}, {__index = function()\n"
                        "while true do end end})\nreturn t.x", 2, ENDLESS),
    "in __close": ("do local x <close> = setmetatable({}, {__close = function()\n"
                   "while true do end end}) end", 2, ENDLESS),
    "in __tostring": ("print(setmetatable({}, {__tostring = function()\nwhile true do end end}))", 2,
                      ENDLESS),
    "in an error's handler": ("xpcall(error, function()\nwhile true do end end)", 2, ENDLESS),
    "in loaded text": ("load('while true do end')()", 1, ENDLESS),
    "in a sort": ("table.sort({3, 2, 1}, function()\nwhile true do end end)", 2, ENDLESS),
    "in pcalls": ("while true do pcall(function()\nwhile true do end end) end", 2, ENDLESS),
    "of coroutines": ("while true do coroutine.wrap(function() coroutine.yield() end)() end", 1,
                      ENDLESS),
    "in a find": ("string.find(('a'):rep(1000000), '.-.-.-.-b')", 1, ENDLESS),
    "in a gsub": ("string.gsub(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40) .. 'b', '')", 1, ENDLESS),
    "of repetitions": ("local s = ('x'):rep(1e6)\nwhile true do s = s:rep(2):sub(1, 1e6) end", 2,
                       ENDLESS),
    "of reversals": ("local s = ('x'):rep(1e7)\nwhile true do local r = s:reverse() end", 2, ENDLESS),
    "of sorts": ("local t = {} for i = 1, 1e5 do t[i] = i * 7919 % 1000003 end\n"
                 "while true do table.sort(t) end", 2, ENDLESS),
    "of insertions": ("local t = {} for i = 1, 1e5 do t[i] = i end\n"
                      "while true do table.insert(t, 1, 0) end", 2, ENDLESS),
}

BOMBS = {
    "string": ("local s = 'x'\nwhile true do s = s .. s end", 2, MEMORY),
    "table": ("local t = {}\nwhile true do t[#t + 1] = {} end", 2, MEMORY),
    "caught": ("local t = {}\nwhile true do pcall(function()\nwhile true do t[#t + 1] = {} end end) end",
               2, MEMORY),
    "repetition": ("local s = ('x'):rep(1e9)", 1, MEMORY),
    "coroutines": ("local t = {}\nwhile true do t[#t + 1] = coroutine.create(function() end) end", 2,
                   MEMORY),
    "tasks": ("while true do spawn(function() sleep(100) end) end", 1, MEMORY),
    "a type's name": ("print(setmetatable({}, {__name = ('x'):rep(1e8)}))", 1, MEMORY),
    "sort of what is not there": ("table.sort(setmetatable({}, {__len = function() return 2^31 - 2 end,"
                                  "\n__index = rawlen, __newindex = type}))", 1, "too many"),
}

DEPTHS = {
    "calls": ("local function f() return 1 + f() end\nf()", 1, "stack overflow"),
    "metamethods": ("local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end})\n"
                    "return t[1]", 1, "stack overflow"),
    "gsubs": ("local function f() return (string.gsub('x', 'x', f)) end\nf()", 1, "stack overflow"),
    "sorts": ("local function f() table.sort({1, 2, 3}, function() f() end) end\nf()", 1,
              "stack overflow"),
    "concatenations": ("local m = {} m.__concat = function(a, b) return a .. b end\n"
                       "return setmetatable({}, m) .. 'x'", 1, "stack overflow"),
    "errors in the handler": ("assert(xpcall(error, function(e) error(e) end))", 1,
                              "error in error handling"),
}

WAYS_OUT = {
    "os": ("os.exit()", 1, "os: no such name"),
    "io": ("io.open('/etc/passwd')", 1, "io: no such name"),
    "debug": ("debug.sethook()", 1, "debug: no such name"),
    "package": ("package.loadlib('x', 'y')", 1, "package: no such name"),
    "the string's metatable": ("getmetatable('').__index = nil", 1, "attempt to index a boolean"),
    "a socket's metatable": ("getmetatable(sock).__index = nil", 1, "attempt to index a boolean"),
    "another metatable for a socket": ("setmetatable(sock, {})", 1, "table expected, got socket"),
    "another metatable for _G": ("setmetatable(_G, {})", 1, "protected metatable"),
    "a finalizer": ("setmetatable({}, {__gc = print})", 1, "no __gc in a lab"),
    "bytecode": ("assert(load('\\27Lua', 'x', 'b'))", 1, "binary chunk"),
    "dumped bytecode": ("string.dump(print)", 1, "nil value (field 'dump')"),
    "require of a path": ("require('../hello')", 1, "is not the name of a script beside the lab"),
    "require of an absolute path": ("require('/etc/passwd')", 1, "is not the name of a script"),
    "a file above": ("file.open('../mine.lua')", 1, "EPERM"),
    "an absolute file": ("file.read('/etc/passwd')", 1, "EPERM"),
    "lab in the middle": ("lab.port = 1", 1, "can only be set at the file's top level"),
}

WAITS = {
    "in a sort": ("table.sort({3, 2, 1}, function()\nsock:recv(1) end)", 2, NO_WAIT),
    "in a gsub": ("string.gsub('x', 'x', function()\nsock:recv(1) end)", 2, NO_WAIT),
    "in __tostring": ("print(setmetatable({}, {__tostring = function()\nsock:recv(1) end}))", 2,
                      NO_WAIT),
    "a yield of the role itself": ("coroutine.yield()", 1, "not inside a coroutine"),
}


class Hostile(handlens.LabTest):
    def assert_ends_well(self, cases):
        def run(name):
            body, line, words = cases[name]
            lab = self.lab(LAB.replace("{body}", body), f"{abs(hash(name))}.lua")
            kept = lab.with_suffix(".pcapng")
            result = self.run_handlens("run", lab, "-q", "-w", kept, status=USAGE, timeout=120)
            self.assertTrue(result.err.startswith(f"handlens: {lab.name}:{FIRST + line - 1}: "), result)
            self.assertIn(words, result.err.splitlines()[0], result)
            self.assertEqual(result.err.count("handlens: "), 1, result)
            shown = self.run_handlens("view", kept, "--as", "packets").out
            self.assertIn("SYN", shown)
            self.assertEqual(self.run_handlens("view", kept).status, DONE)

        self.side_by_side(run, cases)

    def test_loops_are_stopped(self):
        self.assert_ends_well(LOOPS)

    def test_memory_is_not_eaten(self):
        self.assert_ends_well(BOMBS)

    def test_depths_have_an_end(self):
        self.assert_ends_well(DEPTHS)

    def test_there_is_no_way_out(self):
        self.assert_ends_well(WAYS_OUT)

    def test_no_wait_where_none_can_be(self):
        self.assert_ends_well(WAITS)


class Elsewhere(handlens.LabTest):
    """The same in other parts of a lab."""

    def assert_stopped(self, *arguments, line, words=ENDLESS):
        result = self.run_handlens(*arguments, status=USAGE, timeout=120)
        self.assertIn(f"{line}: ", result.err, result)
        self.assertIn(words, result.err, result)

    def test_at_the_top_level(self):
        for text, words in (("\nwhile true do end", ENDLESS), ("\nlocal s = ('x'):rep(1e9)", MEMORY)):
            self.assert_stopped("run", self.lab(text), line="mine.lua:2", words=words)

    def test_in_a_required_script(self):
        (self.work / "other.lua").write_text("\n\nwhile true do end\n")
        self.assert_stopped("run", self.lab("require('other')\n"), line="other.lua:3")
        self.assert_stopped("run", self.lab("function lab.client() require('other') end\n"),
                            line="other.lua:3")

    def test_in_the_check(self):
        lab = self.lab("function lab.client() end\nfunction lab.check(trace)\nwhile true do end\nend\n")
        result = self.run_handlens("check", lab, status=handlens.CHECK_FAILED, timeout=120)
        self.assertIn("the check runs to its end", result.out)
        self.assertRegex(result.out, r"(?m)^ *3 .*\n.*200 million instructions")

    def test_in_the_reply(self):
        lab = self.lab("lab.port = 7000\nfunction lab.reply(message)\nwhile true do end\nend\n"
                       "function lab.client(server) socket.connect(server):sendall('x') sleep(9) end\n")
        self.assert_stopped("run", lab, line="mine.lua:3")

    def test_lab_fields_of_the_wrong_kind(self):
        for text in ("lab.title = {}", "lab.port = setmetatable({}, {__index = print})",
                     "lab = setmetatable({}, {__index = function() while true do end end})",
                     "lab.clients = setmetatable({}, {__pairs = function() while true do end end})",
                     "lab.server = 7", "lab.timeout = 0/0", "lab.kernel = {sack = {}}"):
            with self.subTest(text):
                lab = self.lab(text + "\n")
                self.assert_one_sentence(self.run_handlens("run", lab, status=USAGE), "mine.lua")


if __name__ == "__main__":
    handlens.main()
