"""Child processes of a test run: each ends with it, and leaves neither processes nor files behind."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

# In the environment of whatever a step starts, and of what that starts in turn.
MARK = "TWINLINE_TEST_STEP"
# What may come from whoever calls; other variables of this name would have tests do something else.
OURS, TAKEN = "TWINLINE_", ("TWINLINE_CALLS", "TWINLINE_TEST_PACE")
# So many seconds without a word: nothing here takes so long, whatever else its machine does.
SILENCE = 3600
# So many seconds has what was started to end after whoever started it.
GRACE = 20


class Interrupted(Exception):
    """Somebody wants the run to end."""


class Processes:
    """What runs at the moment. One object for a whole run; its methods may be called from any thread."""

    def __init__(self, root, environment=None, pace=None):
        self.root, self.pace = root, pace
        self.environment = environment or {}
        # Process id and command line of what outlived its parent and was killed here.
        self.left = []
        # Entered again by a signal's handler.
        self.lock = threading.RLock()
        # Those that run, and the mark of all that each has started.
        self.running = {}
        self.count = 0
        self.is_over = False

    def run(self, command, mark, line=None, environment=None, silence=SILENCE, output=None, steady=False):
        """Runs a command to its end, a line of its output at a time.

        line        is given each line of its output, standard error among it
        silence     so many seconds without a line, and it is held for hung, and killed
        output      a file that gets all of it as well
        steady      it has the same variables each time, for whoever remembers things by them; one at a time
        Returns the exit code, negative for a signal; 124 where it was killed as hung.
        """
        variables = {name: value for name, value in os.environ.items() if not name.startswith(OURS) or name in TAKEN}
        # What an ordinary user's path lacks on Debian, such as nft.
        variables["PATH"] = variables.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
        pace = self.pace.environment if self.pace and not steady else {}
        variables |= {**pace, **self.environment, **(environment or {})}
        with self.lock:
            if self.is_over:
                raise Interrupted
            if not steady:
                self.count += 1
                mark = f"{mark}/{self.count}"
            # A group of its own, so that all of it can be ended; no session of its own: who has given this run a low
            # priority means all of it, and the kernel weighs sessions against each other.
            process = subprocess.Popen(
                command, cwd=self.root, env={**variables, MARK: mark}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0)
            self.running[process] = mark
            # A signal's handler may have come between.
            if self.is_over:
                end_all(process, mark)
        watch = Watch(self, process, mark, silence)
        try:
            for text in process.stdout:
                watch.heard()
                if output:
                    output.write(text)
                    output.flush()
                if line:
                    line(text.rstrip("\n"))
            code = process.wait()
        finally:
            watch.stop()
            with self.lock:
                self.running.pop(process)
            if process.poll() is None:
                end_all(process, mark)
                process.wait()
            process.stdout.close()
        if self.is_over:
            kill_marked(mark)
            raise Interrupted
        self.look_for_left(mark)
        return 124 if watch.has_killed else code

    def look_for_left(self, mark):
        """Notes and kills what somebody who has ended has started, and what has not ended either."""
        left = settled(lambda: [] if self.is_over else marked(mark))
        kill(left)
        with self.lock:
            self.left += left

    def left_behind(self):
        """What was started, and not ended by whoever started it: id and command line of each. It has been killed."""
        with self.lock:
            found, self.left = self.left, []
        return found

    def end(self):
        """Ends all that runs, and lets nothing begin any more."""
        with self.lock:
            self.is_over = True
            for process, mark in self.running.items():
                end_all(process, mark)


class Watch:
    """Looks after a process while its output is read, which goes on for as long as anybody holds the other end.

    One of which nothing was heard for too long is killed: not a limit on how long it takes; a busy machine is slow, a
    hung process is silent. Where one has ended and what it has started still holds its output, that is killed.
    """

    def __init__(self, processes, process, mark, silence):
        self.processes, self.process, self.mark, self.silence = processes, process, mark, silence
        self.has_killed = False
        self.last = time.monotonic()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def heard(self):
        self.last = time.monotonic()

    def run(self):
        while not self.stopped.wait(0.5):
            if self.process.poll() is not None:
                return self.processes.look_for_left(self.mark)
            if time.monotonic() - self.last > self.silence:
                self.has_killed = True
                return end_all(self.process, self.mark)

    def stop(self):
        self.stopped.set()
        self.thread.join()


def end_all(process, mark):
    """A process and all that it has started, in its group or outside."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    kill_marked(mark)


def kill_marked(mark):
    # Whoever is killed in turn may have started one more; one that waits for a disk ends later.
    limit = time.monotonic() + GRACE
    while (found := marked(mark)) and time.monotonic() < limit:
        kill(found)
        time.sleep(0.01)


def settled(find):
    """What `find` still finds once that had time to end by itself."""
    limit = time.monotonic() + GRACE
    while (found := find()) and time.monotonic() < limit:
        time.sleep(0.02)
    return found


def kill(found):
    """Kills these processes, as `marked` names them."""
    for number, _ in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def marked(mark):
    """Id and command line of each process with this mark."""
    word = f"{MARK}={mark}".encode()
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            # One that has ended and that nobody has waited for yet has no command line.
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            if command and word in (folder / "environ").read_bytes().split(b"\0"):
                found.append((int(folder.name), command))
    return found


@contextlib.contextmanager
def folder_for(name):
    """A folder for what a step leaves behind, which is not kept."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"twinline-{name}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
