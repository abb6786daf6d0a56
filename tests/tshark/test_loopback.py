"""Real traffic on a private loopback, with every option the kernel offers, with losses and without."""

import unittest

import accepted
import against
import loopback
import pcaps


ALWAYS = [accepted.is_first_fragment, accepted.follows_multipath]


class Loopback(against.AgainstTshark):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.paths = loopback.take()
        cls.addClassCleanup(loopback.remove, cls.paths)

    def test_every_packet_is_seen_alike(self):
        self.agree(self.paths["loopback"], ALWAYS)

    def test_every_packet_is_seen_alike_in_cooked_frames(self):
        self.agree(self.paths["cooked"], ALWAYS)

    def test_every_packet_is_seen_alike_where_frames_are_cut(self):
        self.agree(self.paths["short"], [*ALWAYS, accepted.gives_up_at_options])

    def test_both_ends_said_the_same(self):
        self.assertGreater(self.agree_on_streams(self.paths["loopback"]), 50)

    def test_each_packet_fits_those_before_it(self):
        # A timer may go off on another processor, which then delivers what it sends before or after the rest.
        path = self.paths["loopback"]
        packets = self.json(path, "packet")
        jumbled = {packet["flow"] for packet in packets if "out-of-order" in packet["analysis"]
                   or "previous segment not captured" in packet["analysis"]}
        in_order = [frame for frame, packet in zip(pcaps.read_pcap(path), packets) if packet["flow"] not in jumbled]
        self.assertGreater(len(in_order), len(packets) / 2)
        lab = self.lab("function lab.client() end\nfunction lab.check(trace) expect.sound(trace) end\n")
        self.run_handlens("check", lab, self.write("in-order.pcap", pcaps.pcap(in_order)))

    def test_the_traffic_holds_what_it_should(self):
        # Else the other tests would say little.
        events = self.json(self.paths["loopback"])
        packets = [event for event in events if event["event"] == "packet"]
        marks = {mark for packet in packets for mark in packet["analysis"]}
        wanted = {"retransmission", "fast retransmission", "spurious retransmission", "duplicate ACK", "zero window",
                  "window update", "window full", "keep-alive", "keep-alive ACK", "port reused"}
        self.assertEqual(wanted - marks, set())
        flags = {flag for packet in packets for flag in packet["flags"]}
        self.assertEqual({"SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"} - flags, set())
        options = {option for packet in packets for option in packet["options"] or ()}
        self.assertEqual({"mss", "window_scale", "sack_permitted", "timestamps", "sack", "fast_open_cookie_length"}
                         - options, set())
        closes = {event["close"] for event in events if event["event"] == "flow" and event["protocol"] == "TCP"}
        self.assertEqual({"closed", "reset", "refused"} - closes, set())
        self.assertEqual({"TCP", "UDP", "ICMP", "ICMPv6"} - {packet["protocol"] for packet in packets}, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
