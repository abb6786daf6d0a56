"""What a terminal, a locale and the user's wishes make of the output."""

import re

import handlens

ESCAPE = "\x1b["


class Color(handlens.LabTest):
    def test_is_used_on_a_terminal(self):
        status, shown = self.run_on_terminal("run", "hello")
        self.assertEqual(status, handlens.DONE)
        self.assertIn(ESCAPE, shown)

    def test_is_not_used_in_a_file(self):
        result = self.run_handlens("run", "hello", env={"TERM": "xterm-256color"})
        self.assertNotIn(ESCAPE, result.out + result.err)

    def test_no_color_is_respected(self):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn(ESCAPE, self.run_on_terminal("run", "hello", env=env)[1])
        self.assertIn(ESCAPE, self.run_on_terminal("run", "hello", env={"NO_COLOR": ""})[1])

    def test_option_has_the_last_word(self):
        self.assertNotIn(ESCAPE, self.run_on_terminal("run", "hello", "--color", "never")[1])
        always = self.run_handlens("run", "hello", "--color", "always", env={"NO_COLOR": "1"})
        self.assertIn(ESCAPE, always.out)

    def test_changes_nothing_but_the_color(self):
        path = self.capture()
        plain = self.run_handlens("view", path).out
        colored = self.run_handlens("view", path, "--color", "always").out
        self.assertEqual(re.sub(r"\x1b\[[0-9;]*m", "", colored), plain)


class Locale(handlens.LabTest):
    def test_without_utf8_is_plain_ascii(self):
        for env in ({"LANG": "C"}, {"LANG": None}, {"LANG": "C.UTF-8", "LC_ALL": "C"}):
            for words in (["run", "hello"], ["labs"], ["--help"], ["run", "--help"]):
                result = self.run_handlens(*words, env=env)
                self.assertTrue(result.out.isascii(), result)

    def test_with_utf8_draws_lines(self):
        self.assertFalse(self.run_handlens("run", "hello", env={"LANG": "C.UTF-8"}).out.isascii())

    def test_wide_characters_keep_the_columns(self):
        lab = self.lab("""
lab.port = 65432
function lab.reply(message) return "欢迎访问服务器！" end
function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("你好")
  print(sock:recv(1024))
  sock:close()
end
""")
        result = self.run_handlens("run", lab)
        self.assertIn("欢迎访问服务器！", result.out)
        for line in result.out.splitlines():
            wide = sum(1 for c in line if "\u2e80" <= c <= "\uffe6")
            self.assertLessEqual(len(line) + wide, 80, line)
        self.assertIn("\\x", self.run_handlens("run", lab, env={"LANG": "C"}).out)


class Width(handlens.LabTest):
    def test_is_the_terminals(self):
        for columns in (60, 80, 140):
            shown = self.run_on_terminal("run", "hello", "--color", "never", columns=columns)[1]
            widest = max(shown.splitlines(), key=len)
            self.assertLessEqual(len(widest), columns, widest)


if __name__ == "__main__":
    handlens.main()
