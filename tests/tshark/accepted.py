"""Where handlens and tshark may differ: each rule with its reason, as narrow as can be said.

A rule is asked about one field of one packet (compare.Difference). `story` is what happened before in the
packet's stream, this packet included, as far as rules need it; see Story.
"""

import decimal

ANALYSIS = {"marks", "duplicate_ack_number", "duplicate_ack_of", "bytes_in_flight", "ack_rtt", "acks_packet"}
HEADER = {"flags", "payload_length", "seq", "relative_seq", "ack", "relative_ack", "window", "scaled_window",
          "urgent", "mss", "window_scale", "sack_permitted", "sack", "timestamps"}
NOTHING = (None, [], "", False)


class Story:
    """What a stream has been through."""

    def __init__(self):
        self.streams, self.times, self.ends = {}, {}, {}
        self.captured, self.quoted = [], set()  # tshark's UDP streams, by their first datagram here or in a quote

    def add(self, our, raw, row):
        """Takes the packet (in common terms, from handlens and from tshark) in; returns what its stream has been
        through."""
        key = our["transport"], our.get("stream")
        past = self.streams.setdefault(key, set())
        self._number_datagram(our, row, past)
        flags = our.get("flags")
        if "tcp.options.mptcp.subtype" in row:
            past.add("Multipath TCP")
        if raw.get("fault") == "impossible length of the TCP header":
            past.add("a header that cannot be")
        if raw.get("fault") == "cut short in the TCP header":
            past.add("options that were cut" if flags else "a header that was cut")
        if flags is None or our.get("relative_seq") is None:
            return past
        if "ACK" not in flags and (past or our["ack"] != 0):
            past.add("a segment without ACK")
        if our["relative_seq"] >= 2**31 or ("port reused" in our["marks"] and "ACK" in flags):
            past.add("a number before the first")
        if our["seq"] == 0 or ("ACK" in flags and our["ack"] == 0):
            past.add("a number that is 0")
        if "RST" in flags and our["seq"] == 0 and past:
            past.add("a RST that has no number")
        time = decimal.Decimal(our["time"])
        if time < self.times.get(key, time):
            past.add("its clock ran backwards")
        self.times[key] = time
        self._follow_numbers(our, key, raw["from"], past)
        past.add("a segment")
        return past

    def _follow_numbers(self, our, key, side, past):
        """Does it acknowledge more than was seen? (Not each such ACK is marked.)"""
        other = "client" if side == "server" else "server"
        if "ACK" in our["flags"] and self.ends.get((key, other), 2**31) < our["relative_ack"] < 2**31:
            past.add("an ACK of what was not seen")
        if our["relative_seq"] < 2**31:
            end = our["relative_seq"] + our["payload_length"] + bool({"SYN", "FIN"} & set(our["flags"]))
            self.ends[key, side] = max(self.ends.get((key, side), 0), end)

    def _number_datagram(self, our, row, past):
        """tshark numbers UDP streams as it meets them, quoted ones too: are those the only ones it counted more?"""
        streams = [int(stream) for stream in row.get("udp.stream", [])]
        if our["transport"] != "udp":
            self.quoted.update(stream for stream in streams if stream not in self.captured)
            return
        for stream in streams[:1]:
            if stream not in self.captured:
                self.captured.append(stream)
            if (self.captured.index(stream) == our.get("stream")
                    and self.quoted.union(self.captured).issuperset(range(stream))):
                past.add("numbers higher by those that were quoted")


def fault(difference):
    return difference.raw.get("fault", "")


def has_more_fragments(difference):
    return any(difference.row.get(name, ["0"])[0] in ("1", "True") for name in ("ip.flags.mf", "ipv6.fraghdr.more"))


def is_reset(difference, _story):
    """tshark calls the bytes of a RST its cause, not payload (RFC 9293 section 3.5.2 has them as text)."""
    return difference.field == "payload" and "RST" in difference.our.get("flags", ()) and difference.theirs == ""


def gives_up_at_options(difference, _story):
    """An option that is broken, or cut off, ends tshark's dissection before it says its analysis and payload.

    handlens knows where options end all the same. (tshark's analysis is made, and shows in later packets.)
    """
    return (fault(difference) in ("broken TCP option", "cut short in the TCP header")
            and (difference.field in ANALYSIS | {"payload"} and difference.theirs in NOTHING
                 or difference.field == "timestamps" and difference.theirs[1] is None))


