"""The capture that -w writes, as the field's own programs read it."""

import base64
import json
import re

import handlens

FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]


class Capture(handlens.LabTest):
    def tshark(self, path, *arguments):
        # Its remark on being root is no word about the file.
        result = self.tool("tshark", "-n", "-r", path, *arguments)
        said = [line for line in result.err.splitlines() if not line.startswith("Running as user")]
        self.assertEqual(said, [], "tshark complains")
        return result.out

    def fields(self, path, *names):
        """One dict a packet."""
        out = self.tshark(path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f",
                          *(word for name in names for word in ("-e", name)))
        return [dict(zip(names, line.split("\t"))) for line in out.splitlines()]

    def test_opens_everywhere_without_a_warning(self):
        path = self.capture()
        self.assertIn("SYN", self.tshark(path))
        self.assertEqual(self.tool("capinfos", path).err, "")
        with path.open("rb") as file:
            said = self.tool("tcpdump", "-nn", "-r", "-", stdin=file).err
        self.assertRegex(said, r"\Areading from file -, link-type EN10MB \(Ethernet\)[^\n]*\n\Z")

    def test_says_who_wrote_it_and_where(self):
        said = self.tool("capinfos", self.capture()).out
        self.assertRegex(said, r"handlens \d")
        self.assertRegex(said, r"Name = lo\b")
        self.assertRegex(said, r"(?i)nanoseconds")

    def test_comments_name_each_packets_cause(self):
        packets = self.fields(self.capture(), "frame.comment", "tcp.flags.str", "tcp.len")
        for packet in packets[:3]:
            self.assertRegex(packet["frame.comment"],
                             r"^client connect\(127\.0\.0\.1:65432\)  hello\.lua:\d+$")
        data = [p["frame.comment"] for p in packets if p["tcp.len"] != "0"]
        self.assertEqual(len(data), 2)
        self.assertRegex(data[0], r"^client sendall\(.*\)  hello\.lua:\d+$")
        self.assertRegex(data[1], r"^server sendall\(.*\)  hello\.lua:\d+$")

    def test_packets_are_seen_as_tshark_sees_them(self):
        path = self.capture()
        theirs = self.fields(path, "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.seq",
                             "tcp.ack", "tcp.window_size_value", "tcp.srcport", "tcp.dstport",
                             "tcp.payload", "frame.time_epoch")
        ours = self.json(path, "packet")
        self.assertGreaterEqual(len(ours), 9)
        self.assertEqual(len(ours), len(theirs))
        for our, their in zip(ours, theirs):
            flags = int(their["tcp.flags"], 16)
            self.assertEqual(set(our["flags"]),
                             {name for bit, name in enumerate(FLAGS) if flags >> bit & 1})
            self.assertEqual(our["seq"], int(their["tcp.seq_raw"]))
            self.assertEqual(our["relative_seq"], int(their["tcp.seq"]))
            if "ACK" in our["flags"]:
                self.assertEqual(our["ack"], int(their["tcp.ack_raw"]))
                self.assertEqual(our["relative_ack"], int(their["tcp.ack"]))
            self.assertEqual(our["payload_length"], int(their["tcp.len"]))
            self.assertEqual(our["window"], int(their["tcp.window_size_value"]))
            self.assertEqual(our["source_port"], int(their["tcp.srcport"]))
            self.assertEqual(our["destination_port"], int(their["tcp.dstport"]))
            self.assertEqual(base64.b64decode(our.get("payload") or ""),
                             bytes.fromhex(their["tcp.payload"].replace(":", "")))
            self.assertEqual(our["time"], their["frame.time_epoch"])

    def test_handshake_is_caused_by_connect(self):
        events = self.json(self.capture())
        calls = {e["id"]: e for e in events if e["event"] == "call"}
        packets = [e for e in events if e["event"] == "packet"]
        self.assertEqual([p["flags"] for p in packets[:3]], [["SYN"], ["SYN", "ACK"], ["ACK"]])
        for packet in packets[:3]:
            self.assertEqual(calls[packet["cause"]]["call"], "connect")
            self.assertEqual(calls[packet["cause"]]["role"], "client")

    def test_json_is_one_event_a_line_in_time_order(self):
        out = self.run_handlens("run", "hello", "--as", "json").out
        events = [json.loads(line) for line in out.splitlines()]
        self.assertTrue(all(line.startswith('{"event"') for line in out.splitlines()), out)
        kinds = {e["event"] for e in events}
        self.assertLessEqual({"capture", "call", "packet", "note", "flow"}, kinds)
        times = [e["time"] for e in events if e["event"] == "packet"]
        self.assertTrue(all(re.fullmatch(r"\d+\.\d{9}", t) for t in times), times)
        self.assertEqual(times, sorted(times))
        flow, = [e for e in events if e["event"] == "flow"]
        self.assertEqual(flow["bytes"], 42, flow) if isinstance(flow["bytes"], int) else None

    def test_holds_the_script_and_nothing_is_dropped(self):
        said = self.tool("capinfos", "-M", self.capture()).out
        self.assertNotRegex(said, r"(?i)drop\S*\s*[=:]\s*[1-9]")


if __name__ == "__main__":
    handlens.main()
