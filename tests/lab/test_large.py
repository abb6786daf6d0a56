"""Large captures are read ahead by a thread of its own: nothing of what is shown may depend on it.

The same bytes are shown from a file, which is large enough for that, and from a pipe, which never is.
"""

import os
import pathlib
import pty
import random
import select
import struct
import subprocess
import sys

import handlens
from handlens import DAMAGED

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "bench"))
import make_capture  # noqa: E402

PACKETS, FLOWS = 6000, 300
VIEWS = ["ladder", "packets", "bytes", "flows", "json"]


class Large(handlens.LabTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.capture = None

    def classic(self):
        """Above 1 MiB, as all of these."""
        path = self.work / "large.pcap"
        if Large.capture is None:
            make_capture.write(path, PACKETS, FLOWS)
            Large.capture = path.read_bytes()
        path.write_bytes(Large.capture)
        self.assertGreater(path.stat().st_size, 1 << 20)
        return path

    def modern(self):
        """The same packets in pcapng, among blocks nobody knows; some are larger than a buffer."""
        data, at, rng = self.classic().read_bytes(), 24, random.Random(1)
        out = [struct.pack("<IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28),
               struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)]
        while at < len(data):
            seconds, micros, captured, length = struct.unpack_from("<IIII", data, at)
            stamp = seconds * 1_000_000 + micros
            body = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xffffffff, captured, length)
            body += data[at + 16:at + 16 + captured] + bytes(-captured % 4)
            out.append(struct.pack("<II", 6, len(body) + 12) + body + struct.pack("<I", len(body) + 12))
            if rng.random() < 0.003:
                size = 12 + 4 * rng.choice((0, 5, 30_000, 100_000))
                out.append(struct.pack("<II", 0x0bad, size) + bytes(size - 12) + struct.pack("<I", size))
            at += 16 + captured
        path = self.work / "large.pcapng"
        path.write_bytes(b"".join(out))
        return path

    def both_ways(self, path, *arguments, status=handlens.DONE):
        """What the file shows, after it was the same as from a pipe."""
        from_file = self.run_handlens("view", *arguments, path, status=status, timeout=120)
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
            piped = self.run_handlens("view", *arguments, "-", status=status, timeout=120,
                                      stdin=cat.stdout)
        def plain(text):  # a sentence with the name in it is wrapped elsewhere
            return text.replace(str(path), "-").replace("standard input", "-").split()
        self.assertEqual(plain(from_file.out), plain(piped.out))
        self.assertEqual(plain(from_file.err), plain(piped.err))
        return from_file

    def test_a_file_and_a_pipe_show_the_same_in_every_view(self):
        for path in (self.classic(), self.modern()):
            for view in VIEWS:
                with self.subTest(view=view, file=path.name):
                    self.assertGreater(len(self.both_ways(path, "--as", view).out), 1000)

    def test_what_is_chosen_is_the_same(self):
        path = self.classic()
        for chosen in (["--flow", "7"], ["--number", "5999"]):
            self.both_ways(path, "--as", "packets", *chosen)
        result = self.run_handlens("view", "--as", "packets", path, "udp")
        self.assertTrue(all(" UDP " in line for line in result.out.splitlines()))

    def test_damage_is_told_at_the_same_byte(self):
        for path in (self.classic(), self.modern()):
            with self.subTest(file=path.name):
                os.truncate(path, path.stat().st_size - 3)
                result = self.both_ways(path, "--as", "flows", status=DAMAGED)
                self.assertIn("is damaged at byte ", result.err)
                self.assertIn(f"packets   {PACKETS - 1} in ", result.out[-1000:])

    def test_a_byte_order_that_libpcap_reads_is_shown_as_ever(self):
        path = self.classic()
        data, at = path.read_bytes(), 24
        out = [struct.pack(">IHHiIII", *struct.unpack_from("<IHHiIII", data))]
        while at < len(data):
            head = struct.unpack_from("<IIII", data, at)
            out += [struct.pack(">IIII", *head), data[at + 16:at + 16 + head[2]]]
            at += 16 + head[2]
        swapped = self.work / "swapped.pcap"
        swapped.write_bytes(b"".join(out))
        self.assertEqual(self.run_handlens("view", "--as", "packets", swapped).out,
                         self.run_handlens("view", "--as", "packets", path).out)

    def test_a_report_holds_no_more_flows_than_a_browser_does(self):
        asked = 20_010
        eth, ip = bytes(12) + b"\x08\0", struct.pack(">BBHHHBBHI", 0x45, 0, 40, 0, 0, 64, 6, 0, 0x7f000001)
        out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
        for i in range(asked):
            frame = eth + ip + struct.pack(">IHHIIHHHH", 0x7f000001, 1024 + i, 80, i, 0, 0x5002, 1024, 0, 0)
            out.append(struct.pack("<IIII", i // 1000, i % 1000, len(frame), len(frame)) + frame)
        path = self.work / "flood.pcap"
        path.write_bytes(b"".join(out))
        page = self.run_handlens("view", path, "--as", "html", timeout=120).out
        for kind in ("flow", "packet"):
            self.assertEqual(page.count(f'\n{{"event":"{kind}"'), 20_000, kind)
        self.assertIn('"left_out":10,"flows_left_out":10,', page)

    def test_a_long_reading_shows_its_progress_on_a_terminal_and_removes_it(self):
        path = self.classic()
        ours, terminal = pty.openpty()
        process = self.start("view", "--as", "bytes", path, stderr=terminal)
        os.close(terminal)
        told, shown = b"", 0
        with os.fdopen(ours, "rb", buffering=0) as progress, process.stdout as out:
            while b"%" not in told:  # it takes as long as we do
                more = out.read1(4096)
                self.assertTrue(more, "it ended without a word")
                shown += len(more)
                if select.select([progress], [], [], 0.02)[0]:
                    told += progress.read(100)
            shown += len(out.read())
            self.assertEqual(process.wait(timeout=30), handlens.DONE)
            while select.select([progress], [], [], 0)[0]:
                try:
                    told += progress.read(100)
                except OSError:  # nobody holds the terminal any more
                    break
        self.assertRegex(told, rb"\A(\rreading: [ \d]{3} %)+\r {15}\r\Z")
        self.assertEqual(shown, len(self.run_handlens("view", "--as", "bytes", path, timeout=60).out_bytes))

    def test_a_reader_who_leaves_ends_it_quietly(self):
        path = self.classic()
        process = self.start("view", "--as", "packets", path)
        process.stdout.readline()
        process.stdout.close()
        with process.stderr:
            complaint = process.stderr.read()
        self.assertEqual((process.wait(timeout=30), complaint), (handlens.DONE, b""))


if __name__ == "__main__":
    handlens.main()