def stops_by_a_bug_of_its_own(difference, _story):
    """tshark 4.0 asserts that a key of Multipath TCP comes in the order of an ordinary handshake. Where it does
    not, the dissection ends with the words "Dissector bug" before its analysis and payload are said."""
    return (any("Dissector bug, protocol MPTCP" in each for each in difference.row.get("_ws.malformed", ()))
            and difference.field in ANALYSIS | {"payload"} and difference.theirs in NOTHING)


def follows_multipath(difference, story):
    """In Multipath TCP an equal ACK may be a message of its own (RFC 8684 section 3): as long as the two ends have
    not sent the same kinds of its options, tshark counts none as a duplicate; handlens counts each. What was
    asked for by fewer duplicates is no fast retransmission to it."""
    if "Multipath TCP" not in story:
        return False
    if difference.field == "marks":
        more, less = set(difference.ours) - set(difference.theirs), set(difference.theirs) - set(difference.ours)
        return (more == {"duplicate ACK"} and not less
                or more == {"fast retransmission"} and less <= {"retransmission", "out-of-order"})
    if difference.field == "duplicate_ack_number":
        return difference.theirs is None or difference.theirs < difference.ours
    return difference.field == "duplicate_ack_of" and difference.theirs is None


def is_half_a_list(difference, story):
    """Of selective acknowledgements that are cut off, tshark takes those that are there, and takes them off the
    bytes in flight; handlens takes an option whole or not at all."""
    return ((difference.field == "sack" and fault(difference) == "cut short in the TCP header"
             and difference.ours == [] and difference.theirs != [])
            or (difference.field == "bytes_in_flight" and "options that were cut" in story))


def has_a_wrong_length(difference, _story):
    """An option of a length its kind cannot have says nothing; tshark names it all the same."""
    return (fault(difference) == "broken TCP option" and difference.field == "sack_permitted"
            and difference.theirs is True)


def is_first_fragment(difference, _story):
    """What a first fragment's TCP segment holds in all is not known, so handlens gives no analysis of it, and a
    UDP datagram's length is what this frame has of it."""
    if not has_more_fragments(difference):
        return False
    if difference.our["transport"] == "udp":
        return difference.field == "udp_length" and difference.ours < difference.theirs
    return ((difference.field == "payload_length" and difference.theirs is None)
            or (difference.field in ("relative_seq", "relative_ack", "scaled_window") and difference.ours is None))


def is_impossible_datagram(difference, _story):
    """A UDP length that cannot be: handlens goes by the IP header, and says so. tshark makes no conversation
    of a datagram shorter than its header."""
    if fault(difference) != "impossible length in the UDP header":
        return False
    if difference.field == "stream":
        return difference.theirs is None and difference.their["udp_length"] < 8
    return difference.field == "udp_length"


def ends_before_its_packet(difference, _story):
    """Bytes between the end of a UDP datagram and that of its IP packet are none of its payload (RFC 768: Length
    is that of the datagram, header and data). tshark shows them as if they were."""
    return (difference.our["transport"] == "udp" and difference.field == "payload"
            and difference.theirs.startswith(difference.ours)
            and len(difference.ours) == 2 * (difference.their["udp_length"] - 8))


def is_impossible_header(difference, story):
    """A TCP data offset that cannot be: handlens believes no number of that header. tshark does, and judges by
    them what comes later; or, where the offset is less than the fixed header, it gives nothing but the ports."""
    if fault(difference) != "impossible length of the TCP header":
        return difference.field in ANALYSIS and "a header that cannot be" in story
    if difference.field == "stream":
        return difference.theirs is None
    return difference.field in HEADER | ANALYSIS and difference.ours is None


def is_impossible_packet(difference, _story):
    """An IPv4 header that says the packet ends within it: tshark stops before its addresses."""
    return (fault(difference) == "impossible length in the IPv4 header"
            and difference.field in ("source", "destination") and difference.theirs is None)


def has_no_room(difference, _story):
    """The IP header leaves no byte for the transport it announces: handlens still names it."""
    return (difference.field in ("transport", "payload", "udp_length") and difference.our["transport"] is not None
            and difference.their["transport"] is None and difference.raw["source_port"] is None)


