"""handlens check: every field that a check can ask, and what is said of an expectation that fails.

The cases are lines of a check, judged on the recorded captures. Where a line's expectation must pass,
it is the test; where it must not, what the report says of it stands beside it.
"""

import json
import pathlib
import re
import xml.etree.ElementTree

import handlens
import pcapng

CAPTURES = pathlib.Path(__file__).resolve().parents[2] / "captures"

BEGIN = """function lab.client() end
local function says(f, ...)
  local done, text = pcall(f, ...)
  return not done and text
end
function lab.check(trace)
"""

HELLO = """
expect.equal(#trace.packets, 10)
expect.equal(#trace.flows, 1)
expect.equal(tostring(trace), "the trace")
expect.equal(tostring(trace.packets), "10 packets")
expect.equal(tostring(trace.flows), "1 flows")
expect.matches(tostring(trace.calls), "^%d+ calls$")
expect.equal(tostring(trace.flows[1]), "flow 1")
expect.equal(trace.packets[0], nil)
expect.equal(trace.packets[11], nil)
expect.truth(trace.flows[1] == trace:flow(1), "one flow is one value")
expect.truth(trace.flows[1] ~= trace.packets[1], "a flow is no packet")
expect.truth(trace.packets[1] ~= trace.packets[2], "two packets are two")
expect.truth(trace:flow(1).client ~= trace:flow(1).server, "two sides are two")
expect.truth(trace:flow("client") == trace:flow("server"), "both roles are in the flow")

expect.equal(trace:flow(1).number, 1)
expect.equal(trace:flow(1).protocol, "TCP")
expect.equal(trace:flow(1).close, "closed")
expect.equal(trace:flow(1).closed_by, "server")
expect.equal(trace:flow(1).retransmissions, 0)
expect.equal(trace:flow(1).marks, "none")
expect.equal(trace:flow(1).sack, true)
expect.equal(trace:flow(1).timestamps, true)
expect.equal(trace:flow(1).window_scaling, true)
expect.less(0, trace:flow(1).rtt)
expect.less(trace:flow(1).rtt, 1)

expect.equal(trace:flow(1).client.role, "client")
expect.equal(tostring(trace:flow(1).server), "server")
expect.equal(trace:flow(1).server.address, "127.0.0.1:65432")
expect.equal(trace:flow(1).server.state, "TIME-WAIT")
expect.equal(trace:flow(1).client.states, "CLOSED, SYN-SENT, ESTABLISHED, CLOSE-WAIT, LAST-ACK, CLOSED")
expect.equal(trace:flow(1).client.bytes, 21)
expect.equal(trace:flow(1).client.missing, 0)
expect.equal(#trace:flow(1).client.packets + #trace:flow(1).server.packets, 10)
expect.equal(trace:flow(1).client.retransmissions, 0)
expect.equal(trace:flow(1).client.marks, "none")
expect.equal(trace:flow(1).client.mss, 65495)
expect.equal(trace:flow(1).client.window_scale, 10)
expect.equal(trace:flow(1).client.sack, true)
expect.equal(trace:flow(1).client.timestamps, true)

expect.equal(trace.packets[4].number, 4)
expect.less(trace.packets[4].time, trace.packets[5].time)
expect.equal(trace.packets[4].flow, 1)
expect.equal(trace.packets[4].role, "client")
expect.equal(trace.packets[4].from, "client")
expect.equal(trace.packets[5].from, "server")
expect.equal(trace.packets[4].destination, "127.0.0.1:65432")
expect.equal(trace.packets[5].source, "127.0.0.1:65432")
expect.equal(trace.packets[4].flags, "PSH ACK")
expect.equal(trace.packets[4].seq, 1)
expect.equal(trace.packets[5].ack, 22)
expect.equal(trace.packets[1].ack, nil)
expect.equal(trace.packets[2].window, 65483)
expect.equal(trace.packets[4].length, 21)
expect.equal(trace.packets[4].payload, "Hello from the client")
expect.equal(trace.packets[4].marks, "none")
expect.equal(trace.packets[4].call.name, "sendall")
expect.matches(trace.packets[4].text, "client PSH ACK seq 1 ack 1 win %d+ len 21")
expect.equal(trace.packets[4], trace.packets[4].text)

expect.equal(trace.packets[1].call.role, "client")
expect.equal(trace.packets[1].call.arguments, "127.0.0.1:65432")
expect.equal(tostring(trace.packets[1].call), "connect(127.0.0.1:65432)")
expect.truth(trace.calls[trace.packets[1].call.number] == trace.packets[1].call, "a packet's call")
expect.equal(#trace.packets[1].call.packets, 3)
expect.equal(trace.packets[1].call.line, 25)
expect.less(0, trace.packets[1].call.seconds)
expect.equal(trace.packets[4].call.result, "21")
expect.equal(trace.packets[4].call.code, nil)
expect.equal(trace.packets[4].call.message, nil)
expect.equal(trace.calls[1].line, nil)

expect.sound(trace)
expect.sound(trace:flow(1))
expect.sound(trace, "nothing was taken out")
expect.never(trace:flow(1), "* RST *", "UDP")
expect.order(trace:flow(1).server.packets, "SYN ACK", "...", "FIN ACK", "ACK")
expect.order(trace, "* <mss *, sack>", "<timestamps>", "win 65536 len 0", "len 1-30", "ack >=22")
expect.order(trace, "SYN seq <1 len <=0", "...", "PSH * len >20")
expect.order(trace, "TCP seq * ack *", "[127.0.0.1]:65432 > 127.0.0.1:7  * ack 1")
expect.order(trace, "127.0.0.1:7 > 127.0.0.1:65432", "…", "127.0.0.1:65432 > 127.0.0.1:7 FIN ACK")
expect.call("*", "listen")
expect.call("client", "recv(1024)", "Hello from the server")
expect.call("client", "sendall", 21)
expect.call("server", "listen(128)")

expect.matches(says(function() return trace.flws end), "a trace has no 'flws'; did you mean 'flows'%?")
expect.matches(says(function() return trace.xyzzy end), "a trace has no 'xyzzy'$")
expect.matches(says(function() return trace[1] end), "a trace has named fields only, not a number")
expect.matches(says(function() return trace.packets.x end), "a list is indexed by whole numbers, not by x")
expect.matches(says(function() return trace:flow({}) end), "number expected, got table")
expect.matches(says(function() return trace:flow(9).close < 1 end), "trace:flow%(9%): the trace has 1 flow")
expect.equal(tostring(trace:flow(9)), "(trace:flow(9): the trace has 1 flow)")
expect.matches(says(socket.tcp), "socket")
expect.matches(says(sleep, 1), "^sleep: calls are made inside a role .*, not after the exchange$")
"""

