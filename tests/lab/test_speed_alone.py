"""How long a run takes. Measured when nothing else runs."""

import statistics
import unittest

import handlens


@unittest.skipIf(handlens.SANITIZED, "a sanitized build is slow")
class Speed(handlens.LabTest):
    def test_run_hello_takes_less_than_0_3_seconds(self):
        seconds = [self.run_handlens("run", "hello").seconds for _ in range(5)]
        self.assertLess(statistics.median(seconds), 0.3, seconds)


if __name__ == "__main__":
    handlens.main()
