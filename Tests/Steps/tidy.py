"""What needs no build: format, dependencies, generated code, scripts, and the table of behaviours."""

import concurrent.futures
import pathlib
import re
import time

from bundle import Outcome

BEHAVIOURS = pathlib.Path("README.md")


def check(run):
    """Each check is one Outcome."""
    checks = [("format", style), ("dependencies", dependencies), ("generated", generated), ("scripts", scripts),
              ("steps", steps_say_so),
              ("behaviours", lambda run: behaviours(run.step_names))]

    def one(check):
        began = time.monotonic()
        wrong = check[1](run)
        return Outcome(check[0], check[1].__doc__ or "each row of the table names its test",
                       time.monotonic() - began, wrong)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, checks))


def style(run):
    """The sources are as swift format leaves them."""
    return run.complaints(["swift", "format", "lint", "--strict", "-r", "-p", "Sources", "Tests", "Package.swift"])


def dependencies(run):
    """Each target imports what Package.swift declares for it, and no more."""
    return run.complaints(["Tests/Tidy/dependencies"])


def generated(run):
    """The generated code is that of the .proto files beside it: Deploy/generate wrote both their checksums."""
    return run.complaints(["Deploy/generate", "--check"])


def generate(run):
    run.command(["Deploy/generate", "--compare"])
    return []


def scripts(run):
    """shellcheck finds nothing in the shell scripts."""
    files = run.output(["git", "ls-files", "-co", "--exclude-standard"]).split("\n")
    shell = [file for file in files if file and is_shell(pathlib.Path(file))]
    return run.complaints(["shellcheck", *shell])


def steps_say_so(run):
    """A run of these steps fails where nobody can know better, and leaves nothing behind."""
    return run.complaints(["/usr/bin/python3", "Tests/Steps/selftest.py"])


def is_shell(path):
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return re.match(rb"#!.*\b(ba)?sh\b", file.readline()) is not None


# What a step names is a test of Swift's, or the name of a fault in the sources of what it runs.
FAULTS = {"demo": "Sources/Commands/Demo", "drill": "Tests/Steps", "seeds": "Sources/Simulator", "client": "Tests/PythonClient", "year": "Tests/Steps"}


def behaviours(steps):
    """Complaints about rows of the table that name no test, or one that there is not."""
    tests, wrong, rows = suites(), [], 0
    section = BEHAVIOURS.read_text().split("## Behaviours", 1)[1].split("\n## ", 1)[0]
    for line in section.split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or cells[0] == "when" or set(cells[0]) == {"-"}:
            continue
        rows += 1
        shown = [(part.split(":")[0], name) for part in cells[-1].split("; ") for name in re.findall(r"`(.+?)`", part)]
        if len(cells) != 4 or not shown:
            wrong.append(f"no test is named for: {cells[0]}")
        for step, name in shown:
            if step not in steps:
                wrong.append(f"there is no step {step}, named for: {cells[0]}")
            elif not (has_word(FAULTS[step], name) if step in FAULTS else name in tests):
                wrong.append(f"{step} has no {name}, named for: {cells[0]}")
    if rows < 40:
        wrong.append(f"{BEHAVIOURS} has a table of {rows} behaviours")
    return wrong


def suites():
    """All names of suites, and of tests as Suite/function."""
    found = set()
    for path in pathlib.Path("Tests").rglob("*.swift"):
        text = path.read_text()
        names = re.findall(r"(?:struct|class|extension ProcessTests\.|extension) ?(\w+Tests)\b", text)
        functions = re.findall(r"@Test.*?func (\w+)\(", text, re.S)
        found.update(names, (f"{name}/{function}" for name in names for function in functions))
    return found


def has_word(folder, word):
    pattern = re.compile(rf"(?<![\w-]){word.replace('-', '[- ]')}(?![\w-])")
    return any(pattern.search(path.read_text()) for path in pathlib.Path(folder).rglob("*")
               if path.suffix in (".swift", ".py"))
