"""The report, in the browser where it is read."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

import captures
import handlens
import webdriver

handlens_root = pathlib.Path(__file__).resolve().parent.parent.parent

HOSTILE = (b"</script><script>window.hit=1</script><img src=x onerror=window.hit=1>"
           b"javascript:window.hit=1 <!-- <svg onload=window.hit=1> ]]> &lt;b&gt; \xe2\x80\xa8 \xe2\x80\xae"
           b" \x00\x1b[31m \xff\xfe\xc3( \\u003c \" ' `${window.hit=1}` {{trace}} [[SYN]]")


class ReportTest(handlens.LabTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = webdriver.open_browser()
        cls.addClassCleanup(cls.browser.close)

    def report(self, *arguments):
        """Makes a report and opens it. (-o FILE is added)"""
        path = self.work / "report.html"
        self.run_handlens("view", *arguments, "--as", "html", "-o", path, "--force")
        return self.show(path)

    def show(self, path):
        self.browser.console()
        self.browser.open(path)
        self.assertEqual(self.browser.console(), [])
        self.assertIsNotNone(self.js("return document.documentElement.dataset.ready"))
        return path

    def js(self, script, *arguments):
        return self.browser.run(script, *arguments)

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0])?.textContent", selector)

    def count(self, selector):
        return self.js("return document.querySelectorAll(arguments[0]).length", selector)

    def chosen(self):
        return self.js("return document.querySelector('.row.chosen')?.getAttribute('aria-label')")

    def click_row(self, words):
        """Clicks the ladder's row that says this."""
        self.assertTrue(self.js("""
            const row = [...document.querySelectorAll('.row')].find(
                (each) => each.getAttribute('aria-label').includes(arguments[0]));
            row?.querySelector('.ground').dispatchEvent(new MouseEvent('click', {bubbles: true}));
            return Boolean(row)""", words), f"no row says '{words}'")


