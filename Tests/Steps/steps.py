"""The steps of a test run, in their order: what each shows, when it belongs to a run, and how it is done."""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import time
from typing import Callable

import tidy
from bundle import Bundle, Outcome

CORES = len(os.sched_getaffinity(0))
# Whole pairs beside each other: mostly they wait.
PAIRS = min(2 * CORES, 16)
# Seeds of one process, which says nothing before its end.
SEEDS = 500
# What keeps the cores busy comes by itself: beside it others wait.
FLOODS = r"\.(HostileConnectionTests|RefusedByNameTests|StrangerTests)/"
PROCESSES = r"^ChaosTests\."
FUZZ = r"^FuzzTests\."
# What no test of a pair on one host can show.
DRILLED = ["isolate-primary", "cut-seats-route-1", "cut-seats-primary", "deafen-primary", "deafen-standby",
           "cut-standby-witness", "power-primary-and-standby", "wipe-witness", "expire-primary"]


class Failed(Exception):
    """What a step says of its failure beside its tests'."""


class Skipped(Exception):
    """Why this machine can't do a step."""


@dataclasses.dataclass
class Step:
    """One step. `run` is given a Run, and returns Outcomes."""

    name: str
    shows: str
    run: Callable
    # The first of default, deep, long that it belongs to; quick and planted: to that alone.
    level: str = "default"
    # What has to be built before: core, for the pure tests; all; nothing.
    needs: str = ""
    # A smaller step, which this one's run makes needless.
    replaces: str = ""


# -- what is built ----------------------------------------------------------------------------------------------------


def build(run, core=False):
    """One build for tests and programs: optimized, since whole pairs of slow nodes make slow tests, and testable."""
    # Each by its name: all that a package has would be the plug-ins and tools of those that it depends on, too. The
    # tests first: they need all of it, so that no core waits. Half of it is enough for the tests without sockets, whose
    # result is there before the rest is built.
    products = ["twinlinePackageTests"] if core else ["twinlinePackageTests", "twinline", "twinline-sim"]
    run.note_state()
    for product in products:
        run.build(*run.flags, "--product", product, tests="core" if core else "")
    return []


# -- Swift's tests ----------------------------------------------------------------------------------------------------


def modules(names):
    return rf"^({'|'.join(names)})\."


def unit(run, names=None):
    # A process for each module, so that both cores are busy and a test's time is its own.
    names = names or run.modules.core
    return noted(run, names, run.bundle.run_each(names, CORES, run.mark, run.log, run.seconds, said=run.said))


def sockets(run, names=None):
    # In one process: they wait for each other's answers more than they work.
    names = names or run.modules.others
    return noted(run, names, run.bundle.run(
        run.mark, run.log, only=modules(names), skip=FLOODS, said=run.said))


def noted(run, names, outcomes):
    """Notes that the tests of these targets pass. One without a test is a failure: nobody has looked."""
    for name in names:
        if not any(outcome.name.startswith(f"{name}.") for outcome in outcomes):
            outcomes.append(Outcome(name, name, 0, ["it has no tests"]))
    if not any(outcome.wrong for outcome in outcomes):
        run.note_passed(names)
    return outcomes


def quick(run):
    names = run.changed(run.modules.core + run.modules.others)
    if not names:
        raise Skipped("nothing that tests depend on has changed since they passed")
    run.screen.say(f"   {', '.join(names)}")
    # One after the other, as in a whole run: beside what computes, those that wait for each other take twice as long.
    core = [name for name in names if name in run.modules.core]
    others = [name for name in names if name not in core]
    return (unit(run, core) if core else []) + (sockets(run, others) if others else [])


def floods(run):
    # Two of them wait for ten seconds each.
    return each(run, FLOODS, CORES)


def fuzz(run):
    return run.bundle.run(run.mark, run.log, only=FUZZ, said=run.said)


def pairs(run):
    return each(run, PROCESSES, PAIRS)


def each(run, pattern, beside):
    """These tests in a process each, so many beside each other."""
    names = run.bundle.names(pattern, run.mark)
    if not names:
        raise Failed(f"there is no test {pattern}")
    return run.bundle.run_each(names, beside, run.mark, run.log, run.seconds, said=run.said)


# -- the simulator ----------------------------------------------------------------------------------------------------


