"""Swift's tests, from the one program that holds them all: a process for many of them, or one for each."""

import concurrent.futures
import dataclasses
import io
import json
import re
import threading

from processes import folder_for

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# So many seconds without a word: no test of this project takes so long, whatever else its machine does.
SILENCE = 900
HUNG = 124


@dataclasses.dataclass
class Outcome:
    """What became of one test. `wrong` is empty where it passed."""

    name: str
    title: str
    seconds: float
    wrong: list
    is_skipped: bool = False


class Bundle:
    """The tests' program.

    path        of the program
    processes   a Processes
    """

    def __init__(self, path, processes):
        self.path, self.processes = path, processes

    def names(self, pattern, mark):
        """The tests whose names match: Module.Suite/function()."""
        found = []
        code = self.processes.run(
            [self.path, "--testing-library", "swift-testing", "--list-tests"], mark, found.append)
        if code != 0:
            raise RuntimeError(f"{self.path} lists no tests, and ends with {code}")
        return [name for name in found if re.search(pattern, name)]

    def run(self, mark, log, only=None, skip=None, environment=None, said=None, parallel=True):
        """Runs tests in one process, beside each other or one after another.

        only, skip  regular expressions over tests' names
        log         a file for all that they print
        said        is given a sentence for each test that has ended
        Returns a list of Outcomes. One that had begun when the process ended is among them, as failed.
        """
        with folder_for("test") as folder:
            events = folder / "events"
            command = [self.path, "--testing-library", "swift-testing", "--event-stream-output-path", events,
                       "--event-stream-version", "0"]
            command += ["--filter", only] if only else []
            command += ["--skip", skip] if skip else []
            command += [] if parallel else ["--no-parallel"]
            last = []

            def line(text):
                text = COLOURS.sub("", text)
                last.append(text)
                del last[:-20]
                if said and (found := re.match(r". Test (.*?) (passed|failed) after", text)):
                    said(f"{found[1]} {found[2]}")

            scratch = folder / "tmp"
            scratch.mkdir()
            code = self.processes.run(
                command, mark, line, {"TMPDIR": str(scratch), **(environment or {})}, SILENCE, log)
            outcomes = read(events, ended_well=code == 0)
            left = sorted(str(path.relative_to(scratch)) for path in scratch.rglob("*"))
        if left:
            title = f"{only or 'the tests'} leave no files behind"
            outcomes.append(Outcome("files", title, 0, [f"in TMPDIR: {', '.join(left[:8])}"]))
        if code != 0 and not any(outcome.wrong for outcome in outcomes):
            how = f"was silent for {SILENCE} s" if code == HUNG else f"ended with {code}"
            outcomes.append(Outcome("process", f"the tests' process {how}", 0, last[-10:] or ["it printed nothing"]))
        return outcomes

    def run_each(self, names, beside, mark, log, seconds, said=None):
        """Runs each test, or all of a module one after another, in a process of its own, so many of these beside each
        other; those that take long begin.

        names       of tests or modules
        seconds     what each test took last, by name
        """
        def last(name):
            known = [took for test, took in seconds.items() if test == name or test.startswith(name + ".")]
            return sum(known) if known else 60

        names = sorted(names, key=lambda name: -last(name))
        lock = threading.Lock()

        def run(name):
            buffer = Buffer()
            pattern = "^" + re.escape(name).replace("/", r"\/") + r"(\.|/|$)"
            outcomes = self.run(mark, buffer, only=pattern, said=said, parallel=False)
            if not outcomes:
                outcomes = [Outcome(name, name, 0, ["there is no such test"])]
            with lock:
                log.write(f"---- {name}\n{buffer.text}")
                log.flush()
            return outcomes

        with concurrent.futures.ThreadPoolExecutor(beside) as pool:
            return [outcome for outcomes in pool.map(run, names) for outcome in outcomes]


class Buffer:
    """A file in memory."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def read(path, ended_well):
    """The Outcomes that a stream of Swift Testing's events tells of.

    ended_well  the process said that all is well: then all has to be there that it was to do
    """
    functions, begun, wrong, ended, skipped = {}, {}, {}, {}, set()
    has_ended = False
    with open(path) if path.exists() else io.StringIO() as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                # The process ended while it wrote.
                continue
            payload = event["payload"]
            name = payload.get("testID") or payload.get("id")
            if event["kind"] == "test":
                if payload["kind"] == "function":
                    functions[name] = payload.get("displayName") or payload["name"]
                continue
            instant = payload["instant"]["absolute"]
            match payload["kind"]:
                case "runEnded":
                    has_ended = True
                case "testStarted":
                    begun[name] = instant
                case "testEnded":
                    ended[name] = instant
                case "testSkipped" | "testCancelled":
                    skipped.add(name)
                case "issueRecorded" if not payload["issue"].get("isKnown"):
                    wrong.setdefault(name, []).append(sentence(payload))
    outcomes = []
    for name, title in functions.items():
        said = wrong.pop(name, [])
        short = name.rsplit("/", 1)[0]
        if name in ended and name in begun:
            outcomes.append(Outcome(short, title, ended[name] - begun[name], said, name in skipped and not said))
        elif name in begun:
            outcomes.append(Outcome(short, title, 0, said + ["the process ended before it did"]))
        elif name in skipped:
            outcomes.append(Outcome(short, title, 0, [], True))
        else:
            outcomes.append(Outcome(short, title, 0, said + ["it never began"]))
    # What a suite, or code beside all tests, found.
    outcomes += [Outcome(name or "process", name or "beside all tests", 0, said) for name, said in wrong.items()]
    if ended_well and not (has_ended and functions):
        outcomes.append(Outcome("process", "the tests' process", 0, ["it ended well, and does not say that it is done"]))
    return outcomes


def sentence(payload):
    """What an issue says, with file and line."""
    text = " ".join(message["text"] for message in payload["messages"])
    place = payload["issue"].get("sourceLocation")
    return f"{place['fileID']}:{place['line']}: {text}" if place else text
