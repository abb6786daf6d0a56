"""`handlens run -w`, killed by SIGKILL: what is in the file then."""

import random
import signal
import time

import fault
import handlens
from fault import DAMAGED, DONE, INTERFACE, SECTION

# Sanitized or counted, it takes long to begin, and longer to look at.
KILLS, LATEST = (50, 0.4) if handlens.SANITIZED or handlens.COUNTED else (200, 0.1)

# Each message is left alone for longer than FORMAT.md says that writing it may take, while others
# keep the program busy. The script's clock and the writing share one loop, which serves whatever is
# due first: only when the message could be in the file is it called old.
PATIENT = """
lab.port = 65432
lab.timeout = 60
function lab.reply(message) return message end
function lab.clients.busy(server)
  local sock = socket.connect(server)
  while true do
    sock:sendall(("busy"):rep(50))
    sock:recv(1000)
  end
end
function lab.clients.patient(server)
  local sock = socket.connect(server)
  for i = 1, 100 do
    sock:sendall(("number %03d"):format(i))
    sock:recv(100)
    sleep(0.3)
    print(("old %03d"):format(i))
  end
end
"""


class Killed(fault.FaultTest):
    def kill(self, lab, path, wait):
        process = self.start("run", lab, "-q", "-w", path)
        wait(process)
        process.kill()
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)

    def assert_opens(self, path):
        """Returns its events. Where the file ends inside a block, the view says so, and only then."""
        kinds, rest = fault.block_kinds(path)
        self.assertEqual(kinds[:1], [SECTION])
        # In front of the first interface nothing else stands.
        self.assertEqual(kinds[1:2], [INTERFACE][:len(kinds) - 1])
        shown = self.run_handlens("view", path, "--as", "json", status=DAMAGED if rest else DONE)
        return shown.json()

    def assert_nothing_is_missing(self, events):
        """Up to wherever the trace ends."""
        calls = [e["id"] for e in events if e["event"] == "call"]
        self.assertEqual(calls, sorted(calls))
        packets = [e for e in events if e["event"] == "packet"]
        self.assertEqual([p["number"] for p in packets], list(range(1, len(packets) + 1)))
        next_seq = {}
        for packet in packets:
            side = packet["flow"], packet["from"]
            seq = packet["relative_seq"]
            self.assertLessEqual(seq, next_seq.get(side, 0), packet)
            taken = packet["payload_length"] + ("SYN" in packet["flags"])
            next_seq[side] = max(next_seq.get(side, 0), seq + taken)
        return len(packets)

    def test_at_random_moments_the_file_opens_and_has_no_hole(self):
        lab = self.lab(fault.TRAFFIC)
        choose = random.Random(1)
        delays = [choose.uniform(0.005, LATEST) for _ in range(KILLS)]

        def one(number):
            path = self.work / f"{number}.pcapng"
            self.kill(lab, path, lambda _: time.sleep(delays[number]))
            # The kill may come before the file is made, or in the very moment when it is.
            if not path.exists() or path.stat().st_size == 0:
                return None
            return path, self.assert_nothing_is_missing(self.assert_opens(path))

        kept = [pair for pair in self.at_once(one, range(KILLS)) if pair]
        self.assertGreater(sum(packets > 0 for _, packets in kept), KILLS // 10,
                           "too few runs had begun to record")
        self.assert_others_open([path for path, _ in kept])

    def assert_others_open(self, paths):
        whole = [path for path in paths if fault.block_kinds(path)[1] == 0]
        self.assertEqual(self.tool("capinfos", "-M", "-c", *whole).err, "")
        recorded = max(whole, key=lambda path: path.stat().st_size)
        shortest = min(whole, key=lambda path: path.stat().st_size)
        for path in (recorded, shortest):
            said = [line for line in self.tool("tshark", "-n", "-r", path).err.splitlines()
                    if not line.startswith("Running as user")]
            self.assertEqual(said, [])

    def test_what_is_old_is_in_the_file(self):
        lab = self.lab(PATIENT)

        def one(wanted):
            path = self.work / f"old-{wanted}.pcapng"
            process = self.start("run", lab, "-v", "-w", path)
            self.read_until(process, f"old {wanted:03}")
            process.kill()
            process.communicate()
            events = self.assert_opens(path)
            self.assert_nothing_is_missing(events)
            text = f"number {wanted:03}"
            calls = [e["args"] for e in events if e["event"] == "call" and e["call"] == "sendall"]
            self.assertIn(f'"{text}"', calls, "the call is missing")
            self.assertEqual(sum(text in e.get("text", "") for e in events), 0)
            sent = [e for e in events if e["event"] == "packet" and e["payload_length"] == len(text)]
            self.assertGreaterEqual(len(sent), 2 * wanted, "packets are missing")

        self.at_once(one, range(1, 5))


if __name__ == "__main__":
    fault.main()
