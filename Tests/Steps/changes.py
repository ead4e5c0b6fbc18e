"""What has changed since the tests of a target last passed, by what is in the files."""

import hashlib
import json
import pathlib


# What is no target's own, and tests rest on it all the same: scripts and samples, versions, tables of other tests.
SHARED = ["Deploy", "Package.swift", "Package.resolved", "Tests/ReplicationTests"]
# What reads all there is.
READERS = {"TidyTests": ["Sources", "Tests", "README.md"]}


class Package:
    """A package's targets, and what is in their files.

    dump        what the package manager says of Package.swift
    compiler    its version
    """

    def __init__(self, root, dump, compiler):
        self.root, self.compiler = root, compiler
        self.targets = {target["name"]: target for target in dump["targets"]}

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
        shared = [self.compiler, *(digest(self.root / path) for path in SHARED)]

        def state(name):
            more = [digest(self.root / path) for path in READERS.get(name, [])]
            return hashlib.sha256(
                " ".join([*shared, *more, *(files[each] for each in sorted(self.below(name)))]).encode()).hexdigest()

        return {name: state(name) for name in self.tests}


def digest(path):
    """Of the names and contents of all files in a folder, or of one file."""
    sum = hashlib.sha256()
    for file in sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]:
        if file.is_file():
            sum.update(f"{file.relative_to(path)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
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