def simulate(run, jobs):
    """Runs the simulator with each of these arguments, as many beside each other as there are cores."""

    def one(arguments):
        began, wrong, lines = time.monotonic(), [], []

        def line(text):
            lines.append(text)
            if re.match(r"seed \d+:", text):
                wrong.append(text)
            run.screen.progress(f"{run.step}: {text}")

        code = run.processes.run([run.sim, *arguments], run.mark, line, output=run.log)
        if code != 0 and not wrong:
            wrong = [f"ended with {code}", *lines[-5:]]
        if not wrong and not any(re.match(r"[1-9]\d* seeds, 0 violations", text) for text in lines):
            wrong = ["it does not say that any seed ran", *lines[-5:]]
        name = " ".join(str(word) for word in arguments)
        return Outcome(f"twinline-sim {name}", lines[-1][:60] if lines else "", time.monotonic() - began, wrong)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(one, jobs))


def ranges(first, count):
    """A range of seeds in parts, at least as many as there are cores."""
    part = min(SEEDS, max(1, -(-count // CORES)))
    return [["--seeds", str(min(part, first + count - start)), "--from", str(start)]
            for start in range(first, first + count, part)]


def seeds(fixed, new):
    def do(run):
        jobs = [*ranges(1, fixed), *ranges(int(time.time()), new)]
        return simulate(run, jobs)
    return do


def found(run):
    return simulate(run, [["--list", "Tests/SimulatorTests/Found.txt"]])


def transitions(run):
    table = pathlib.Path("Tests/ReplicationTests")
    return simulate(run, [["--seeds", "500", "--transitions", table / "Transitions.txt",
                           "--except", table / "NotTaken.txt"]])


# -- programs -----------------------------------------------------------------------------------------------------------


def shipped(run):
    """A build for the search of planted faults has them all; this one has to have none."""
    names = [line.split()[0] for line in pathlib.Path("Tests/Planted/faults").read_text().splitlines()
             if line and line[0] != "#"]
    if len(names) < 40:
        raise Failed(f"Tests/Planted/faults names {len(names)} faults")
    # 1: it finds none. Whatever else it ends with is a failure, a program that is not there among them.
    code, _ = run.command(["grep", "-aowF", "\n".join(names), run.twinline], may_end_with=[1])
    if code == 0:
        raise Failed(f"planted faults are in {run.twinline}; {run.step}.log names them")
    return []


def demo(run):
    history = run.folder / "demo.jsonl"
    run.command([run.twinline, "demo", "--json", "--history", history], shown=True)
    run.command([run.twinline, "check", history], shown=True)
    return []


def client(kills, outage):
    def do(run):
        run.command(["Tests/PythonClient/check", run.twinline, "--kills", str(kills), "--outage", str(outage)],
                    shown=True)
        return []
    return do


def drill(*arguments):
    def do(run):
        code, last = run.command([run.twinline, "drill", "--html", run.folder / "drill.html", *arguments], shown=True,
                                 may_end_with=[69])
        if code == 69:
            raise Skipped(last)
        return []
    return do


def bench(run):
    run.command([run.twinline, "bench", "--embedded", "--seats", "16", "--seconds", "2", "--op", "mixed", "--json"],
                shown=True)
    return []


# -- what takes long ----------------------------------------------------------------------------------------------------


def model(*arguments):
    def do(run):
        run.command(["Tests/Model/check", *arguments], shown=True)
        return []
    return do


def built_for(run, name, *flags):
    """A build of the tests of its own, in a folder of its own."""
    scratch = f".build-{name}"
    run.build("--build-tests", *run.testable, *flags, "--scratch-path", scratch)
    return Bundle(pathlib.Path(scratch, "release/twinlinePackageTests.xctest"), run.processes)


def fuzz_long(run):
    # No leak check: each run of a process by Foundation, here of Deploy/pki, leaves 32 bytes that fail it. The memory in
    # use is measured instead, and so the quarantine is kept small.
    bundle = built_for(run, "address", "--sanitize", "address")
    options = {"TWINLINE_FUZZ": "1000000", "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=16"}
    return bundle.run(run.mark, run.log, only=FUZZ, environment=options, said=run.said)


def threads(run):
    # One after another: under the sanitizer they take long enough to keep each other waiting.
    bundle = built_for(run, "thread", "--sanitize", "thread")
    library = pathlib.Path(".build-thread/swift.so").absolute()
    run.command(["clang", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, "Tests/Sanitizer/Swift.c"])
    return bundle.run(run.mark, run.log, only="^(Arbitration|Daemon|Engine|Seat|Transport)Tests",
                      environment={"LD_PRELOAD": str(library)}, parallel=False, said=run.said)


def large(run):
    # One after another: each measures.
    run.build(*run.flags, "--product", "twinlinePackageTests", tests="all")
    return run.bundle.run(run.mark, run.log, only="^LargeTests", environment={"TWINLINE_LARGE": "5000000"},
                          parallel=False, said=run.said)


def pages(run):
    return run.bundle.run(
        run.mark, run.log, only="PageChecksumTests", environment={"TWINLINE_LONG": "1"}, said=run.said)


def idle(run):
    run.command(["/usr/bin/python3", "Tests/PythonClient/idle_connections.py", run.twinline],
                {"PYTHONPATH": ".build-python"}, shown=True)
    return []


def year(run):
    calls = pathlib.Path(os.environ.get("TWINLINE_CALLS", "../shared/data/boston311_2011h2.csv.gz"))
    if not calls.exists():
        raise Skipped(f"no {calls}; TWINLINE_CALLS names such a file")
    run.command([run.twinline, "demo", "--input", calls, "--speed", "max", "--json"], shown=True)
    return []


def demos(run):
    for _ in range(5):
        run.command([run.twinline, "demo", "--json"], shown=True)
    return []


def planted(run):
    for product in ("twinline", "twinline-sim", "twinlinePackageTests"):
        run.build(*run.testable, "-Xswiftc", "-DPLANTED", "--scratch-path", ".build-planted", "--product", product)
    built = pathlib.Path(".build-planted/release")
    run.command(["Tests/Planted/find", built / "twinline-sim", built / "twinlinePackageTests.xctest"], shown=True)
    return []


STEPS = [
    Step("tidy", "format, dependencies, generated code, scripts, behaviours that name their tests", tidy.check),
    Step("build-core", "what needs no sockets, and its tests", lambda run: build(run, core=True)),
    Step("unit", "the rules, formats, log, database and engine, without sockets", unit, needs="core"),
    Step("build", "everything that is shipped, and the tests", build),
    Step("sockets", "transport, seats, witness and daemons over loopback; simulator and command line", sockets, needs="all"),
    Step("floods", "peers that flood, stall and are refused", floods, needs="all"),
    Step("pairs", "whole pairs of processes under faults", pairs, needs="all"),
    Step("fuzz", "some thousand random and mutated frames against node, witness and seat", fuzz, needs="all"),
    Step("seeds", "the simulator: 200 fixed seeds and 50 new ones", seeds(200, 50), needs="all"),
    Step("found", "the simulator: the seeds that have found something", found, needs="all"),
    Step("shipped", "no trace of a planted fault in what is shipped", shipped, needs="all"),
    Step("demo", "twelve seats at work while processes are killed and frozen; their history, checked", demo, needs="all"),
    Step("client", "a seat client in Python: the scripts, and a pair whose primary is killed", client(1, 2), needs="all"),
    Step("drill", "nine faults on hosts in namespaces, seats at work", drill("--faults", ",".join(DRILLED)), needs="all"),
    Step("bench", "a short benchmark", bench, needs="all"),
    Step("quick", "the tests of what depends on what has changed since they passed", quick, "quick", "all"),
    Step("quick-seeds", "the simulator: 50 fixed seeds", seeds(50, 0), "quick", "all"),
    Step("generate", "the generated code, made anew, is the same", tidy.generate, "deep"),
    Step("model", "the protocol's model, and each rule left out", model(), "deep"),
    Step("transitions", "the simulator: 500 fixed seeds take each change of role but the excepted ones", transitions,
         "deep", "all", "seeds"),
    Step("new-seeds", "the simulator: 200 new seeds", seeds(0, 200), "deep", "all"),
    Step("client-kills", "the client in Python: three kills, both nodes away", client(3, 3), "deep", "all", "client"),
    Step("drill-usual", "a dozen and a half faults", drill(), "deep", "all", "drill"),
    Step("model-long", "the model at larger bounds", model("--long"), "long"),
    Step("many-seeds", "the simulator: 20,000 new seeds", seeds(0, 20000), "long", "all", "new-seeds"),
    Step("pages", "every bit of a database's pages", pages, "long", "all"),
    Step("fuzz-address", "a million frames against node, witness and seat each, under AddressSanitizer", fuzz_long,
         "long"),
    Step("threads", "what has threads, under ThreadSanitizer", threads, "long"),
    Step("large", "five million tickets: opens, failovers, memory, a reseed; long entries, a long index build", large,
         "long"),
    Step("idle", "the memory of a node with 4,000 idle connections", idle, "long", "all"),
    Step("year", "the demo with half a year's calls, as fast as they can be taken in", year, "long", "all"),
    Step("drill-all", "all faults", drill("--all"), "long", "all", "drill-usual"),
    Step("demos", "the demo, five times", demos, "long", "all"),
    Step("planted", "each fault that is planted in the code is found", planted, "planted"),
]
