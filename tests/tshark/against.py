"""What the tests against tshark share: run both on a file, and let nothing pass that no rule allows."""

import collections
import os
import pathlib
import re
import shutil
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent / "lab"), str(FOLDER)]

import accepted  # noqa: E402
import compare  # noqa: E402
import handlens  # noqa: E402

SHOWN = 30

# What tshark puts among the bytes for each gap.
MISSING = re.compile(rb"\[\d+ bytes missing in capture file\]\0")

# Where its dissection ended (accepted.stops_by_a_bug_of_its_own), and no payload came to what it follows.
BROKEN_OFF = re.compile(r"Dissector bug, protocol MPTCP, in packet (\d+)")


class AgainstTshark(handlens.LabTest):
    """Tests that say `self.agree(path)`."""

    def setUp(self):
        super().setUp()
        if not shutil.which("tshark", path=self.environment()["PATH"]):
            self.skipTest("tshark is not installed")

    def write(self, name, data):
        path = self.work / name
        path.write_bytes(data)
        return path

    def both(self, path, status=handlens.DONE):
        """Our packets and tshark's rows."""
        shown = self.run_handlens("view", path, "--as", "json", status=status, timeout=120)
        rows, self.complaints = compare.tshark_rows(path, self.environment())
        return compare.our_packets(shown.out), rows

    def agree(self, path, rules=(), rename_streams=False):
        """Both say the same of every packet of the file, or differ as one of these rules allows.

        Returns how often each rule was needed.
        """
        packets, rows = self.both(path)
        self.assertEqual(len(packets), len(rows), "they do not see as many packets")
        self.assertGreater(len(packets), 0)
        story, needed, wrong = accepted.Story(), collections.Counter(), []
        for row, (our, raw, found) in zip(rows, compare.differences(packets, rows, rename_streams)):
            past = story.add(our, raw, row)
            for difference in found:
                rule = next((each for each in rules if each(difference, past)), None)
                if rule:
                    needed[rule.__name__] += 1
                else:
                    wrong.append(str(difference))
        if wrong:
            self.fail(f"{len(wrong)} differences in {keep(path)}:\n" + "\n".join(wrong[:SHOWN]))
        return needed

    def agree_on_streams(self, path, rules=()):
        """`view --as stream` and tshark's "follow" give the same bytes for each side of each TCP flow, or differ
        as one of these rules allows."""
        events = self.json(path)
        packets = [event for event in events if event["event"] == "packet"]
        flows = [event for event in events if event["event"] == "flow" and event["protocol"] == "TCP"]
        self.assertGreater(len(flows), 0)
        follow = ["-q"]
        for flow in flows:
            follow += ["-z", f"follow,tcp,raw,{flow['stream']}"]
        out, complaints = compare.tshark(path, *follow, environment=self.environment())
        theirs, broken_off = followed(out), {int(number) for number in BROKEN_OFF.findall(complaints)}
        for packet in packets:
            packet["broken_off"] = packet["number"] in broken_off
        for flow in flows:
            sides = theirs[flow["stream"]]
            to_itself = flow["client"] == flow["server"]
            for side in ("client",) if to_itself else ("client", "server"):
                ours = self.run_handlens("view", path, "--as", "stream", "--raw", "--from", side, "--flow",
                                         flow["id"]).out_bytes
                if ours == sides.get(flow[side], b""):
                    continue
                said, heard = accepted.both_ways(flow, side, packets)
                if not any(rule(ours, sides.get(flow[side], b""), said, heard) for rule in rules):
                    self.fail(f"flow {flow['id']}, what the {side} said, differs in {keep(path)}")
        return len(flows)


def keep(path):
    """Real traffic is never the same again, so what failed is kept; where, is returned."""
    build = os.environ.get("HANDLENS_BUILD")
    if not build:
        return path.name
    folder = pathlib.Path(build) / "tshark-differs"
    folder.mkdir(exist_ok=True)
    number, kept = tempfile.mkstemp(path.suffix, path.stem + "-", folder)
    os.close(number)
    return shutil.copy(path, kept)


def followed(text):
    """By stream number: {address: bytes}, from the output of -z follow,tcp,raw,N."""
    streams = {}
    for part in text.split("Follow: tcp,raw\n")[1:]:
        number = int(re.search(r"tcp\.stream eq (\d+)", part)[1])
        nodes = re.findall(r"Node [01]: (.*)\n", part)
        said = {nodes[0]: b"", nodes[1]: b""}
        for line in part.partition(nodes[1] + "\n")[2].splitlines():
            if re.fullmatch(r"\t?(?:[0-9a-f]{2})+", line):
                said[nodes[line.startswith("\t")]] += bytes.fromhex(line.strip())
        streams[number] = {node: MISSING.sub(b"", data) for node, data in said.items()}
    return streams


def main():
    if not os.environ.get("HANDLENS") and not os.access(handlens.HANDLENS, os.X_OK):
        sys.exit(f"there is no program {handlens.HANDLENS} to test")
    handlens.unittest.main(verbosity=2)
