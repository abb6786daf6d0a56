"""handlens check: labs judge themselves, and captures that were tampered with are found out."""

import json
import pathlib
import re
import xml.dom.minidom

import handlens
import pcapng
from handlens import CHECK_FAILED, DAMAGED, USAGE

LABS = pathlib.Path(__file__).resolve().parents[2] / "scripts"

MIXED = """
lab.port = 65432
function lab.reply(message) return message end
function lab.client(server)
  local sock = socket.connect(server)
  sock:sendall("Hello")
  sock:recv()
  sock:close()
end
function lab.check(trace)
  local flow = trace:flow(1)
  expect.equal(flow.handshake, "SYN, SYN ACK, ACK")
  expect.equal(flow.client.sent, "Goodbye")
%s
end
"""


class CheckTest(handlens.LabTest):
    def judged(self, *arguments, status=None):
        """The one object of --format json, and its expectations by their line."""
        result = self.run_handlens("check", *arguments, "--format", "json", status=status)
        report = json.loads(result.out)
        return report, {e["line"]: e for e in report["expectations"]}

    def check_lines(self, lines, *files, status=None):
        """Judges a lab with these lines behind its first two expectations (lines 12 and 13)."""
        return self.judged(self.lab(MIXED % lines), *files, status=status)


class Labs(CheckTest):
    def test_first_labs_pass_their_checks(self):
        for name in ("hello", "refused", "steps"):
            result = self.run_handlens("check", name)
            self.assertRegex(result.out, r"(?m)^\d+ passed\.$", result)

    def test_a_recorded_run_is_judged_as_the_run_is(self):
        ran = self.run_handlens("check", "hello", "-w", "kept.pcapng")
        read = self.run_handlens("check", "hello", "kept.pcapng")
        self.assertEqual(ran.out.replace("a run just made", "kept.pcapng"), read.out)

    def test_ascii_where_the_locale_is_not_utf8(self):
        out = self.run_handlens("check", "hello", env={"LANG": "C", "LC_ALL": "C"}).out
        self.assertTrue(out.isascii(), out)
        self.assertIn(" + flow.handshake is", out)

    def test_report_fits_the_width(self):
        lab = self.lab(MIXED % '  expect.order(trace, "client SYN", "server ACK", "client RST")')
        for columns in (40, 60, 100):
            out = self.run_handlens("check", lab, env={"COLUMNS": str(columns)},
                                    status=CHECK_FAILED).out
            widest = max(out.splitlines(), key=len)
            self.assertLessEqual(len(widest), columns, widest)