# A capture, lines, and what they must give.
PASSING = {
    "hello": HELLO,
    "datagram": """
expect.equal(trace:flow(1).protocol, "UDP")
expect.equal(trace:flow(1).handshake, "none")
expect.equal(trace:flow(1).closed_by, nil)
expect.equal(trace:flow(1).rtt, nil)
expect.equal(trace:flow(1).client.mss, nil)
expect.equal(trace:flow(1).client.window_scale, nil)
expect.equal(trace:flow(1).client.sack, nil)
expect.equal(trace:flow(1).client.timestamps, nil)
expect.equal(trace:flow(1).sack, nil)
expect.equal(trace.packets[1].flags, nil)
expect.equal(trace.packets[1].seq, nil)
expect.equal(trace.packets[1].window, nil)
expect.equal(trace.packets[1].length, 13)
expect.equal(trace.packets[6].source, "127.0.0.1")
expect.equal(trace.packets[6].destination, "127.0.0.1")
expect.order(trace, "UDP len 8", "ICMP destination unreachable")
expect.order(trace, "UDP", "127.0.0.1 > 127.0.0.1  ICMP destination *: port unreachable")
expect.never(trace, "TCP", "UDP len >100", "ICMP echo request")
""",
    "noscaling": """
expect.equal(trace:flow(1).window_scaling, false)
expect.equal(trace:flow(1).client.window_scale, nil)
""",
    "refused": """
expect.equal(trace:flow(1).close, "refused")
expect.equal(trace:flow(1).rtt, nil)
expect.equal(trace.packets[1].call.code, "ECONNREFUSED")
expect.matches(trace.packets[1].call.message, "Connection refused")
expect.equal(trace.packets[1].call.result, nil)
expect.call("client", "connect", "ECONNREFUSED")
""",
    "backoff": """
expect.equal(trace.packets[5].call, nil)
expect.equal(trace.packets[5].marks, "retransmission")
expect.equal(trace:flow(1).client.marks, "retransmission")
expect.order(trace, "PSH ACK", "PSH ACK [retransmission]", "[retransmission]")
expect.less(0, trace:flow(1).client.retransmissions)
""",
    "zerowindow": """
expect.matches(trace:flow(1).marks, "zero window")
expect.matches(trace:flow(1).marks, "window full")
""",
}