@handlens.needs_private
class TestHello(ReportTest):
    def setUp(self):
        super().setUp()
        self.page = self.work / "hello.html"
        self.result = self.run_handlens("run", "hello", "--html", self.page)
        self.show(self.page)

    def test_a_run_writes_a_report_besides_its_view(self):
        self.assertIn("Hello from the client", self.result.out)
        self.assertEqual(self.js("return document.title"), "Hello · handlens")
        self.assertEqual(self.text("#about"),
                         "A client says hello, the server answers, and both hang up.")

    def test_a_report_is_never_overwritten_without_force(self):
        before = self.page.read_bytes()
        result = self.run_handlens("run", "hello", "--html", self.page, status=handlens.USAGE)
        self.assertIn("--force", result.err)
        self.assertEqual(self.page.read_bytes(), before)

    def test_a_run_that_cannot_begin_leaves_no_report(self):
        page = self.work / "other.html"
        self.run_handlens("run", self.lab("lab.port = 99999999"), "--html", page, status=None)
        self.assertFalse(page.exists())

    def test_the_page_is_small_and_asks_for_nothing(self):
        page = self.page.read_text()
        self.assertLess(len(page), 200 * 1024)
        self.assertNotRegex(page, r"https?://(?!www\.w3\.org/2000/svg)")
        policy = self.js("return document.querySelector('meta[http-equiv]').content")
        self.assertIn("default-src 'none'", policy)
        self.assertRegex(policy, r"script-src 'sha256-[\w+/]{43}='; style-src 'sha256-")
        self.assertNotIn("unsafe", policy)
        self.assertEqual(self.js("return performance.getEntriesByType('resource').length"), 0)

    def test_the_policy_stops_other_scripts(self):
        self.js("""const script = document.createElement('script');
                   script.textContent = 'window.hit = 1'; document.body.append(script);""")
        self.assertIsNone(self.js("return window.hit"))

    def test_a_packet_selects_its_line_and_its_call(self):
        self.click_row("Packet 1,")
        self.assertIn("socket.connect", self.text(".line.now code"))
        self.assertIn("Packet 1", self.text("#words"))
        related = self.js("return [...document.querySelectorAll('.row.related')]"
                          ".map((row) => row.getAttribute('aria-label')).join('|')")
        self.assertIn("connect", related)
        self.assertIn("Packet 2", related)
        self.assertIn("Packet 3", related)
        self.assertNotIn("Packet 4", related)

    def test_a_line_selects_its_call_its_packets_and_what_was_said(self):
        self.js("""[...document.querySelectorAll('.line')].find((line) =>
                   line.textContent.includes('sock:sendall')).click()""")
        self.assertIn("sendall", self.chosen())
        self.assertIn("Packet 4", self.js("return [...document.querySelectorAll('.row.related')]"
                                          ".map((row) => row.getAttribute('aria-label')).join()"))
        self.assertIn("Hello from the client", self.text(".chunk.now pre"))
        self.assertIn("Destination Port", self.text("#headers"))

    def test_what_was_said_selects_its_packet_and_its_line(self):
        self.js("document.querySelectorAll('.chunk')[1].click()")
        self.assertIn("Packet 6", self.chosen())
        self.assertIn("conn:sendall", self.text(".line.now code"))

    def test_a_byte_of_the_payload_is_marked_in_the_stream(self):
        self.click_row("Packet 4,")
        self.js("document.querySelectorAll('.byte.payload')[6].click()")
        self.assertEqual(self.text(".chunk.now mark"), "f")  # Hello f
        self.assertIn("Payload", self.text("#picked"))

    def test_a_character_of_the_stream_selects_its_byte(self):
        self.click_row("Packet 4,")
        self.js("""
            const pre = document.querySelector('.chunk pre');
            const range = document.createRange();
            range.setStart(pre.firstChild, 6); range.setEnd(pre.firstChild, 7);
            const at = range.getBoundingClientRect();
            pre.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: at.left + 1,
                                                       clientY: at.top + at.height / 2}));""")
        self.assertEqual(self.text(".byte.picked"), "66")
        self.assertEqual(self.text(".chunk.now mark"), "f")

    def test_hovering_a_field_lights_its_bytes_and_a_byte_its_field(self):
        self.click_row("Packet 2,")
        self.browser.hover("#headers details[open] .field[title^='Sequence Number']")
        lit = self.js("return [...document.querySelectorAll('.byte.lit')]"
                      ".map((byte) => byte.textContent).join('')")
        value = self.text("#headers .field[title^='Sequence Number'] .value")
        self.assertEqual(int(lit, 16), int(value))
        self.browser.hover("#bytes .byte[data-byte='36']")
        self.assertEqual(self.text("#headers .field.lit .name"), "Destination Port")

    def test_a_state_selects_the_packet_that_brought_it(self):
        self.js("""[...document.querySelectorAll('.rows .state')].find((each) =>
            each.textContent === 'TIME-WAIT' || each.textContent === 'FIN-WAIT-1')
            .dispatchEvent(new MouseEvent('click', {bubbles: true}))""")
        self.assertRegex(self.text(".state-said"), "server is in (TIME-WAIT|FIN-WAIT-1)")

    def test_a_newcomer_s_questions_are_answered(self):
        flow = self.text("#flow-facts")
        script = handlens_root.joinpath("scripts/hello.lua").read_text().splitlines()
        line_of = {words: 1 + next(n for n, line in enumerate(script) if words in line)
                   for words in ("socket.connect", "sock:sendall", "conn:close")}
        self.assertIn(f"SYN came from line {line_of['socket.connect']}, connect", flow)
        self.assertIn(f"server closed first by line {line_of['conn:close']}, close()", flow)
        self.assertRegex(flow, r"TIME-WAIT is at the server’s end")
        self.click_row("Packet 2,")
        isn = self.text("#headers .field[title^='Sequence Number'] .value")
        self.assertIn(f"server {isn}", flow)
        self.click_row("Packet 3,")
        self.assertIn("carries no data", self.text("#words"))
        self.assertIn(f"line {line_of['sock:sendall']}", self.text("#words"))

    def test_without_a_check_none_is_listed(self):
        self.assertTrue(self.js("return document.getElementById('checks').hidden"))

    def test_checks_are_listed_with_what_they_saw_and_lead_to_their_packets(self):
        script = handlens_root.joinpath("scripts/hello.lua").read_text()
        lab = self.lab(script.replace('"SYN, SYN ACK, ACK"', '"SYN, ACK"'))
        page = self.work / "checked.html"
        self.run_handlens("check", lab, "--html", page, status=handlens.CHECK_FAILED)
        self.show(page)
        self.assertEqual(self.text("#checks-title"), "Checks: 4 of 5 passed")
        self.assertRegex(self.text("#checks li.failed"), r'failed flow.handshake is "SYN, ACK".*'
                                                         r'packets 1–3.*line \d+.*saw "SYN, SYN ACK, ACK"')
        self.assertRegex(self.text("#checks li:nth-child(2)"), "passed flow.client.sent .*packet 4 ")
        self.browser.click("#checks li.failed .link:nth-of-type(2)")
        self.assertIn("Packet 3,", self.chosen())
        self.assertIn("Check failed: flow.handshake", self.text("#words"))

    def test_arrow_keys_step_home_and_end_jump(self):
        self.browser.click("#ladder .row .ground")
        self.browser.press("home")
        self.assertIn("step 1 of", self.text("#position"))
        seen = [self.chosen()]
        for _ in range(8):
            self.browser.press("right")
            seen.append(self.chosen())
        self.assertEqual(len(set(seen)), 9)
        self.assertIn("step 9 of", self.text("#position"))
        self.browser.press("left")
        self.assertEqual(self.chosen(), seen[7])
        self.browser.press("end")
        self.assertTrue(self.js("return document.getElementById('forward').disabled"))

    def test_playing_steps_by_itself_and_stops_at_the_end(self):
        self.js("""document.getElementById('speed').value = '200';
                   document.getElementById('last').click();
                   document.getElementById('back').click();
                   document.getElementById('back').click();""")
        self.browser.click("#play")
        self.assertEqual(self.js("return document.getElementById('play').getAttribute('aria-label')"),
                         "Pause")
        done = self.browser.run_async("""
            const done = arguments[0];
            const play = document.getElementById('play');
            const over = () => play.getAttribute('aria-label') === 'Play' && done(true);
            new MutationObserver(over).observe(play, {attributes: true});""")
        self.assertTrue(done)
        self.assertTrue(self.js("return document.getElementById('forward').disabled"))

    def test_everything_is_reached_by_the_keyboard_alone(self):
        reached = set()
        for _ in range(60):
            self.browser.press("tab")
            reached.add(self.js("""const at = document.activeElement;
                return at.closest('section, #explain, header')?.id + (at.id ? '#' + at.id : '')"""))
        sections = {each.split("#")[0] for each in reached}
        self.assertLessEqual({"player", "script", "stream", "exchange", "packet", "flows"}, sections)
        self.js("document.getElementById('lines').focus()")
        self.browser.press("down")
        line = self.text(".line.now .at")
        self.browser.press("down")
        self.assertNotEqual(self.text(".line.now .at"), line)
        self.js("document.getElementById('chunks').focus()")
        self.browser.press("down", "up")
        self.assertRegex(self.chosen(), "Packet 4,")

    def test_arrow_keys_go_from_byte_to_byte(self):
        self.click_row("Packet 1,")
        self.js("document.querySelector('.byte').focus()")
        self.browser.press("right", "down")
        self.assertEqual(self.js("return document.activeElement.dataset.byte"), "17")
        self.assertEqual(self.text("#packet .byte.picked"), self.js("return document.activeElement.textContent"))
        self.assertIn("Packet 1,", self.chosen())

    def test_a_term_explains_itself_and_escape_gives_the_focus_back(self):
        self.js("document.querySelector('#words .term').focus()")
        self.browser.press("enter")
        self.assertEqual(self.text("#explain-term"), self.text("#words .term"))
        self.assertRegex(self.text("#explain-rfc"), "RFC 9293 section 3")
        self.browser.press("escape")
        self.assertTrue(self.js("return document.getElementById('explain').hidden"))
        self.assertTrue(self.js("return document.activeElement.classList.contains('term')"))

    def test_every_state_and_mark_and_flag_has_its_term(self):
        missing = self.js("""
            const known = new Set([...document.querySelectorAll('#terms dt')].map((t) => t.textContent));
            return arguments[0].filter((word) => !known.has(word))""",
            ["SYN", "ACK", "FIN", "RST", "PSH", "URG", "LISTEN", "SYN-SENT", "SYN-RECEIVED",
             "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK",
             "TIME-WAIT", "CLOSED", "retransmission", "fast retransmission", "duplicate ACK",
             "spurious retransmission", "out-of-order", "previous segment not captured",
             "ACKed unseen segment", "zero window", "window update", "window full",
             "zero window probe", "zero window probe ACK", "keep-alive", "keep-alive ACK",
             "port reused"])
        self.assertEqual(missing, [])

    def test_the_ladder_speaks_to_screen_readers(self):
        self.click_row("Packet 1,")
        ladder = "document.getElementById('ladder')"
        self.assertEqual(self.js(f"return {ladder}.getAttribute('role')"), "listbox")
        active = self.js(f"return {ladder}.getAttribute('aria-activedescendant')")
        self.assertRegex(self.js("return document.getElementById(arguments[0]).getAttribute('aria-label')", active),
                         r"Packet 1, client to server: SYN .*client: CLOSED → SYN-SENT")
        unnamed = self.js("""return [...document.querySelectorAll('button')].filter((b) =>
            !b.textContent.trim() && !b.getAttribute('aria-label')).length""")
        self.assertEqual(unnamed, 0)

    def test_nothing_is_wider_than_a_narrow_screen(self):
        self.browser.resize(420, 900)
        self.addCleanup(self.browser.resize, 1500, 1000)
        self.show(self.page)
        self.browser.press(*4 * ["right"])  # what stands beside the buttons is long then
        # Without the scroll bar, which takes its part of a window.
        wide = self.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        self.assertLessEqual(wide, 0)

    def test_what_a_check_says_stays_text(self):
        check = ('{"event":"check","verdict":"failed","expectation":"<img src=x onerror=window.hit=1>",'
                 '"seen":"\\u003cb>","packets":"3, 5-7","script":"<i>","line":31},')
        page = self.page.read_text()
        self.page.write_text(page.replace('{"event":"end"', check + '\n{"event":"end"', 1))
        self.show(self.page)
        self.assertRegex(self.text("#checks li"), "<img src=x.*packets 3, 5–7 · <i>, line 31.*saw <b>")
        self.assertEqual(self.count("#checks :is(img, i)"), 0)

    def test_a_small_exchange_has_nothing_to_plot(self):
        self.assertTrue(self.js("return document.getElementById('plots').hidden"))


