"""What the fault tests share: handlens while something goes wrong around it.

A test file is test_NAME.py with classes derived from fault.FaultTest; ctest finds it by its name.
Like tests/lab, which this builds upon, it takes the program from the environment:

    HANDLENS=build/release/handlens python3 tests/fault/test_kill.py -v
"""

import concurrent.futures
import os
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

import handlens  # noqa: E402
from handlens import CHECK_FAILED, DAMAGED, DONE, HANDLENS, NOT_ALLOWED, USAGE  # noqa: E402, F401

SECTION, INTERFACE = 0x0A0D0D0A, 1

# Four clients that talk as fast as they can, each with messages that say which they are: in a trace
# without a hole, no number is left out.
TRAFFIC = """
lab.title = "Much traffic"
lab.port = 65432
lab.timeout = 60
function lab.reply(message) return message end
for n = 1, 4 do
  lab.clients["c" .. n] = function(server)
    local sock = socket.connect(server)
    for i = 1, 100000 do
      sock:sendall(("%08d"):format(i) .. ("."):rep(192))
      sock:recv(1000)
    end
  end
end
"""


class FaultTest(handlens.LabTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not handlens.PRIVATE:
            raise cls.skipTest(cls, "the runs need loopbacks of their own")

    def at_once(self, work, cases):
        """work(case) of every case, a few at a time. Every failure is told as that case's."""
        results = []
        with concurrent.futures.ThreadPoolExecutor(min(4, 2 * (os.cpu_count() or 1))) as pool:
            for case, future in [(case, pool.submit(work, case)) for case in cases]:
                with self.subTest(case=case):
                    results.append(future.result())
        return results


def block_kinds(path):
    """The types of the file's whole blocks, and how many bytes are left behind the last one."""
    data, kinds, at = path.read_bytes(), [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if at + length > len(data):
            break
        kinds.append(kind)
        at += length
    return kinds, len(data) - at


def main():
    handlens.main()