# What does not pass: the line, its verdict, whether the check itself is to blame, and what is seen.
FAILING = [
    ("expect.equal(#trace.packets, 11)", "failed", False, "10"),
    ("expect.equal(nil, 1)", "failed", False, "nil"),
    ("expect.equal(1)", "failed", True, "takes two values: what is seen, what is expected"),
    ("expect.equal({}, 1)", "failed", True, "compares texts, numbers and truth values, not a table"),
    ("expect.less(2, 1)", "failed", False, "2"),
    ("expect.less('b', 'a')", "failed", False, '"b"'),
    ("expect.less(nil, 1)", "failed", False, "nil"),
    ("expect.less(1, nil)", "failed", False, "nil"),
    ("expect.less(1, 'a')", "failed", True, "compares two numbers or two texts, not a number with a "
                                            "string"),
    ("expect.less(true, false)", "failed", True, "not a boolean with a boolean"),
    ("expect.less(1)", "failed", True, "not a number with a no value"),
    ("expect.less(trace:flow(2).rtt, 1)", "failed", False, "the trace has 1 flow"),
    ("expect.matches('abc', 'x')", "failed", False, '"abc"'),
    ("expect.matches(nil, 'x')", "failed", False, "nil"),
    ("expect.matches('abc', 1)", "failed", True, "takes a text and a pattern, not a string and a number"),
    ("expect.matches({}, 'x')", "failed", True, "not a table and a string"),
    ("expect.matches('abc', '[')", "failed", True, "malformed pattern (missing ']')"),
    ("expect.matches(trace:flow(2).close, 'x')", "failed", False, "the trace has 1 flow"),
    ("expect.truth(false)", "failed", False, "false"),
    ("expect.truth(trace:flow(2))", "failed", False, "the trace has 1 flow"),
    ("expect.order(trace)", "failed", True, "takes the trace or a flow, and then patterns of packets"),
    ("expect.order(trace, {})", "failed", True, 'pattern 1 is a table; it must be a text such as'),
    ("expect.order(12, 'SYN')", "failed", True, "begins with the trace, a flow or a list of packets, "
                                                "not a number"),
    ("expect.order(trace.calls, 'SYN')", "failed", True, "not a userdata"),
    ("expect.never(trace:flow(2), 'SYN')", "failed", False, "the trace has 1 flow"),
    ("expect.never(trace, 'SYM')", "failed", True, "did you mean SYN?"),
    ("expect.never(trace, 'FIN ACK')", "failed", False, "packet 8: server FIN ACK"),
    ("expect.order(trace, 'SYN', 'SYN ACK seq 5')", "failed", False, "seq is 0, not 5"),
    ("expect.order(trace, 'SYN', 'SYN ACK ack >1')", "failed", False, "ack is 1, not at least 2"),
    ("expect.order(trace, 'SYN', 'SYN ACK win 1-9')", "failed", False, "its window is 65483, not 1 to 9"),
    ("expect.order(trace, 'SYN', 'SYN ACK <mss 1>')", "failed", False, "the option 'mss 1' is not there"),
    ("expect.order(trace, 'SYN', '[retransmission]')", "failed", False, "it is no retransmission"),
    ("expect.order(trace, 'SYN', 'UDP')", "failed", False, "it is another kind of packet"),
    ("expect.order(trace, 'SYN', '1.2.3.4 > 127.0.0.1')", "failed", False,
     "it comes from server, not from those addresses"),
    ("expect.order(trace, 'SYN', 'client SYN ACK')", "failed", False,
     "it comes from server, not from client"),
    ("expect.call('client', 'frobnicate')", "failed", False, "client made no such call"),
    ("expect.call('*', 'frobnicate')", "failed", False, "nobody made such a call"),
    ("expect.call('client', 'sendall', 22)", "failed", False, "21 (line 26)"),
    ("expect.call('server', 'close', 'ENOTCONN')", "failed", False, "it returned nothing (line 21); it returned nothing"),
    ("expect.call(1)", "failed", True, "expect.call"),
    ("expect.call('alcie', 'recv')", "failed", False, "alcie made no such call"),
    ("expect.sound(12)", "failed", True, "expect.sound"),
    ("expect.sound(trace:flow(2))", "failed", False, "the trace has 1 flow"),
    ("expect.equal(trace:flow('carol').close, 'closed')", "failed", False, "carol is part of no flow"),
]

