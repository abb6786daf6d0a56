"""Segments and headers that nobody sends on purpose; each seed gives the same ones everywhere."""

import random

import accepted
import against
import hostile
import pcaps


class Hostile(against.AgainstTshark):
    def talk(self, seed, count, manner, rules):
        path = self.write(f"{manner}{seed}.pcap", pcaps.pcap(hostile.talks(seed, count, manner)))
        return self.agree(path, rules)

    def test_whole_connections_are_analysed_alike_however_mad(self):
        for seed in (1, 2, 3):
            self.talk(seed, 10000, "whole", [accepted.is_reset])

    def test_connections_from_the_middle_are_analysed_alike(self):
        for seed in (4, 5):
            self.talk(seed, 10000, "middle", [accepted.is_reset, accepted.flies_before_the_first,
                                              accepted.was_asked_for_by_nobody])

    def test_anything_goes(self):
        for seed in (6, 7):
            self.talk(seed, 6000, "wild", [accepted.is_reset, accepted.acknowledges_without_the_flag,
                                           accepted.flies_before_the_first, accepted.was_asked_for_by_nobody])

    def test_odd_headers_are_read_alike(self):
        for seed in (8, 9):
            path = self.write(f"odd{seed}.pcap", pcaps.pcap(hostile.oddities(seed, 4000)))
            self.agree(path, [
                accepted.is_reset, accepted.gives_up_at_options, accepted.has_a_wrong_length,
                accepted.is_first_fragment, accepted.is_impossible_datagram, accepted.ends_before_its_packet,
                accepted.is_impossible_header, accepted.is_impossible_packet, accepted.has_no_room,
            ], rename_streams=True)

    def test_damaged_headers_are_read_alike(self):
        for seed in (10, 11):
            frames = pcaps.damaged(hostile.talks(seed, 6000, "whole"), random.Random(seed), 0.05)
            self.agree(self.write(f"damaged{seed}.pcap", pcaps.pcap(frames)), [
                accepted.is_reset, accepted.gives_up_at_options, accepted.has_a_wrong_length,
                accepted.is_impossible_datagram, accepted.ends_before_its_packet, accepted.is_impossible_header,
                accepted.is_impossible_packet, accepted.has_no_room, accepted.is_cut_header,
                accepted.acknowledges_without_the_flag, accepted.flies_before_the_first,
                accepted.was_asked_for_by_nobody, accepted.knows_no_number_zero], rename_streams=True)

    def test_frames_that_are_cut_short_are_read_alike(self):
        for seed in (12, 13):
            frames = pcaps.cut_somewhere(hostile.talks(seed, 6000, "whole"), random.Random(seed), 0.1)
            self.agree(self.write(f"cut{seed}.pcap", pcaps.pcap(frames)), [
                accepted.is_reset, accepted.gives_up_at_options, accepted.is_half_a_list, accepted.is_cut_header,
                accepted.flies_before_the_first, accepted.was_asked_for_by_nobody], rename_streams=True)

    def test_a_frame_of_every_length_is_read_alike(self):
        frames = []
        for data in hostile.specimens():
            frames += [pcaps.Frame(10**18, data[:length], len(data)) for length in range(14, len(data) + 1)]
        self.agree(self.write("lengths.pcap", pcaps.pcap(frames)), [
            accepted.is_cut_header, accepted.gives_up_at_options], rename_streams=True)


if __name__ == "__main__":
    against.main()
