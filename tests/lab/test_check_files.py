"""handlens check LAB FILE...: many captures judged at the same time, each on its own."""

import json
import os
import pathlib
import re
import signal
import time

import handlens
import pcapng
from handlens import CHECK_FAILED, DAMAGED, DONE, USAGE


class Many(handlens.LabTest):
    def busy_child(self, parent):
        """The child that has had half a second of a processor, once there is one."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = stat.read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # it has just ended
                ticks = int(fields[11]) + int(fields[12])
                if int(fields[1]) == parent and ticks / os.sysconf("SC_CLK_TCK") >= 0.5:
                    return int(stat.parent.name)
            time.sleep(0.01)
        self.fail("no process of it is busy")

    def test_one_bad_file_does_not_spoil_the_rest(self):
        good = self.capture("hello", "good.pcapng")
        self.capture("refused", "other.pcapng")
        (self.work / "junk.pcapng").write_text("nonsense")
        cut = self.work / "cut.pcapng"
        cut.write_bytes(good.read_bytes()[:-3])
        result = self.run_handlens("check", "hello", "good.pcapng", "junk.pcapng", "other.pcapng",
                                   "none.pcapng", "cut.pcapng", "good.pcapng", status=CHECK_FAILED)
        table = result.out[result.out.rindex("file  "):]
        rows = [line.split() for line in table.splitlines()[1:7]]
        self.assertEqual([row[0] for row in rows],
                         ["good.pcapng", "junk.pcapng", "other.pcapng", "none.pcapng",
                          "cut.pcapng", "good.pcapng"])
        self.assertEqual([row[-1] for row in rows],
                         ["passed", "DAMAGED", "FAILED", "READ", "DAMAGED", "passed"])
        self.assertIn("2 of 6 files passed.", result.out)

    def test_the_worst_counts_where_no_check_failed(self):
        good = self.capture("hello", "good.pcapng")
        (self.work / "junk.pcapng").write_text("nonsense")
        self.run_handlens("check", "hello", good, "junk.pcapng", status=DAMAGED)
        self.run_handlens("check", "hello", good, good, status=DONE)
        self.assert_one_sentence(self.run_handlens("check", "hello", "none.pcapng", status=USAGE),
                                 "none.pcapng")

    def test_hundreds_of_files_in_order_and_each_once(self):
        good = self.capture("hello", "good.pcapng").read_bytes()
        names = [f"{n:03}.pcapng" for n in range(300)]
        for name in names:
            (self.work / name).write_bytes(good)
        out = self.run_handlens("check", "hello", *names, "--format", "json", timeout=120).out
        reports = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([r["file"] for r in reports], names)
        self.assertTrue(all(r["passed"] == 5 for r in reports))
        tap = self.run_handlens("check", "hello", *names[:3], "--format", "tap").out
        self.assertEqual(re.findall(r"(?m)^ok (\d+) - (\S+)", tap),
                         [("1", "000.pcapng"), ("2", "001.pcapng"), ("3", "002.pcapng")])

    def test_a_process_that_dies_takes_only_its_file_along(self):
        lab = self.lab("function lab.client() pcall(socket.connect, '127.0.0.1:9') end\n"
                       "function lab.check(trace)\n"
                       "  while #trace.packets ~= 2 do end\n"
                       "  expect.truth(true)\nend\n")
        good = self.capture(lab, "good.pcapng")
        pcapng.rewrite(good, self.work / "long.pcapng",
                       lambda number, frame: None if number == 2 else frame)
        process = self.start("check", lab, "long.pcapng", *[good] * 20)
        os.kill(self.busy_child(process.pid), signal.SIGKILL)
        result = self.finish(process, 0, 60)
        self.assertIn("long.pcapng was ended by signal 9", result.out)
        self.assertIn("20 of 21 files passed.", result.out)

    def test_one_files_check_leaves_nothing_for_the_next(self):
        lab = self.lab("count = 0\nfunction lab.client() pcall(socket.connect, '127.0.0.1:9') end\n"
                       "function lab.check(trace)\n  count = count + 1\n"
                       "  expect.equal(count, 1)\nend\n")
        path = self.capture(lab, "own.pcapng")
        self.run_handlens("check", lab, *[path] * 20)


if __name__ == "__main__":
    handlens.main()