@handlens.needs_private
class TestHostileExchange(ReportTest):
    def test_titles_payloads_prints_and_the_script_itself_stay_text(self):
        evil = "".join(f"\\x{byte:02x}" for byte in HOSTILE)
        title = evil.replace("\\x00", "")
        lab = self.lab(f'''-- </script><script>window.hit=1</script><img src=x onerror=window.hit=1>
lab.title = "</title><script>window.hit=1</script>{title}"
lab.about = "<img src=x onerror=window.hit=1>"
lab.port = 7000
local evil = "{evil}"
function lab.server(listener)
  local conn = listener:accept()
  conn:sendall(conn:recv(4096))
  conn:close()
end
function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall(evil)
  print(sock:recv(4096))
  sock:close()
end
''', name="<img src=x onerror=hit=1>.lua")
        page = self.work / "evil.html"
        self.run_handlens("run", lab, "--html", page)
        self.show(page)
        for _ in range(40):
            self.browser.press("right")
        self.assertIsNone(self.js("return window.hit"))
        self.assertEqual(self.count("img"), 0)
        self.assertEqual(self.count("body script"), 1)  # the page's own; the data are taken away
        self.assertIn("</script><script>window.hit=1</script>", self.text("#script-body"))
        self.assertIn("<img src=x onerror=window.hit=1>", self.text("#about"))
        self.assertIn("</script><script>window.hit=1</script>", self.text(".chunk pre"))
        self.assertIn("[[SYN]]", self.text(".chunk pre"))
        self.assertFalse(self.browser.alert_is_open())
        self.assertEqual(self.browser.console(), [])