def is_cut_header(difference, story):
    """A header cut by the snap length. tshark follows TCP if its flags are there, UDP if all of its header is, and
    handlens both if their ports are; neither gives what it could not read whole, by its own measure."""
    if difference.field == "stream":
        return difference.theirs is None and "tcp.flags" not in difference.row and difference.raw["seq"] is None
    if difference.field in ANALYSIS and "a header that was cut" in story:
        return True
    if not fault(difference).startswith("cut short"):
        return False
    if difference.field in ("source", "destination", "icmp_type", "icmp_code"):
        return difference.ours is None or difference.theirs is None
    if difference.field == "udp_length":
        return difference.ours is None or "udp.stream" not in difference.row
    return difference.field in HEADER | ANALYSIS and difference.raw["seq"] is None and difference.ours is None


def acknowledges_without_the_flag(difference, story):
    """Without ACK the acknowledgement field means nothing (RFC 9293 section 3.1); tshark compares it all the
    same, and the packets after it are judged by it."""
    return difference.field in ANALYSIS and "a segment without ACK" in story


def flies_before_the_first(difference, story):
    """Bytes below the first number seen, or sent before a SYN ACK began anew, are in flight, too; tshark leaves them out, or all unknown."""
    return (difference.field == "bytes_in_flight" and "a number before the first" in story
            and (difference.theirs or 0) < (difference.ours or 0))


def was_asked_for_by_nobody(difference, story):
    """After an ACK of something unseen tshark's count of duplicates is -1 without a sign: more than two. So it
    takes a retransmission for a fast one that no duplicate ACK has asked for."""
    return (difference.field == "marks" and "an ACK of what was not seen" in story
            and set(difference.ours) - set(difference.theirs) <= {"retransmission", "out-of-order"}
            and set(difference.theirs) - set(difference.ours) == {"fast retransmission"})


def knows_no_number_zero(difference, story):
    """To tshark a sequence number 0 is one that is not known, as in the RST that answers a SYN; so it cannot
    tell what lies before or behind it, or acknowledges more."""
    return (difference.field == "marks" and "a number that is 0" in story
            and set(difference.theirs) < set(difference.ours))


def goes_by_a_reset_without_a_number(difference, story):
    """The RST that answers a SYN has the number 0 and no window (RFC 9293 section 3.10.7.1). tshark follows both
    where a connection goes on after it (one SYN crossed another, the RST came late or twice)."""
    return difference.field in ANALYSIS and "a RST that has no number" in story


def counts_what_was_quoted(difference, story):
    """An ICMP error quotes a datagram that was not captured: tshark gives it a UDP stream of its own, so its later
    numbers are higher by one for each. handlens counts no packet that it only hears of."""
    return (difference.field == "stream" and difference.our["transport"] == "udp"
            and "numbers higher by those that were quoted" in story)


def has_a_negative_round_trip(difference, story):
    """Where stamps run backwards, tshark takes a negative round trip for an endless one, within which all that
    is late is out of order."""
    return (difference.field == "marks" and "its clock ran backwards" in story
            and set(difference.ours) - set(difference.theirs) <= {"retransmission"}
            and set(difference.theirs) - set(difference.ours) == {"out-of-order"})


# Of the bytes that one side of a flow sent: may what handlens shows differ from what tshark shows, as the side's
# own packets and the other's tell?

def both_ways(flow, side, packets):
    """The packets of the flow that this side sent, and those that it was sent."""
    ours = [packet for packet in packets if packet["flow"] == flow["id"] and packet.get("relative_seq") is not None]
    return ([packet for packet in ours if packet["from"] == side], [packet for packet in ours if packet["from"] != side])


def were_broken_off(ours, theirs, said, _heard):
    """See stops_by_a_bug_of_its_own: the payload of such a packet comes into no stream of tshark's."""
    return len(theirs) < len(ours) and any(packet["broken_off"] for packet in said)


def began_with_a_reset(ours, theirs, said, _heard):
    """The RST that tells a SYN that nobody listens has the number 0 (RFC 9293 section 3.10.7.1). Where a
    connection follows, tshark has its stream begin at that 0, and drops what lies before it; handlens has no
    stream begin with a RST."""
    first = next((packet for packet in said if "RST" in packet["flags"] or packet["payload_length"] > 0), None)
    return len(theirs) < len(ours) and first is not None and "RST" in first["flags"] and first["seq"] == 0


def were_never_acknowledged(ours, theirs, said, heard):
    """What waits behind a gap when the capture ends is shown by handlens, with its gap; by tshark only if the other
    end had acknowledged it."""
    acknowledged = max((packet["relative_ack"] for packet in heard if packet["relative_ack"] < 2**31), default=0)
    beyond = sum(packet["payload_length"] for packet in said if packet["relative_seq"] >= acknowledged)
    return ours.startswith(theirs) and len(ours) - len(theirs) <= beyond