class Kept(CheckTest):
    """What a check said is kept in the trace and shown in the page."""

    WRONG = '  expect.order(trace, "client SYN", "client ACK")\n  expect.equal(1, 1)'

    def told(self, page):
        """The check events of a report's page."""
        text = page.read_text().partition('id="trace">')[2].partition("</script>")[0]
        return [e for e in json.loads(text) if e["event"] == "check"]

    def test_verdicts_stand_in_the_trace_behind_its_end(self):
        self.run_handlens("check", self.lab(MIXED % self.WRONG), "-w", "kept.pcapng",
                          status=CHECK_FAILED)
        kept = self.json("kept.pcapng")
        # Behind them comes only what the view itself counts together.
        kinds = [e["event"] for e in kept if e["event"] not in ("flow", "capture")]
        self.assertEqual(kinds[-5:], ["end"] + 4 * ["check"])
        checks = [e for e in kept if e["event"] == "check"]
        self.assertEqual([e["verdict"] for e in checks],
                         ["passed", "failed", "failed", "passed"])
        self.assertEqual([e["line"] for e in checks], [12, 13, 14, 15])
        self.assertEqual(checks[0]["packets"], "1-3")
        self.assertEqual((checks[1]["seen"], checks[1]["script"]), ('"Hello"', "mine.lua"))
        self.assertRegex(checks[2]["seen"], "packet 2, not 'client ACK'; packet 2 is server SYN ACK"
                                            ".*: it comes from server, not from client")
        ladder = self.run_handlens("view", "kept.pcapng").out
        self.assertRegex(ladder, r'(?s)Done: 10 packets.*failed \(mine.lua:13\): flow.client.sent is'
                                 r' "Goodbye"; seen: "Hello" \[4\]')

    def test_a_trace_with_verdicts_opens_elsewhere_without_a_warning(self):
        self.run_handlens("check", "hello", "-w", "kept.pcapng")
        for tool in (["tshark", "-r"], ["capinfos"], ["tcpdump", "-nr"]):
            result = self.tool(*tool, "kept.pcapng")
            self.assertNotRegex(result.err, r"(?i)cut short|damaged|corrupt|error|warn", result)

    def test_the_page_has_the_verdicts_of_a_run_and_of_a_file(self):
        ran = self.run_handlens("check", "hello", "-w", "kept.pcapng", "--html", "ran.html")
        self.assertRegex(ran.out, r"(?m)^5 passed\.$")
        self.run_handlens("check", "hello", "kept.pcapng", "--html", "read.html")
        told = self.told(self.work / "ran.html")
        self.assertEqual([e["verdict"] for e in told], 5 * ["passed"])
        self.assertEqual(self.told(self.work / "read.html"), told)  # once: not the trace's own too
        self.run_handlens("view", "kept.pcapng", "--as", "html", "-o", "seen.html")
        self.assertEqual(self.told(self.work / "seen.html"), told)

    def test_the_page_of_a_failure_is_written_too(self):
        self.run_handlens("check", self.lab(MIXED % ""), "--html", "bad.html", status=CHECK_FAILED)
        self.assertEqual([e["verdict"] for e in self.told(self.work / "bad.html")],
                         ["passed", "failed"])
        self.run_handlens("check", self.lab('lab.port = 65432\nfunction lab.server(l) error("no") end\n'
                                            'function lab.client(s) end\nfunction lab.check(t)\n'
                                            '  expect.equal(1, 1)\nend\n'),
                          "--html", "broken.html", status=None)
        self.assertIn("the exchange runs to its end",
                      [e["expectation"] for e in self.told(self.work / "broken.html")])

    def test_the_page_is_refused_where_it_could_not_be_made(self):
        good = self.capture("hello")
        several = self.run_handlens("check", "hello", good, good, "--html", "no.html", status=USAGE)
        self.assert_one_sentence(several, "--html", "one FILE")
        piped = self.run_handlens("check", "hello", "-", "--html", "no.html", status=USAGE)
        self.assert_one_sentence(piped, "--html", "read twice")
        self.run_handlens("check", "hello", "missing.pcap", "--html", "no.html", status=None)
        self.run_handlens("check", self.lab("lab.port = 99999999"), "--html", "no.html", status=None)
        self.assertFalse((self.work / "no.html").exists())
        (self.work / "there.html").write_text("mine")
        self.run_handlens("check", "hello", "--html", "there.html", status=USAGE)
        self.assertEqual((self.work / "there.html").read_text(), "mine")