class TestCaptures(ReportTest):
    def test_hostile_bytes_of_a_stranger_s_capture_stay_text(self):
        capture = self.work / "<img src=x onerror=hit=1> javascript:hit=1.pcap"
        page = self.report(captures.saying(capture, HOSTILE))
        data = page.read_bytes()
        block = data[data.index(b'id="trace">') + 11:]
        block = block[:block.index(b"</script>")]
        self.assertNotIn(b"<", block)
        self.js("document.querySelector('.chunk').click()")
        self.assertIsNone(self.js("return window.hit"))
        self.assertEqual(self.count("img"), 0)
        said = self.text(".chunk pre")
        self.assertIn("</script><script>window.hit=1</script>", said)
        self.assertIn("⟨2028⟩ ⟨202E⟩ ␀␛[31m ⟨ff⟩⟨fe⟩⟨c3⟩(", said)
        self.assertIn("<img src=x onerror=hit=1>", self.text("#title"))

    def test_an_empty_report_is_under_200_kib(self):
        page = self.report(captures.Capture().write(self.work / "empty.pcap"))
        self.assertLess(page.stat().st_size, 200 * 1024)
        self.assertIn("Nothing was captured", self.text("#ladder"))

    def test_ten_thousand_packets_are_there_within_two_seconds(self):
        limit = 6000 if handlens.SANITIZED else 2000
        capture = captures.bulk(self.work / "bulk.pcap", 10000)
        times = []
        while not times or (min(times) > limit and len(times) < 3):  # others may keep the machine busy
            self.report(capture)
            times.append(self.js("""const paint = performance.getEntriesByName('first-contentful-paint')[0];
                return Math.max(paint?.startTime ?? performance.now(),
                                Number(document.documentElement.dataset.ready))"""))
        self.assertLess(min(times), limit, times)
        self.assertLess(self.count(".row"), 200)
        self.browser.click("#ladder .row .ground")
        self.browser.press("end")
        self.assertIn("Packet 10000,", self.chosen())
        steps = self.js("""return [...Array(20)].map(() => {
            const began = performance.now();
            document.getElementById('back').click();
            return performance.now() - began;
        })""")
        self.assertLess(min(steps), 150, steps)

    def test_plots_show_what_was_sent_again_and_a_click_selects(self):
        self.report(captures.bulk(self.work / "bulk.pcap", 600))
        self.assertFalse(self.js("return document.getElementById('plots').hidden"))
        before = self.chosen()
        self.js("""const plot = document.querySelector('canvas.plot');
            const at = {bubbles: true, pointerId: 1, clientX: 0, clientY: 0};
            const box = plot.getBoundingClientRect();
            plot.setPointerCapture = () => {};
            at.clientX = box.left + box.width * 0.8; at.clientY = box.top + box.height * 0.3;
            plot.dispatchEvent(new PointerEvent('pointerdown', at));
            plot.dispatchEvent(new PointerEvent('pointerup', at));""")
        self.assertNotEqual(self.chosen(), before)
        self.assertIn("Packet", self.chosen())
        self.js("""document.querySelector('canvas.plot').dispatchEvent(
            new KeyboardEvent('keydown', {key: '+', bubbles: true}))""")
        self.assertEqual(self.browser.console(), [])

    def test_lost_segments_and_those_sent_again_are_marked(self):
        self.report(captures.bulk(self.work / "bulk.pcap", 600))
        marks = self.browser.run_async("""
            const done = arguments[0], ladder = document.getElementById('ladder'), marks = new Set();
            const look = () => {
                if (document.querySelector('.cross')) marks.add('cross');
                for (const each of document.querySelectorAll('.mark')) marks.add(each.textContent);
                const end = ladder.scrollTop + ladder.clientHeight >= ladder.scrollHeight - 1;
                if (end) { done([...marks].join('|')); return; }
                ladder.scrollTop += ladder.clientHeight / 2;
                requestAnimationFrame(() => requestAnimationFrame(look));
            };
            ladder.scrollTop = 0;
            look();""")
        self.assertIn("cross", marks)
        self.assertIn("sent again", marks)
        self.assertIn("retransmission", marks)
        self.assertIn("duplicate ACK", marks)

    def test_above_the_limit_the_flows_come_first(self):
        self.report(captures.many_flows(self.work / "many.pcap", 70, 21000))
        self.assertIn("above 20,000 packets the flows come first", self.text("#remarks"))
        self.assertEqual(self.count("tr[data-flow]"), 70)
        self.assertEqual(self.count(".row"), 0)
        self.js("document.querySelector('tr[data-flow=\"7\"] button').click()")
        self.assertGreater(self.count(".row"), 5)
        self.assertIn("of 300", self.text("#position"))

    def test_a_field_s_text_is_the_same_as_in_the_view_of_bytes(self):
        capture = captures.bulk(self.work / "bulk.pcap", 20)
        self.report(capture)
        shown = self.run_handlens("view", capture, "--as", "bytes", "--number", 5).out
        self.click_row("Packet 5,")
        fields = self.js("""return [...document.querySelectorAll('#headers .field:not(.rest)')].map((each) =>
            [each.querySelector('.name').textContent, each.querySelector('.value').textContent])""")
        self.assertGreater(len(fields), 25)
        for name, value in fields:
            if len(name) > 3 and value not in ("0", "1"):
                self.assertIn(value, shown, name)


if __name__ == "__main__":
    if webdriver.missing():
        print(f"skipped: {webdriver.missing()}: not installed")
        sys.exit(77)
    handlens.main()
