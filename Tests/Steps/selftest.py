#!/usr/bin/python3
"""That a run says "failed" where nobody can know better, and leaves nothing behind: with stand-ins for what it runs."""

import contextlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import time
import types
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import processes  # noqa: E402
import steps  # noqa: E402
from bundle import Bundle  # noqa: E402
from changes import Memory  # noqa: E402
from processes import Interrupted, Processes  # noqa: E402

ENDED = ["testStarted", "testEnded"]


class Stand(unittest.TestCase):
    """What a stand-in is written to, and the marks of what it starts."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.processes = Processes(self.folder)
        self.mark = f"selftest-{os.getpid()}-{self.id()}"

    def script(self, text):
        path = self.folder / "program"
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o700)
        return path


class TestsProcess(Stand):
    """A process of tests that tells less than all."""

    def outcomes(self, events, more=""):
        """Of a program that writes this stream of events."""
        stream = self.folder / "stream"
        stream.write_text("".join(json.dumps(event) + "\n" for event in events))
        # Its fourth word is the stream's path.
        program = self.script(f'cp "{stream}" "$4"\n{more}')
        with open(os.devnull, "w") as log:
            return Bundle(program, self.processes).run(self.mark, log)

    def stream(self, *kinds, ended=True):
        name = "M.S/f()/F.swift:1:1"
        found = [{"kind": "test", "payload": {"kind": "function", "id": name, "name": "f()"}}]
        found += [self.event(kind, name) for kind in kinds]
        return found + ([self.event("runEnded", None)] if ended else [])

    def event(self, kind, name):
        return {"kind": "event", "payload": {"kind": kind, "testID": name, "instant": {"absolute": 1}}}

    def wrong(self, *arguments, **more):
        return [text for outcome in self.outcomes(*arguments, **more) for text in outcome.wrong]

    def test_good(self):
        self.assertEqual(self.wrong(self.stream(*ENDED)), [])

    def test_stream_is_cut_off(self):
        self.assertTrue(self.wrong(self.stream(*ENDED, ended=False)))

    def test_never_began(self):
        self.assertTrue(self.wrong(self.stream()))

    def test_did_not_end(self):
        self.assertTrue(self.wrong(self.stream("testStarted")))

    def test_there_is_no_test(self):
        self.assertTrue(self.wrong([self.event("runEnded", None)]))

    def test_nothing_is_said(self):
        self.assertTrue(self.wrong([]))

    def test_crash_without_a_word(self):
        self.assertTrue(self.wrong(self.stream(*ENDED), "kill -9 $$"))

    def test_cancelled_is_skipped(self):
        outcomes = self.outcomes(self.stream("testStarted", "testCancelled", "testEnded"))
        self.assertEqual([(outcome.wrong, outcome.is_skipped) for outcome in outcomes], [([], True)])

    def test_files_left_behind(self):
        self.assertTrue(self.wrong(self.stream(*ENDED), 'touch "$TMPDIR/file"'))


class Simulator(Stand):
    def wrong(self, text):
        screen = types.SimpleNamespace(progress=lambda text: None)
        run = types.SimpleNamespace(
            processes=self.processes, sim=self.script(text), mark=self.mark, log=None, step="seeds", screen=screen)
        return [line for outcome in steps.simulate(run, [["--seeds", "5"]]) for line in outcome.wrong]

    def test_good(self):
        self.assertEqual(self.wrong("echo 5 seeds, 0 violations, 1 simulated hours"), [])

    def test_nothing_is_said(self):
        self.assertTrue(self.wrong("true"))

    def test_no_seed(self):
        self.assertTrue(self.wrong("echo 0 seeds, 0 violations"))

    def test_crash(self):
        self.assertTrue(self.wrong("echo 5 seeds, 0 violations; kill -9 $$"))

    def test_violation(self):
        self.assertTrue(self.wrong("echo seed 3: two leaders; echo 5 seeds, 1 violations; exit 1"))


class LeftBehind(Stand):
    def setUp(self):
        super().setUp()
        grace, processes.GRACE = processes.GRACE, 0.3
        self.addCleanup(setattr, processes, "GRACE", grace)

    def left(self, text):
        self.processes.run([self.script(text)], self.mark)
        return [command for _, command in self.processes.left_behind()]

    def test_in_its_group(self):
        self.assertEqual(self.left("sleep 1001 > /dev/null 2>&1 &"), ["sleep 1001"])

    def test_in_a_session_of_its_own(self):
        self.assertEqual(self.left("setsid sleep 1002 > /dev/null 2>&1 &"), ["sleep 1002"])

    def test_one_that_holds_the_output(self):
        self.assertEqual(self.left("setsid sleep 1006 &"), ["sleep 1006"])

    def test_what_ends_by_itself_is_none(self):
        self.assertEqual(self.left("sleep 0.1 > /dev/null &"), [])

    def test_an_interrupt_ends_all(self):
        program = self.script("setsid sleep 1003 & echo there; sleep 1004")
        began = threading.Event()

        def run():
            with contextlib.suppress(Interrupted):
                self.processes.run([program], self.mark, lambda line: began.set())

        thread = threading.Thread(target=run)
        thread.start()
        began.wait()
        self.processes.end()
        thread.join()
        self.assertEqual(processes.marked(f"{self.mark}/1"), [])
        with self.assertRaises(Interrupted):
            self.processes.run(["true"], self.mark)

    def test_silence(self):
        began = time.monotonic()
        self.assertEqual(self.processes.run(["sleep", "1005"], self.mark, silence=0.5), 124)
        self.assertLess(time.monotonic() - began, 900)


class Around(Stand):
    def test_a_callers_variables_stay_outside(self):
        os.environ["TWINLINE_RECORD"] = "1"
        self.addCleanup(os.environ.pop, "TWINLINE_RECORD")
        lines = []
        self.processes.run(["env"], self.mark, lines.append)
        self.assertFalse([line for line in lines if line.startswith("TWINLINE_RECORD")])

    def test_what_is_remembered_is_whole_or_forgotten(self):
        path = self.folder / "memory.json"
        memory = Memory(path)
        memory.values["passed"]["M"] = "state"
        memory.save()
        self.assertEqual(Memory(path).values["passed"], {"M": "state"})
        path.write_text(path.read_text()[:20])
        self.assertEqual(Memory(path).values["passed"], {})

    def test_a_module_without_tests_has_not_passed(self):
        noted = []
        run = types.SimpleNamespace(note_passed=noted.extend)
        self.assertTrue(any(outcome.wrong for outcome in steps.noted(run, ["M"], [])))
        self.assertEqual(noted, [])


if __name__ == "__main__":
    unittest.main()
