"""What has changed since the tests of a target last passed, by what is in the files."""

import hashlib
import json
import pathlib
import subprocess


class Package:
    """What Package.swift says, with the tests that TWINLINE_TESTS chooses there: core, or (none) all but the long ones."""

    def __init__(self, root, environment, tests=""):
        dump = subprocess.run(
            ["swift", "package", "dump-package"], cwd=root, env={**environment, "TWINLINE_TESTS": tests}, check=True,
            stdout=subprocess.PIPE).stdout
        self.root = root
        self.targets = {target["name"]: target for target in json.loads(dump)["targets"]}

    @property
    def tests(self):
        return [name for name, target in self.targets.items() if target["type"] == "test"]

    def below(self, name, seen=None):
        """A target and all that it depends on within this package."""
        seen = set() if seen is None else seen
        if name in self.targets and name not in seen:
            seen.add(name)
            for dependency in self.targets[name]["dependencies"]:
                self.below(next(iter(dependency.values()))[0], seen)
        return seen

    def folder(self, name):
        target = self.targets[name]
        below = "Tests" if target["type"] == "test" else "Sources"
        return self.root / (target.get("path") or f"{below}/{name}")

    def states(self):
        """Test target -> a digest of all files that it is made of."""
        files = {name: digest(self.folder(name)) for name in self.targets}
        manifest = hashlib.sha256((self.root / "Package.swift").read_bytes()).hexdigest()
        return {name: hashlib.sha256(
            " ".join([manifest, *(files[each] for each in sorted(self.below(name)))]).encode()).hexdigest()
            for name in self.tests}


def digest(folder):
    """Of the names and contents of all files in a folder."""
    sum = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        sum.update(f"{file.relative_to(folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return sum.hexdigest()


class Memory:
    """What earlier runs leave for later ones, in a file: seconds of steps and tests, and what passed in which state."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            self.values = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.values = {}
        for key in ("steps", "tests", "passed"):
            self.values.setdefault(key, {})

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.values, indent=1))
        new.replace(self.path)
