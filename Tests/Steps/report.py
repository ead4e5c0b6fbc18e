"""What a run says: one line a step while it goes, then a table of the steps and the ten slowest tests."""

import json
import os
import shutil
import sys
import time

SLOWEST = 10


class Screen:
    """Writes to a terminal, with colour and a line that changes; elsewhere plain lines, or nothing but JSON."""

    def __init__(self, as_json):
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not as_json
        self.has_colour = self.is_terminal and "NO_COLOR" not in os.environ
        self.as_json = as_json
        self.shown = 0.0

    def say(self, text=""):
        self.clear()
        # With --json the last line, and nothing else, goes to standard output.
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def progress(self, text):
        """What is going on, where it can be written over."""
        if not self.is_terminal or time.monotonic() - self.shown < 0.1:
            return
        self.shown = time.monotonic()
        width = shutil.get_terminal_size().columns - 1
        print("\r\033[K" + text[:width], end="", flush=True)

    def clear(self):
        if self.is_terminal:
            print("\r\033[K", end="")

    def coloured(self, text, colour):
        return f"\033[{colour}m{text}\033[0m" if self.has_colour else text

    def good(self, text):
        return self.coloured(text, 32)

    def bad(self, text):
        return self.coloured(text, 31)


def table(results, seconds, screen):
    """The steps with their tests and seconds, the ten slowest tests, and what failed."""
    lines = ["", f"{'step':18} {'tests':>6} {'failed':>6} {'seconds':>8}"]
    for result in results:
        tests = len(result.tests) or "–"
        state = screen.good("passed") if result.has_passed else screen.bad("FAILED")
        if result.skipped:
            state = f"skipped: {result.skipped}"
        lines.append(f"{result.step:18} {tests:>6} {len(result.failed) or '–':>6} {result.seconds:>8.1f}  {state}")
    lines.append(f"{'all':18} {sum(len(result.tests) for result in results):>6} "
                 f"{sum(len(result.failed) for result in results) or '–':>6} {seconds:>8.1f}")
    timed = sorted((test for result in results for test in result.tests), key=lambda test: -test.seconds)
    if timed:
        lines += ["", "slowest tests"]
        lines += [f"{test.seconds:8.1f} s  {test.name}: {test.title}" for test in timed[:SLOWEST]]
    return "\n".join(lines)


def failures(result):
    """What went wrong in a step, as much as fits a screen; the rest is in its log."""
    lines = []
    for test in result.failed[:20]:
        lines.append(f"  {test.name}: {test.title}")
        lines += [f"      {text}" for text in test.wrong[:5]]
    if len(result.failed) > 20:
        lines.append(f"  and {len(result.failed) - 20} more")
    lines += [f"  {text}" for text in result.trouble]
    return "\n".join(lines)


def as_json(results, seconds):
    return json.dumps({
        "passed": all(result.has_passed for result in results), "seconds": round(seconds, 1),
        "steps": [{
            # Neither, where it was skipped.
            "step": result.step, "passed": None if result.skipped else result.has_passed, "tests": len(result.tests),
            "skipped": result.skipped or None, "seconds": round(result.seconds, 1), "trouble": result.trouble,
            "failed": [{"test": test.name, "title": test.title, "wrong": test.wrong} for test in result.failed],
        } for result in results]})


def closing(results):
    """In the form that test runners end with."""
    tests = [test for result in results for test in result.tests]
    failed = sum(bool(test.wrong) for test in tests)
    # A step without tests of its own counts as one.
    bare = [result for result in results if not result.tests and not result.skipped]
    failed += sum(not result.has_passed for result in bare)
    skipped = sum(test.is_skipped for test in tests) + sum(bool(result.skipped) for result in results)
    passed = len(tests) + len(bare) - failed - sum(test.is_skipped for test in tests)
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
