"""Every recorded capture that was edited fails the check of its lab, by what was edited.

Of each capture many copies are made, each with one packet taken out, one flag of one packet flipped,
or one byte changed. One command judges all copies of one capture.
"""

import collections
import json
import pathlib
import re
import unittest

import handlens
import pcapng
from handlens import CHECK_FAILED

CAPTURES = pathlib.Path(__file__).resolve().parents[2] / "captures"
FLAGS = {"FIN": 0x01, "SYN": 0x02, "RST": 0x04, "ACK": 0x10}
BYTE = 0x20

# PSH is not among the flags: a TCP may set it when it likes, and labs look at it only where it ends
# what a call sent.
IMMATERIAL = {
    # Only who has the keys could tell. The lab is about what a bystander sees, and that is the same.
    "encrypted": ("byte",),
    # Without SYN it is as good a keep-alive; how often the SYN ACK comes again is up to two timers.
    "synack": ("flip SYN 6",),
}

ELSEWHERE = re.compile(r"\d+ packets were captured, and \d+ are here$|"
                       r"packet \d+: nobody acknowledges it, and it is not sent again")

Edit = collections.namedtuple("Edit", "name number at bits")  # at None: without the packet


def edits_of(number, frame):
    """All that is tried with one packet."""
    yield Edit(f"remove {number}", number, None, 0)
    layers = pcapng.layers(frame)
    if layers.protocol == pcapng.TCP:
        for flag, bits in FLAGS.items():
            yield Edit(f"flip {flag} {number}", number, layers.transport + 13, bits)
    if layers.payload < layers.end:
        yield Edit(f"byte {number}", number, layers.end - 1, BYTE)


def apply(edit, number, frame):
    if number != edit.number:
        return frame
    if edit.at is None:
        return None
    frame[edit.at] ^= edit.bits
    return frame


class Tampered(handlens.LabTest):
    def judge(self, capture):
        """Pairs of an edit and the report on what it left."""
        lab, edits, files = capture.stem, [], []
        for number, frame in enumerate(pcapng.frames(capture), 1):
            # A sanitizer looks at how we read, and that is the same in each of them.
            if not handlens.SANITIZED or number % 5 == 1:
                edits.extend(edits_of(number, frame))
        for place, edit in enumerate(edits):
            target = self.work / f"{lab}-{place}.pcapng"
            files.append(pcapng.rewrite(capture, target, lambda *packet: apply(edit, *packet)))
        out = self.run_handlens("check", lab, *files, "--format", "json", timeout=120,
                                status=CHECK_FAILED).out
        for file in files:
            file.unlink()
        return list(zip(edits, map(json.loads, out.splitlines()), strict=True))

    def assert_found_out(self, lab, edit, report):
        failed = [e for e in report["expectations"] if e["verdict"] == "failed"]
        if not failed and edit.name.startswith(IMMATERIAL.get(lab, "-")):
            return
        self.assertTrue(failed, "nothing failed")
        self.assertFalse([e for e in failed if e.get("broken")], "the check itself broke")
        # It is told at that packet or behind it; but an order that is not kept at the last packet
        # that kept it, and an ACK that is gone at what it acknowledged or by the number of packets.
        self.assertTrue(any(max(e["packets"], default=0) >= edit.number or "sequence" in e or
                            ELSEWHERE.match(e["seen"]) for e in failed), failed)

    def test_captures_fail_by_what_was_edited(self):
        for path in sorted(CAPTURES.glob("*.pcapng")):
            for edit, report in self.judge(path):
                with self.subTest(lab=path.stem, edit=edit.name):
                    self.assert_found_out(path.stem, edit, report)


if __name__ == "__main__":
    handlens.main()
