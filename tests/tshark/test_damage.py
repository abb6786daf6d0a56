"""Files that end too early, or are overwritten: what both can still read, and that handlens says so."""

import random
import struct

import against
import compare
import handlens
import hostile
import pcaps

PLACES = 8


class Damage(against.AgainstTshark):
    def packets_up_to(self, data, name):
        """How many packets handlens and tshark see, and handlens' exit status."""
        path = self.write(name, data)
        shown = self.run_handlens("view", path, "--as", "json", status=None)
        rows, complaints = compare.tshark_rows(path, self.environment())
        count = shown.out.count('{"event":"packet"')
        if shown.status == handlens.DAMAGED:
            self.assert_one_sentence(shown, name)
        return count, len(rows), shown.status, complaints

    def cut_anywhere(self, data, name, ends):
        """ends: offsets at which the file may end without being damaged."""
        for at in sorted(random.Random(name).sample(range(30, len(data)), PLACES)) + [ends[5], ends[-2]]:
            with self.subTest(at=at):
                ours, theirs, status, complaints = self.packets_up_to(data[:at], name)
                self.assertEqual(ours, theirs)
                self.assertEqual(status, handlens.DONE if at in ends else handlens.DAMAGED)
                self.assertEqual("cut short" in complaints, at not in ends, complaints)

    def test_classic_files_cut_anywhere(self):
        frames = hostile.talks(21, 40, "whole")
        for order, nanoseconds in (("<", True), (">", False)):
            data = pcaps.pcap(frames, order, nanoseconds)
            ends, at = [24], 24
            for frame in frames:
                at += 16 + len(frame.data)
                ends.append(at)
            self.assertEqual(at, len(data))
            self.cut_anywhere(data, f"cut{order == '<'}.pcap", ends)

    def test_pcapng_files_cut_anywhere(self):
        for order in "<>":
            section = pcaps.Section(order)
            for frame in hostile.talks(22, 40, "whole"):
                section.packet(frame, comment=b"a comment")
            ends, at = [], 0
            for block in section.blocks:
                at += len(block)
                ends.append(at)
            self.cut_anywhere(section.bytes(), f"cut{order == '<'}.pcapng", ends)

    def test_our_own_recordings_cut_anywhere(self):
        path = self.capture("hello")
        data = path.read_bytes()
        ends, at = [], 0
        while at < len(data):
            at += struct.unpack_from("<I", data, at + 4)[0]
            ends.append(at)
        self.cut_anywhere(data, "hello-cut.pcapng", ends)

    def test_a_block_of_an_impossible_length(self):
        section = pcaps.Section()
        for frame in hostile.talks(23, 20, "whole"):
            section.packet(frame)
        at = sum(len(block) for block in section.blocks[:12])
        for length in (0, 8, 13, 0x7fffffff, 0xffffffff):
            with self.subTest(length=length):
                data = bytearray(section.bytes())
                struct.pack_into("<I", data, at + 4, length)
                ours, theirs, status, _ = self.packets_up_to(bytes(data), "length.pcapng")
                self.assertEqual((ours, theirs, status), (10, 10, handlens.DAMAGED))

    def test_a_packet_of_an_impossible_length(self):
        frames = hostile.talks(24, 20, "whole")
        at = 24 + sum(16 + len(frame.data) for frame in frames[:10])
        data = bytearray(pcaps.pcap(frames))
        struct.pack_into("<I", data, at + 8, 0x7fffffff)
        ours, theirs, status, _ = self.packets_up_to(bytes(data), "length.pcap")
        self.assertEqual((ours, theirs, status), (10, 10, handlens.DAMAGED))


if __name__ == "__main__":
    against.main()
