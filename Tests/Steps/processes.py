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


class Interrupted(Exception):
    """Somebody wants the run to end."""


class Processes:
    """What runs at the moment. One object for a whole run; its methods may be called from any thread."""

    def __init__(self, root, environment=None):
        self.root = root
        self.environment = environment or {}
        # Entered again by a signal's handler.
        self.lock = threading.RLock()
        self.running = set()
        self.is_over = False

    def run(self, command, mark, line=None, environment=None, silence=None, output=None):
        """Runs a command to its end, a line of its output at a time.

        line        is given each line of its output, standard error among it
        silence     so many seconds without a line, and it is held for hung, and killed
        output      a file that gets all of it as well
        Returns the exit code, negative for a signal; 124 where it was killed as hung.
        """
        variables = {**os.environ, **self.environment, **(environment or {}), MARK: mark}
        with self.lock:
            if self.is_over:
                raise Interrupted
            # A group of its own, so that all of it can be ended; no session of its own: who has given this run a low
            # priority means all of it, and the kernel weighs sessions against each other.
            process = subprocess.Popen(
                command, cwd=self.root, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0)
            self.running.add(process)
        watch = Watch(process, silence) if silence else None
        try:
            for text in process.stdout:
                if watch:
                    watch.heard()
                if output:
                    output.write(text)
                    output.flush()
                if line:
                    line(text.rstrip("\n"))
            code = process.wait()
        finally:
            if watch:
                watch.stop()
            with self.lock:
                self.running.discard(process)
            end_group(process)
        if self.is_over:
            raise Interrupted
        return 124 if watch and watch.has_killed else code

    def end(self):
        """Ends all that runs, and lets nothing begin any more."""
        with self.lock:
            self.is_over = True
            for process in self.running:
                end_group(process)


class Watch:
    """Kills a process of which nothing was heard for too long. Not a limit on how long it takes: a busy machine is slow,
    a hung process is silent."""

    def __init__(self, process, silence):
        self.process, self.silence = process, silence
        self.has_killed = False
        self.last = time.monotonic()
        self.stopped = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def heard(self):
        self.last = time.monotonic()

    def run(self):
        while not self.stopped.wait(1):
            if time.monotonic() - self.last > self.silence:
                self.has_killed = True
                end_group(self.process)
                return

    def stop(self):
        self.stopped.set()


def end_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def left_behind(mark):
    """The processes that a step has started and not ended: id and command line of each. They are killed here."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if f"{MARK}={mark}".encode() not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        # One that has ended and that nobody has waited for yet has no command line.
        if command:
            found.append((int(folder.name), command))
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)
    return found


@contextlib.contextmanager
def folder_for(name):
    """A folder for what a step leaves behind, which is not kept."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"twinline-{name}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
