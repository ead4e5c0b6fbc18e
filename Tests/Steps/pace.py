"""How busy the machine is, measured all the time: a control for tests that can't do without a time.

A thread that wants to sleep for some milliseconds sleeps for longer where others have the processor. How much longer
says by how much whatever else runs here is late. The whole pairs that tests make stretch their timings by it: on a
machine that is busy with other things a node that is late is not lost.
"""

import collections
import os
import threading
import time

# The variable that tells the tests, as a whole number of at least 1.
VARIABLE = "TWINLINE_TEST_PACE"
NAP = 0.005
# So late, in seconds, nothing wakes on a machine that has nothing else to do.
CALM = 0.025
REMEMBERED = 20
MOST = 20


class Pace:
    """Measures from its beginning on."""

    def __init__(self):
        # The latest in each of the last seconds.
        self.latest = collections.deque([0.0], maxlen=REMEMBERED)
        self.slowest = 1
        threading.Thread(target=self.measure, daemon=True).start()

    def measure(self):
        second = time.monotonic() + 1
        while True:
            before = time.monotonic()
            time.sleep(NAP)
            now = time.monotonic()
            self.latest[-1] = max(self.latest[-1], now - before - NAP)
            if now > second:
                second = now + 1
                self.latest.append(0.0)

    @property
    def now(self):
        """By what the timings of a pair that starts now are to be multiplied."""
        if fixed := os.environ.get(VARIABLE):
            return max(1, int(fixed))
        pace = min(MOST, 1 + int(max(self.latest) / CALM))
        self.slowest = max(self.slowest, pace)
        return pace

    @property
    def environment(self):
        return {VARIABLE: str(self.now)}