# Of packets alone.
UNKNOWN = [
    ("expect.equal(trace.packets[1].call, nil)", "not judged", False, "no calls, only packets"),
    ("expect.equal(trace:flow('alice').close, 'x')", "not judged", False,
     "the capture does not say which packets are alice's"),
    ("expect.call('client', 'connect')", "not judged", False, "no calls"),
]


class Values(handlens.LabTest):
    def judge(self, lines, capture):
        """The expectations of a check with these lines, by their place among them."""
        lab = self.lab(BEGIN + "".join(f"  {line}\n" for line in lines) + "end\n")
        out = self.run_handlens("check", lab, capture, "--format", "json", status=None).out
        first = BEGIN.count("\n") + 1
        return {e["line"] - first: e for e in json.loads(out)["expectations"]}

    def test_every_field_has_the_value_that_its_name_says(self):
        for name, text in PASSING.items():
            lines = text.strip().split("\n")
            judged = self.judge(lines, CAPTURES / f"{name}.pcapng")
            for n, line in enumerate(lines):
                if line:
                    with self.subTest(capture=name, line=line):
                        self.assertEqual(judged[n]["verdict"], "passed", judged[n])

    def assert_told(self, cases, capture):
        judged = self.judge([case[0] for case in cases], capture)
        for n, (line, verdict, broken, told) in enumerate(cases):
            with self.subTest(line=line):
                one = judged[n]
                rows = one.get("sequence", [])
                said = " ".join(filter(None, [one["seen"], one.get("note"),
                                              *(row.get("difference") for row in rows)]))
                self.assertIn(told, said)
                self.assertEqual((one["verdict"], one.get("broken", False)), (verdict, broken), one)

    def test_what_does_not_hold_is_told_with_what_is_there(self):
        self.assert_told(FAILING, CAPTURES / "hello.pcapng")

    def test_what_packets_alone_do_not_tell_is_not_judged(self):
        foreign = pcapng.packets_only(CAPTURES / "hello.pcapng", self.work / "foreign.pcapng")
        self.assert_told(UNKNOWN, foreign)


