"""Real traffic, altered as networks alter it, and written in every form that capture files have."""

import dataclasses
import random

import accepted
import against
import loopback
import pcaps

ALWAYS = [accepted.is_first_fragment, accepted.follows_multipath, accepted.stops_by_a_bug_of_its_own,
          accepted.goes_by_a_reset_without_a_number]

# Where something was not seen.
UNSEEN = [accepted.was_asked_for_by_nobody, accepted.flies_before_the_first, accepted.knows_no_number_zero,
          accepted.counts_what_was_quoted, accepted.acknowledges_without_the_flag]

# Of a stream that was not seen whole.
NOT_WHOLE = [accepted.began_with_a_reset, accepted.were_never_acknowledged, accepted.were_broken_off]


class Altered(against.AgainstTshark):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        paths = loopback.take()
        cls.addClassCleanup(loopback.remove, paths)
        cls.frames = pcaps.read_pcap(paths["loopback"])

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())

    def agree_on(self, name, frames, rules=(), **options):
        path = self.write(name + ".pcap", pcaps.pcap(frames))
        return path, self.agree(path, [*ALWAYS, *rules], **options)

    def test_lost_packets(self):
        path, _ = self.agree_on("lost", pcaps.without_some(self.frames, self.random, 0.05), UNSEEN)
        self.agree_on_streams(path, NOT_WHOLE)

    def test_doubled_packets(self):
        path, _ = self.agree_on("doubled", pcaps.with_doubles(self.frames, self.random, 0.2),
                                [accepted.acknowledges_without_the_flag, accepted.knows_no_number_zero])
        self.agree_on_streams(path)

    def test_reordered_packets(self):
        path, _ = self.agree_on("reordered", pcaps.reordered(self.frames, self.random, 0.1), UNSEEN)
        self.agree_on_streams(path, NOT_WHOLE)

    def test_all_of_it_from_the_middle(self):
        frames = pcaps.without_some(self.frames[len(self.frames) // 2:], self.random, 0.02)
        frames = pcaps.with_doubles(pcaps.reordered(frames, self.random, 0.05), self.random, 0.05)
        self.agree_on("middle", frames, UNSEEN)

    def test_tagged_frames(self):
        tagged = [pcaps.with_tags(frame, *self.random.choice([
            [(0x8100, 100)], [(0x8100, 0x6fff)], [(0x88a8, 7), (0x8100, 8)], [(0x8100, 1), (0x8100, 2)], []]))
            for frame in self.frames]
        self.agree_on("tagged", tagged)

    def test_every_link_in_classic_files_of_every_kind(self):
        changes = {
            "sll": pcaps.as_cooked, "sll2": pcaps.as_cooked2, "raw": pcaps.as_raw, "loop": pcaps.as_loop,
            "null": pcaps.as_null, "null-big": lambda frame: pcaps.as_null(frame, ">", 24),
        }
        frames = self.frames[-800:]
        for name, change in changes.items():
            for order, nanoseconds in (("<", True), (">", False)):
                kind = f"{name}-{'big' if order == '>' else 'little'}-{'nano' if nanoseconds else 'micro'}.pcap"
                with self.subTest(kind):
                    path = self.write(kind, pcaps.pcap([change(frame) for frame in frames], order, nanoseconds))
                    self.agree(path, ALWAYS + UNSEEN)

    def test_sections_and_interfaces_in_both_byte_orders(self):
        changes = [lambda frame: frame, pcaps.as_cooked, pcaps.as_cooked2, pcaps.as_raw, pcaps.as_null]
        sections = [pcaps.Section(order) for order in "<><"]
        size = len(self.frames) // len(sections) + 1
        for i, frame in enumerate(self.frames):
            section = sections[i // size]
            frame = self.random.choice(changes)(frame)
            section.packet(frame, self.random.choice([6, 9, 3, 0x80 | 20]), self.random.choice([0, 1000]),
                           b"a comment" if i % 50 == 0 else b"")
            if i % 100 == 0:
                section.other(0x80001234, b"of a kind nobody knows")
        path = self.write("sections.pcapng", b"".join(section.bytes() for section in sections))
        self.agree(path, [*ALWAYS, accepted.has_a_negative_round_trip])

    def test_stamps_that_run_backwards_or_far_away(self):
        frames = [dataclasses.replace(frame, time=frame.time - self.random.choice([0, 0, 0, 10**6, 10**9, 10**12]))
                  for frame in self.frames[:1500]]
        self.agree_on("backwards", frames, [accepted.has_a_negative_round_trip])


if __name__ == "__main__":
    against.main()