class Tampered(CheckTest):
    UNSOUND = "each packet fits those before it"

    def setUp(self):
        super().setUp()
        self.good = self.capture("hello")

    def failed_lines(self, change):
        """Which lines of hello.lua's check fail, by the source's expectation."""
        path = pcapng.rewrite(self.good, self.work / "bad.pcapng", change)
        report, _ = self.judged("hello", path, status=CHECK_FAILED)
        return {e["expectation"].split(" is ")[0].split(":")[0]: e
                for e in report["expectations"] if e["verdict"] == "failed"}

    def test_a_flag_flipped(self):
        def change(number, frame):
            if number == 2:
                frame[pcapng.tcp_at(frame) + 13] = 0x10  # ACK instead of SYN ACK
            return frame
        failed = self.failed_lines(change)
        self.assertEqual(set(failed), {"flow.handshake", "in this order", self.UNSOUND})
        self.assertNotIn("SYN ACK", failed["flow.handshake"]["seen"])
        rows = failed["in this order"]["sequence"]
        self.assertEqual([r["kind"] for r in rows[:2]], ["same", "different"])
        self.assertEqual(rows[1]["number"], 2)
        self.assertEqual(rows[1]["expected"], "server SYN ACK")
        self.assertEqual(rows[1]["difference"], "its flags are ACK, not SYN ACK")
        self.assertEqual(failed["in this order"]["packets"], [1, 2])

    def test_a_packet_removed(self):
        failed = self.failed_lines(lambda number, frame: None if number == 2 else frame)
        self.assertEqual(failed["flow.handshake"]["seen"], '"SYN, ACK"')
        self.assertEqual(failed["in this order"]["seen"],
                         "behind packet 1 comes packet 2, not 'server SYN ACK'")

    def test_the_goodbye_removed(self):
        failed = self.failed_lines(lambda number, frame: None if number == 8 else frame)
        self.assertEqual(set(failed), {"in this order", self.UNSOUND})
        self.assertEqual(failed["in this order"]["seen"],
                         "'server FIN ACK' does not come behind packet 3")
        self.assertEqual(failed["in this order"]["sequence"][-1]["kind"], "missing")

    def test_payload_changed(self):
        def change(number, frame):
            return frame.replace(b"Hello from the client", b"Hallo from the client")
        failed = self.failed_lines(change)
        self.assertEqual(set(failed), {"flow.client.sent"})
        self.assertEqual(failed["flow.client.sent"]["seen"], '"Hallo from the client"')
        self.assertEqual(failed["flow.client.sent"]["packets"], [4])

    def test_payload_removed_says_how_much_is_missing(self):
        failed = self.failed_lines(lambda number, frame: None if number == 4 else frame)
        self.assertEqual(set(failed), {"flow.client.sent", self.UNSOUND})
        self.assertIn("21 bytes that the client sent are not in the capture",
                      failed["flow.client.sent"]["note"])

    def test_another_labs_capture(self):
        report, lines = self.judged("hello", self.capture("refused", "refused.pcapng"),
                                    status=CHECK_FAILED)
        self.assertEqual(report["failed"], 4)
        seen = report["expectations"][0]["seen"]
        self.assertEqual(seen, '"SYN, RST ACK"')

    def test_cut_in_the_middle_of_the_handshake(self):
        data, number, end = self.good.read_bytes(), 0, 0
        for kind, block in pcapng.blocks(data):
            number += kind == pcapng.PACKET
            if number == 3:
                break
            end += len(block)
        cut = self.work / "cut.pcapng"
        cut.write_bytes(data[:end + 20])
        result = self.run_handlens("check", "hello", cut, status=CHECK_FAILED)
        self.assertRegex(result.out, r'seen +"SYN, SYN ACK"')
        self.assertRegex(result.out, r"client ACK +≠ +nothing of the kind comes")
        self.assert_one_sentence(result, "damaged", "cut.pcapng")

    def test_cut_behind_what_is_expected_is_damaged_but_passed(self):
        cut = self.work / "cut.pcapng"
        cut.write_bytes(self.good.read_bytes()[:-3])
        result = self.run_handlens("check", "hello", cut, status=DAMAGED)
        self.assertIn("5 passed.", result.out)
        self.assertIn("damaged", result.err)


class Foreign(CheckTest):
    CALLS = """  expect.call("client", "connect")
  expect.call("client", "connect", "ECONNREFUSED")
  expect.equal(#trace.calls, 3)
  expect.equal(trace.calls[1].name, "connect")
  local n = 0
  for _, call in ipairs(trace.calls) do n = n + 1 end
  expect.equal(n, 3)
  expect.truth(n == 0)
  expect.order(flow, "client SYN", "server SYN ACK")
  expect.order(flow, "alice SYN")"""

    def test_what_needs_calls_is_not_judged_and_never_passed(self):
        ours = self.capture(self.lab(MIXED % ""), "ours.pcapng")
        foreign = pcapng.packets_only(ours, self.work / "foreign.pcapng")
        report, lines = self.check_lines(self.CALLS, foreign)
        verdicts = {line: e["verdict"] for line, e in lines.items()}
        self.assertEqual(verdicts[12], "passed")
        self.assertEqual(verdicts[13], "failed")
        for line in (14, 15, 16, 17, 20, 21):
            self.assertEqual(verdicts[line], "not judged", lines[line])
            self.assertIn("no calls", lines[line]["seen"])
        self.assertEqual(verdicts[22], "passed")
        self.assertEqual(verdicts[23], "not judged", lines[23])

    def test_a_capture_without_calls_passes_by_its_packets(self):
        foreign = pcapng.packets_only(self.capture("hello"), self.work / "foreign.pcapng")
        self.assertIn("5 passed.", self.run_handlens("check", "hello", foreign).out)

    def test_when_nothing_can_be_judged_it_is_no_success(self):
        lab = self.lab("function lab.client() pcall(socket.connect, '127.0.0.1:9') end\n"
                       "function lab.check(trace)\n"
                       "  expect.call('client', 'connect', 'ECONNREFUSED')\nend\n")
        self.run_handlens("check", lab, "-w", "ours.pcapng")
        foreign = pcapng.packets_only(self.work / "ours.pcapng", self.work / "foreign.pcapng")
        result = self.run_handlens("check", lab, foreign, status=CHECK_FAILED)
        self.assertIn("0 passed, 1 not judged.", result.out)

    def test_a_capture_of_tcpdump_in_classic_pcap(self):
        foreign = pcapng.packets_only(self.capture("hello"), self.work / "foreign.pcapng")
        self.tool("tcpdump", "-r", foreign, "-w", self.work / "classic.pcap")
        self.assertIn("5 passed.",
                      self.run_handlens("check", "hello", "classic.pcap").out)