class Reports(handlens.LabTest):
    """The formats for programs say of each expectation what the one for readers says."""

    LINES = [case[0] for case in FAILING + UNKNOWN] + ["expect.equal(1, 1)", "error('enough')",
                                                       "expect.equal(2, 2)"]

    def setUp(self):
        super().setUp()
        self.lab("function lab.client() end\nfunction lab.check(trace)\n" + "\n".join(self.LINES) +
                 "\nend\n")
        cut = (CAPTURES / "hello.pcapng").read_bytes()[:-3]
        (self.work / "cut.pcapng").write_bytes(cut)
        pcapng.packets_only(CAPTURES / "hello.pcapng", self.work / "foreign.pcapng")
        self.reports = [json.loads(line) for line in self.check("json").out.splitlines()]

    def check(self, form, *files):
        files = files or ("cut.pcapng", "foreign.pcapng", "none.pcapng")
        return self.run_handlens("check", "mine.lua", *files, "--format", form,
                                 status=handlens.CHECK_FAILED)

    def test_junit(self):
        suites = xml.etree.ElementTree.fromstring(self.check("junit").out_bytes).findall("testsuite")
        self.assertEqual(len(suites), 3)
        for suite, report in zip(suites, self.reports):
            expectations = report["expectations"]
            unread = 1 if report.get("error") else 0
            broken = sum(e["verdict"] == "failed" and e.get("broken", False) for e in expectations)
            self.assertEqual({name: int(suite.get(name))
                              for name in ("tests", "failures", "errors", "skipped")},
                             {"tests": len(expectations) + unread,
                              "failures": report["failed"] - broken, "errors": broken + unread,
                              "skipped": report["not_judged"]})
            for case, one in zip(suite.findall("testcase"), expectations):
                self.assertEqual(case.get("name"), f"line {one['line']}: {one['expectation']}")
                self.assertEqual((case.get("classname"), case.get("file"), case.get("line")),
                                 ("mine", "mine.lua", str(one["line"])))
                outcome, = case or [None]
                kind = outcome.tag if outcome is not None else "passed"
                self.assertEqual(kind, {"not judged": "skipped", "passed": "passed"}.get(
                    one["verdict"], "error" if one.get("broken") else "failure"))
                for row in one.get("sequence") or []:
                    self.assertIn(f"expected '{row['expected'] or ''}', came ", outcome.text)
                    self.assertIn(row["came"] or "", outcome.text)
            if unread:
                last = suite.findall("testcase")[-1]
                self.assertEqual(last.get("name"), "the trace can be read to its end")
                self.assertEqual(last.find("error").get("message"), report["error"])

    def test_tap(self):
        out = self.check("tap").out
        self.assertTrue(out.startswith("TAP version 14\n1..3\n# Subtest: cut.pcapng\n"), out[:80])
        parts = re.split(r"(?m)^# Subtest: .*\n", out)[1:]
        for part, report in zip(parts, self.reports):
            lines = re.findall(r"(?m)^    (ok|not ok) (\d+) - (.*)$", part)
            told = [(e["verdict"] == "failed", e["verdict"] == "not judged")
                    for e in report["expectations"]] + [(True, False)] * bool(report.get("error"))
            self.assertEqual([(word == "not ok", " # SKIP not judged: " in text)
                              for word, _, text in lines], told)
            self.assertEqual([int(number) for _, number, _ in lines],
                             list(range(1, len(told) + 1)))
            self.assertEqual(part.count("difference: "),
                             sum(row["kind"] in ("different", "missing")
                                 for e in report["expectations"] for row in e.get("sequence") or []))
        self.assertEqual(re.findall(r"(?m)^(ok|not ok) (\d+) - (.*)$", out),
                         [("not ok", "1", "cut.pcapng"), ("not ok", "2", "foreign.pcapng"),
                          ("not ok", "3", "none.pcapng")])
        alone = self.check("tap", "cut.pcapng").out
        self.assertRegex(alone, rf"(?m)^1\.\.{len(self.reports[0]['expectations']) + 1}$")
        self.assertRegex(alone, r"(?m)^not ok \d+ - .*cut\.pcapng.* damaged")

    def test_text(self):
        """For readers: what passed alone is not told where more than one file is judged."""
        for options in ([], ["--color", "always"]):
            out = self.run_handlens("check", "mine.lua", "cut.pcapng", "foreign.pcapng",
                                    "none.pcapng", *options, status=handlens.CHECK_FAILED).out
            plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
            self.assertEqual(plain == out, not options)
            for report in self.reports:
                for one in report["expectations"]:
                    if one["verdict"] != "passed":
                        # Its text may be broken to the width.
                        self.assertIn(re.sub(r"\s", "", one["expectation"]),
                                      re.sub(r"\s", "", plain))
            self.assertIn("0 of 3 files passed.", plain)


