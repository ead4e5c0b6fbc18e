"""Plays Tests/SeatTests/Scripts against the Python rules; what they mean stands in the README there."""

import json
import pathlib
import random
import unittest
from types import SimpleNamespace

from seat_lateness import AnswerTimes
from seat_rules import MS, SeatRules

SCRIPTS = pathlib.Path(__file__).parent.parent / "SeatTests" / "Scripts"
LINKS = {"a0": ("a", 0), "a1": ("a", 1), "b0": ("b", 2), "b1": ("b", 3)}
NAMES = {link: name for name, link in LINKS.items()}
START = 1_000_000 * MS


class Player:
    def __init__(self, script, seed):
        memory = script.get("memory")
        self.rules = SeatRules(
            list(LINKS.values()), random.Random(seed).random, memory and (memory["pair"], memory["epoch"]))
        self.beats = script.get("beats", False)
        self.opening = 0

    def play(self, step):
        """Each decision as its text, its moment, and the link or call that it is about."""
        now = START + round(step["at"] * MS)
        if step.get("run"):
            return self.run(now, [LINKS[name] for name in step.get("alive", [])])
        return self.shown(self.decide(step, now), now, self.beats)

    def decide(self, step, now):
        rules, deadline = self.rules, now + step.get("within", 10_000) * MS
        if "start" in step:
            return rules.start(now)
        if "tick" in step:
            return rules.tick(now)
        if "connected" in step:
            return rules.connected(LINKS[step["connected"]], now)
        if "lost" in step:
            return rules.lost(LINKS[step["lost"]], step["how"], now)
        if "perform" in step:
            text = SimpleNamespace(text="x" * (step.get("text", 0) << 10))
            command = {"execute": None} if step.get("sql") else {"note": text}
            return rules.perform(step["perform"], command, deadline, step.get("again"), now)
        if "withdraw" in step:
            return rules.perform(step["withdraw"], {"withdraw": None}, deadline, step["again"], now)
        if "read" in step:
            return rules.read(step["read"], {"show": None}, step.get("level", "latest"), deadline, now)
        if step["hear"] == "part":
            return rules.heard(LINKS[step["on"]], now)
        rules.is_one_of(step.get("connections", 0))
        return rules.receive(LINKS[step["on"]], self.message(step), now)

    def message(self, step):
        standing = (step.get("role"), step.get("epoch"))
        if step["hear"] == "welcome":
            return "welcome", step["pair"], *standing
        if step["hear"] == "standing":
            return "standing", *standing
        if step["hear"] == "beat":
            return "beat", step.get("stamp", 0), 0
        if step["hear"] == "shown":
            return "shown", step["to"], "view", None
        if step["hear"] == "goodbye":
            return ("goodbye",)
        details = {"opened": step.get("session"), "refused": (step.get("reason"), ""), "done": None, "not_now": {
            "again_after": step.get("again_after", 0), "disk_full": step.get("disk_full", False),
            "standing": standing if "role" in step else None}}
        session, sequence = (0, self.opening) if step["to"] == "opening" else step["to"]
        return "answer", session, sequence, step["outcome"], details[step["outcome"]]

    def run(self, end, alive):
        found, ticks = [], 0
        while (due := self.rules.wake_at) <= end:
            ticks += 1
            assert ticks < 10_000, f"there is always something due, at {due}, and nothing comes of it"
            decisions = self.rules.tick(due)
            for decision in list(decisions):
                if decision[0] == "send" and decision[1] in alive and decision[2][0] == "beat":
                    decisions += self.rules.receive(decision[1], ("beat", 0, decision[2][1]), due)
            found += self.shown(decisions, due, beats=False)
        return found

    def shown(self, decisions, now, beats):
        return [(text, now, place) for text, place in map(self.text, decisions) if beats or text[:4] != "beat"]

    def text(self, decision):
        kind, *rest = decision
        if kind == "remember":
            return f"remember {rest[0]} {rest[1]}", ""
        if kind == "deliver":
            call, outcome, detail = rest
            more = {"unknown": lambda: f" {detail[0]}/{detail[1]}", "refused": lambda: f" {detail[0]}"}
            return f"deliver {outcome}{more.get(outcome, str)()} to {call}", f"call {call}"
        link = NAMES[rest[0]]
        if kind != "send":
            return f"{kind} {link}", link
        name, *parts = rest[1]
        if name == "open_session":
            self.opening = parts[0]
        words = {
            "hello": lambda epoch: f"hello {epoch}", "open_session": lambda _: "open_session",
            "request": lambda session, sequence, low, command:
                ("withdraw" if "withdraw" in command else "request") + f" {session}/{sequence} below {low}",
            "read": lambda number, *_: f"read {number}",
            "beat": lambda _, echo, stranded: "beat" + (f" echo {echo}" if echo else "") + " stranded" * stranded}
        return f"{words[name](*parts)} on {link}", link


def load(name):
    script = json.loads((SCRIPTS / f"{name}.json").read_text())
    before = load(script["after"])["steps"] if "after" in script else []
    return script | {"steps": before + script["steps"]}


class Scripts(unittest.TestCase):
    def test_scripts(self):
        names = sorted(path.stem for path in SCRIPTS.glob("*.json"))
        self.assertGreaterEqual(len(names), 12)
        for name in names:
            with self.subTest(name):
                script, moments = load(name), {}
                for seed in range(20):
                    self.play(script, seed, moments)
                for (text, low, high), found in moments.items():
                    self.assertGreater(max(found) - min(found), (high - low) / 2, f"{text}: without jitter")

    def play(self, script, seed, moments):
        player = Player(script, seed)
        for step in script["steps"]:
            expected = [then if isinstance(then, list) else [then, step["at"], step["at"]] for then in step["then"]]
            found = player.play(step)
            self.assertEqual(places(found), places([(then[0], 0, place(then[0])) for then in expected]), step)
            for text, moment, _ in found:
                at = (moment - START) / MS
                bounds = [then for then in expected if then[0] == text and then[1] <= at <= then[2]]
                self.assertTrue(bounds, (step, text, at))
                if bounds[0][3:] == ["jitter"]:
                    moments.setdefault((text, *bounds[0][1:3]), []).append(at)


class Lateness(unittest.TestCase):
    def test_percentile(self):
        times = AnswerTimes()
        self.assertEqual(times.percentile_99, 0)
        for number in range(400):
            times.add(50 if number % 50 == 0 else 1)
        for number in range(200):
            times.add(900 if number % 100 == 0 else 50 if number == 7 else 1)
            self.assertEqual(times.percentile_99, 50)
        for _ in range(200):
            times.add(1)
        self.assertEqual(times.percentile_99, 1)


def places(decisions):
    """Sorted by what they are about: only then is there an order that counts."""
    return [text for text, _, _ in sorted(decisions, key=lambda decision: decision[2])]


def place(text):
    words = text.split()
    if words[0] == "deliver":
        return f"call {words[-1]}"
    return "" if words[0] == "remember" else next(word for word in words if word in LINKS)


if __name__ == "__main__":
    unittest.main()
