"""Both programs' words on the same file, packet by packet."""

import base64
import json
import subprocess

MARKS = {
    "retransmission": "retransmission",
    "fast_retransmission": "fast retransmission",
    "spurious_retransmission": "spurious retransmission",
    "out_of_order": "out-of-order",
    "duplicate_ack": "duplicate ACK",
    "lost_segment": "previous segment not captured",
    "ack_lost_segment": "ACKed unseen segment",
    "zero_window": "zero window",
    "window_update": "window update",
    "window_full": "window full",
    "zero_window_probe": "zero window probe",
    "zero_window_probe_ack": "zero window probe ACK",
    "keep_alive": "keep-alive",
    "keep_alive_ack": "keep-alive ACK",
    "reused_ports": "port reused",
}

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")

TSHARK_FIELDS = [
    "frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "ieee8021ad.id", "vlan.id",
    "ip.flags.mf", "ipv6.fraghdr.more", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "arp.src.proto_ipv4", "arp.dst.proto_ipv4",
    "tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.len", "tcp.seq_raw", "tcp.seq", "tcp.ack_raw",
    "tcp.ack", "tcp.flags", "tcp.window_size_value", "tcp.window_size", "tcp.urgent_pointer", "tcp.payload",
    "tcp.options.mss_val", "tcp.options.wscale.shift", "tcp.options.sack_perm", "tcp.options.sack_le",
    "tcp.options.sack_re", "tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr",
    "tcp.options.mptcp.subtype", "_ws.malformed",
    "tcp.analysis.duplicate_ack_num", "tcp.analysis.duplicate_ack_frame", "tcp.analysis.bytes_in_flight",
    "tcp.analysis.ack_rtt", "tcp.analysis.acks_frame",
    "udp.srcport", "udp.dstport", "udp.stream", "udp.length", "udp.payload",
    "icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code",
] + ["tcp.analysis." + name for name in MARKS]

# Fragments are looked at one by one, as handlens does; nothing above TCP and UDP is of interest here.
PREFERENCES = ["ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
               "tcp.try_heuristic_first:FALSE"]


def tshark(path, *arguments, environment):
    command = ["tshark", "-n", "-r", str(path)]
    for preference in PREFERENCES:
        command += ["-o", preference]
    done = subprocess.run([*command, *arguments], capture_output=True, env=environment, check=False, timeout=120)
    return done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "backslashreplace")


def tshark_rows(path, environment):
    """A dictionary a frame: field name to list of texts, fields that are not there left out."""
    arguments = ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;", "-E", "separator=/t"]
    for field in TSHARK_FIELDS:
        arguments += ["-e", field]
    out, err = tshark(path, *arguments, environment=environment)
    rows = []
    for line in out.splitlines():
        values = line.split("\t")
        rows.append({name: value.split(";") for name, value in zip(TSHARK_FIELDS, values) if value})
    return rows, err


def number(row, field):
    return int(row[field][0], 0) if field in row else None


def theirs(row):
    """The row in the terms of handlens' JSON; what only one of them says is left out."""
    protocols = row["frame.protocols"][0].split(":")
    transport = next((p for p in protocols if p in ("tcp", "udp", "icmp", "icmpv6")), None)
    said = {
        "number": number(row, "frame.number"),
        "time": row["frame.time_epoch"][0],
        "length": number(row, "frame.len"),
        "captured": number(row, "frame.cap_len"),
        "vlans": [int(each) for each in row.get("ieee8021ad.id", []) + row.get("vlan.id", [])],
        "transport": transport,
    }
    network = next((p for p in protocols if p in ("ip", "ipv6", "arp")), None)
    addresses = {"ip": ("ip.src", "ip.dst"), "ipv6": ("ipv6.src", "ipv6.dst"),
                 "arp": ("arp.src.proto_ipv4", "arp.dst.proto_ipv4")}.get(network)
    if addresses:
        said["source"], said["destination"] = (row.get(name, [None])[0] for name in addresses)
    if transport in ("icmp", "icmpv6"):
        said["icmp_type"], said["icmp_code"] = number(row, transport + ".type"), number(row, transport + ".code")
    elif transport == "udp":
        said["source_port"], said["destination_port"] = number(row, "udp.srcport"), number(row, "udp.dstport")
        said["stream"] = number(row, "udp.stream")
        said["udp_length"] = number(row, "udp.length")
        said["payload"] = row.get("udp.payload", [""])[0]
    elif transport == "tcp":
        said.update(their_tcp(row))
    return said


def their_tcp(row):
    said = {"source_port": number(row, "tcp.srcport"), "destination_port": number(row, "tcp.dstport"),
            "stream": number(row, "tcp.stream"), "payload": row.get("tcp.payload", [""])[0]}
    if "tcp.flags" not in row:
        return said
    bits = number(row, "tcp.flags")
    said.update({
        "flags": sorted(name for bit, name in enumerate(FLAGS) if bits >> bit & 1),
        "payload_length": number(row, "tcp.len"),
        "seq": number(row, "tcp.seq_raw"), "relative_seq": number(row, "tcp.seq"),
        "ack": number(row, "tcp.ack_raw"), "relative_ack": number(row, "tcp.ack") if bits & 16 else 0,
        "window": number(row, "tcp.window_size_value"), "scaled_window": number(row, "tcp.window_size"),
        "urgent": number(row, "tcp.urgent_pointer") if bits & 32 else None,
        "mss": number(row, "tcp.options.mss_val"), "window_scale": number(row, "tcp.options.wscale.shift"),
        "sack_permitted": "tcp.options.sack_perm" in row,
        "sack": [[int(left), int(right)] for left, right in zip(row.get("tcp.options.sack_le", []),
                                                               row.get("tcp.options.sack_re", []))],
        "timestamps": [number(row, "tcp.options.timestamp.tsval"), number(row, "tcp.options.timestamp.tsecr")],
        "marks": their_marks(row),
        "duplicate_ack_number": number(row, "tcp.analysis.duplicate_ack_num"),
        "duplicate_ack_of": number(row, "tcp.analysis.duplicate_ack_frame"),
        "bytes_in_flight": number(row, "tcp.analysis.bytes_in_flight"),
        "ack_rtt": row.get("tcp.analysis.ack_rtt", [None])[0],
        "acks_packet": number(row, "tcp.analysis.acks_frame"),
    })
    return said