class Pasted(CheckTest):
    def test_every_line_of_the_packets_view_is_a_pattern_of_its_packet(self):
        captures = sorted((LABS.parent / "captures").glob("*.pcapng"))
        for path in captures[::10] if handlens.SANITIZED else captures:
            lines = self.run_handlens("view", path, "--as", "packets").out.splitlines()
            quoted = ", ".join("[==[" + line + "]==]" for line in lines)
            lab = self.lab("function lab.client() end\nfunction lab.check(trace)\n"
                           f"  expect.order(trace, {quoted})\n"
                           f"  expect.equal(#trace.packets, {len(lines)})\nend\n")
            with self.subTest(lab=path.stem):
                self.assertIn("2 passed.", self.run_handlens("check", lab, path).out)

    def test_pasted_lines_pass_in_another_run_with_other_ports(self):
        path = self.capture("hello")
        lines = self.run_handlens("view", path, "--as", "packets").out.splitlines()
        text = (LABS / "hello.lua").read_text().replace(
            '"client SYN", "server SYN ACK", "client ACK", "...", "server FIN ACK"',
            ", ".join("[==[" + line + "]==]" for line in lines[:3]))
        lab = self.lab(text)
        self.assertIn("5 passed.", self.run_handlens("check", lab).out)


class Mistakes(CheckTest):
    def test_all_is_judged_whatever_fails_before(self):
        report, lines = self.check_lines('  expect.equal(trace:flow(2).client.sent, "x")\n'
                                         '  expect.equal(flow.close, "closed")')
        self.assertEqual([lines[n]["verdict"] for n in (12, 13, 14, 15)],
                         ["passed", "failed", "failed", "passed"])
        self.assertEqual(lines[14]["seen"], "trace:flow(2): the trace has 1 flow")

    def test_an_error_in_the_check_keeps_what_was_judged_and_lists_the_rest(self):
        report, lines = self.check_lines('  local x = nil + 1\n'
                                         '  expect.equal(flow.close, "closed")')
        self.assertEqual([lines[n]["verdict"] for n in (12, 13, 14, 15)],
                         ["passed", "failed", "failed", "not judged"])
        self.assertIn("arithmetic on a nil value", lines[14]["seen"])
        self.assertTrue(lines[14]["broken"])

    def test_an_endless_loop_is_stopped_and_keeps_what_was_judged(self):
        report, lines = self.check_lines("  while true do end", status=CHECK_FAILED)
        self.assertEqual(lines[12]["verdict"], "passed")
        self.assertIn("endless", lines[14]["seen"])

    def test_the_trace_cannot_be_changed(self):
        for line in ('flow.close = "closed"', 'trace.packets[1] = nil', 'trace.x = 1',
                     'flow.client.sent = ""', 'trace.packets[1].flags = "SYN"'):
            report, lines = self.check_lines("  " + line)
            self.assertEqual(lines[14]["verdict"], "failed", line)
            self.assertIn("cannot be changed", lines[14]["seen"], line)

    def test_a_pattern_that_is_not_understood_suggests_the_nearest(self):
        report, lines = self.check_lines('  expect.order(trace, "client SYM")\n'
                                         '  expect.never(trace, "* [retransmision]")\n'
                                         '  expect.order(trace, "alcie SYN")')
        self.assertIn("did you mean SYN?", lines[14]["seen"])
        self.assertIn("did you mean retransmission?", lines[15]["seen"])
        self.assertIn("no role 'alcie'", lines[16]["seen"])

    def test_a_field_that_is_not_there_suggests_the_nearest(self):
        report, lines = self.check_lines('  expect.equal(flow.handshke, "SYN")')
        self.assertIn("did you mean 'handshake'?", lines[14]["seen"])

    def test_a_lab_without_a_check_is_told(self):
        result = self.run_handlens("check", self.lab("function lab.client() end\n"), status=USAGE)
        self.assert_one_sentence(result, "mine.lua", "lab.check")

    def test_a_check_that_expects_nothing_is_told(self):
        lab = self.lab("function lab.client() end\nfunction lab.check(trace) end\n")
        self.assert_one_sentence(self.run_handlens("check", lab, status=USAGE), "nothing to check")

    def test_expect_outside_of_a_check_names_the_place(self):
        lab = self.lab("function lab.client()\n  expect.equal(1, 1)\nend\n")
        result = self.run_handlens("run", lab, status=USAGE)
        self.assertRegex(result.err, r"mine\.lua:2: expect\.equal: .*lab\.check")

    def test_a_role_that_failed_is_a_failed_expectation_and_the_rest_is_judged(self):
        lab = self.lab("function lab.client()\n  socket.connect('127.0.0.1:9')\nend\n"
                       "function lab.check(trace)\n"
                       "  expect.order(trace, 'client SYN', 'server RST ACK')\nend\n")
        result = self.run_handlens("check", lab, status=USAGE)
        self.assertIn("✗ the exchange runs to its end", result.out)
        self.assertIn("✓ in this order", result.out)
        self.assertIn("ECONNREFUSED", result.err)

    def test_unknown_format_and_options_of_a_run(self):
        self.assert_one_sentence(self.run_handlens("check", "hello", "--format", "jsn",
                                                   status=USAGE), "did you mean 'json'?")
        self.assert_one_sentence(self.run_handlens("check", "hello", "x.pcapng", "-w", "y",
                                                   status=USAGE), "-w")