class Trouble(handlens.LabTest):
    """A check that does not come to its end."""

    def judge(self, body, **options):
        lab = self.lab(f"function lab.client() end\nfunction lab.check(trace)\n{body}\nend\n")
        result = self.run_handlens("check", lab, CAPTURES / "hello.pcapng", "--format", "json",
                                   status=handlens.CHECK_FAILED, **options)
        return [(e["verdict"], e["line"], e["expectation"], e["seen"])
                for e in json.loads(result.out)["expectations"]]

    def test_lists_what_it_did_not_come_to(self):
        judged = self.judge("  expect.equal(1, 1)\n  error('enough')\n\texpect.equal(2, 2)  \n"
                            "  -- expect.equal(3, 3)\n  print(4)\n  if true then expect.truth(5) end")
        unreached = "the check ended before it came here"
        self.assertEqual(judged, [
            ("passed", 3, "1 is 1", "1"),
            ("failed", 4, "the check runs to its end", "enough"),
            ("not judged", 5, "expect.equal(2, 2)", unreached),
            ("not judged", 8, "if true then expect.truth(5) end", unreached)])

    def test_cannot_wait(self):
        for body in ("coroutine.yield()", "sleep(1)", "input()", "socket.select({}, {}, 1)"):
            (verdict, _, words, seen), = self.judge(f"  {body}")
            self.assertEqual((verdict, words), ("failed", "the check runs to its end"))
            self.assertRegex(seen, ": this is not inside a coroutine|: calls are made inside a role")

    def test_what_it_does_with_a_flow_that_is_not_there_is_not_its_fault(self):
        for body in ("if trace:flow(2).rtt < 1 then end", "if trace:flow(2).rtt <= 1 then end",
                     "local x = ('x'):rep(trace:flow(2).rtt + 1)"):
            (verdict, line, _, seen), = self.judge(f"  {body}")
            self.assertEqual((verdict, line, seen),
                             ("failed", 3, "trace:flow(2): the trace has 1 flow"), body)

    def test_has_its_limits(self):
        for body, told in (("while true do expect.truth(true) end", "more than 10000 expectations"),
                           ("local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end", "memory"),
                           ("for _ = 1, 10001 do pcall(expect.truth, true) end error('enough')",
                            "enough")):
            last = self.judge(f"  {body}")[-1]
            self.assertIn(told, last[3], last)

    def test_says_what_it_prints_to_its_author_alone(self):
        lab = self.lab("function lab.client() end\nfunction lab.check(trace)\n"
                       "  print('one', 2, nil, trace)\n  print()\n  print(('x'):rep(2^21))\n"
                       "  print('no more')\n  expect.equal(1, 1)\nend\n")
        result = self.run_handlens("check", lab, CAPTURES / "hello.pcapng")
        self.assertTrue(result.err.startswith("one\t2\tnil\tthe trace\n\nxxx"), result.err[:200])
        self.assertLess(len(result.err), 3 << 20)
        self.assertNotIn("one", result.out)
        quiet = self.run_handlens("check", "-q", lab, CAPTURES / "hello.pcapng")
        self.assertEqual(quiet.err, "")


if __name__ == "__main__":
    handlens.main()