def their_marks(row):
    marks = {ours for name, ours in MARKS.items() if "tcp.analysis." + name in row}
    if marks & {"fast retransmission", "spurious retransmission"}:
        marks.discard("retransmission")  # theirs is set beside the closer ones
    return sorted(marks)


TRANSPORTS = {"TCP": "tcp", "UDP": "udp", "ICMP": "icmp", "ICMPv6": "icmpv6"}


def ours(packet, streams):
    """A packet of the JSON in the same terms."""
    transport = TRANSPORTS.get(packet["protocol"])
    said = {
        "number": packet["number"], "time": packet["time"], "length": packet["length"],
        "captured": packet.get("captured_length", packet["length"]),
        "vlans": packet.get("vlans", []),
        "transport": transport, "source": packet["source"], "destination": packet["destination"],
    }
    if transport in ("icmp", "icmpv6"):
        said["icmp_type"], said["icmp_code"] = packet.get("icmp_type"), packet.get("icmp_code")
    if transport not in ("tcp", "udp"):
        return said
    said.update({
        "source_port": packet["source_port"], "destination_port": packet["destination_port"],
        "stream": streams.get(packet["flow"]), "payload": base64.b64decode(packet["payload"]).hex(),
    })
    if transport == "udp":
        said["udp_length"] = packet["payload_length"] + 8
    elif packet["seq"] is not None:
        said.update(our_tcp(packet))
    return said


def our_tcp(packet):
    options = packet["options"]
    stamps = options.get("timestamps", {})
    return {
        "flags": sorted(packet["flags"]), "payload_length": packet["payload_length"],
        "seq": packet["seq"], "relative_seq": packet["relative_seq"],
        "ack": packet["ack"], "relative_ack": packet["relative_ack"],
        "window": packet["window"], "scaled_window": packet.get("scaled_window", packet["window"]),
        "urgent": packet.get("urgent"),
        "mss": options.get("mss"), "window_scale": options.get("window_scale"),
        "sack_permitted": options.get("sack_permitted", False),
        "sack": our_blocks(packet),
        "timestamps": [stamps.get("value"), stamps.get("echo")],
        "marks": sorted(packet["analysis"]),
        "duplicate_ack_number": packet.get("duplicate_ack_number"),
        "duplicate_ack_of": packet.get("duplicate_ack_of"),
        "bytes_in_flight": packet.get("bytes_in_flight"),
        "ack_rtt": packet.get("ack_rtt") if packet.get("ack_rtt") != "0.000000000" else None,
        "acks_packet": packet.get("acks_packet"),
    }


def our_packets(text):
    """What `view --as json` said, as (in the common terms, the JSON object) a packet."""
    events = [json.loads(line) for line in text.splitlines()]
    streams = {event["id"]: event["stream"] for event in events if event["event"] == "flow"}
    return [(ours(event, streams), event) for event in events if event["event"] == "packet"]


def our_blocks(packet):
    """Relative, as tshark gives them; from the acknowledgement one sees which number they count from."""
    start = packet["ack"] - (packet["relative_ack"] or 0) if "ACK" in packet["flags"] else 0
    return [[edge - start & 0xffffffff for edge in block] for block in packet["options"].get("sack", [])]


class Difference:
    """One field of one packet on which the two do not agree."""

    def __init__(self, field, our, their, raw, row):
        self.field, self.our, self.their = field, our, their
        self.ours, self.theirs = our.get(field), their.get(field)
        self.raw, self.row = raw, row

    def __str__(self):
        return (f"packet {self.our['number']}, {self.field}: handlens {self.ours!r:.80}, tshark {self.theirs!r:.80}"
                f"  {self.raw.get('fault', '')} [{self.row['frame.protocols'][0]}, stream {self.their.get('stream')}]")


def same_streams(packets, their):
    """Their stream numbers under our names, one to one: for files in which the two begin some streams at
    different packets."""
    names, taken = {}, set()
    for (our, _), said in zip(packets, their):
        key = said["transport"], said.get("stream")
        mine = our.get("stream")
        if key[1] is not None and mine is not None and key not in names and (key[0], mine) not in taken:
            names[key] = mine
            taken.add((key[0], mine))
    for said in their:
        if said.get("stream") is not None:
            said["stream"] = names.get((said["transport"], said["stream"]), -1)


def differences(packets, rows, rename_streams=False):
    """For each packet: it in common terms, its JSON, and the Differences between the two."""
    their = [theirs(row) for row in rows]
    if rename_streams:
        same_streams(packets, their)
    for (our, raw), said, row in zip(packets, their, rows):
        yield our, raw, [Difference(field, our, said, raw, row) for field in {**our, **said}
                         if our.get(field) != said.get(field)]