class Formats(CheckTest):
    EVIL = ("""  expect.equal("<a & b> ]]> # ok 7 -- \\0\\1\\27[31m\\n\\255", 1, """
            """"evil \\"<&>' # SKIP\\n\\27[1m")\n""")

    def test_junit_is_xml_whatever_stands_in_it(self):
        lab = self.lab(MIXED % self.EVIL)
        out = self.run_handlens("check", lab, "--format", "junit", status=CHECK_FAILED).out_bytes
        suite = xml.dom.minidom.parseString(out).getElementsByTagName("testsuite")[0]
        self.assertEqual(suite.getAttribute("tests"), "3")
        self.assertEqual(suite.getAttribute("failures"), "2")
        self.assertEqual(len(suite.getElementsByTagName("failure")), 2)

    def test_tap_counts_and_lets_nothing_in(self):
        lab = self.lab(MIXED % self.EVIL)
        out = self.run_handlens("check", lab, "--format", "tap", status=CHECK_FAILED).out
        self.assertTrue(out.startswith("TAP version 14\n1..3\n"), out)
        results = re.findall(r"(?m)^(ok|not ok) (\d+) - ", out)
        self.assertEqual(results, [("ok", "1"), ("not ok", "2"), ("not ok", "3")])
        self.assertNotIn("# SKIP", re.sub(r"\\#", "", out))
        self.assertNotIn("\x1b", out)

    def test_text_and_json_let_no_escapes_through(self):
        lab = self.lab(MIXED % self.EVIL)
        for form in ("text", "json"):
            out = self.run_handlens("check", lab, "--format", form, status=CHECK_FAILED).out
            self.assertNotIn("\x1b", out)

    def test_all_formats_agree(self):
        lab = self.lab(MIXED % "")
        text = self.run_handlens("check", lab, status=CHECK_FAILED).out
        self.assertIn("1 passed, 1 failed.", text)
        report, _ = self.judged(lab)
        self.assertEqual((report["passed"], report["failed"], report["file"]), (1, 1, None))


class Roles(CheckTest):
    def test_clients_are_told_apart_by_their_names(self):
        lab = self.lab("""
lab.port = 65432
function lab.reply(message) return message end
local function talk(server, text)
  local sock = socket.connect(server)
  sock:sendall(text)
  sock:recv()
  sock:close()
end
function lab.clients.alice(server) talk(server, "from alice") end
function lab.clients.bob(server) talk(server, "from bob") end
function lab.check(trace)
  expect.equal(#trace.flows, 2)
  expect.equal(trace:flow("bob").client.sent, "from bob")
  expect.equal(trace:flow("alice").client.sent, "from alice")
  expect.equal(trace:flow("bob").client.role, "bob")
  expect.order(trace:flow("alice"), "alice SYN", "server SYN ACK", "client ACK", "...",
               "alice PSH ACK len 10")
  expect.never(trace:flow("bob"), "alice *")
  expect.call("bob", "connect(127.0.0.1:65432)")
  expect.call("bob", "recv", "from bob")
  expect.call("server", "accept")
  expect.equal(trace:flow("carol").client.sent, "")
end
""")
        report, lines = self.judged(lab, status=CHECK_FAILED)
        failed = [e for e in report["expectations"] if e["verdict"] != "passed"]
        self.assertEqual(len(failed), 1, failed)
        self.assertIn("carol is part of no flow", failed[0]["seen"])


if __name__ == "__main__":
    handlens.main()
