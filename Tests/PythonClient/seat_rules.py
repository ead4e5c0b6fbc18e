"""What a seat does about a pair of nodes, as SEATS.md says it: facts go in, decisions come out, in order.

No socket, no clock, no chance of its own: moments are arguments, in nanoseconds, and `wake_at` says when `tick` is due.
Messages are tuples: ("hello", epoch), ("open_session", number), ("request", session, sequence, answered_below, body),
("read", number, level, query), ("beat", stamp, echo, stranded). Decisions are tuples, too:
("connect", link), ("disconnect", link, why), ("send", link, message), ("deliver", call, outcome, detail),
("remember", pair, epoch). A link is (node, route).
"""

import functools

from seat_lateness import SeatLateness
from seat_ways import MS, Backoff

RETRY = (2 * MS, 50 * MS)
WINDOW = 1024
NEVER = 1 << 63
RESERVED = {}  # in the place of a command: only the name is wanted
SQL = {"execute", "schema_change", "sql"}


class Item:
    """Something that has no answer yet. `key`: ("request", session, sequence), ("open_session", n) or ("read", n)."""

    def __init__(self, ordinal, key, call, body, deadline, level="latest"):
        self.ordinal, self.key, self.call, self.body, self.deadline = ordinal, key, call, body, deadline
        self.level, self.retries = level, Backoff(RETRY)
        self.transfer_time = (text_bytes(body) >> 16) * 256 * MS
        self.is_sql = not SQL.isdisjoint(body or ())  # it may take seconds by itself
        self.copies = self.turned_away = self.sent_at = self.not_before = 0
        self.keeps_name = False  # it stands on the seat's disk, under this name
        self.on = self.extra = None  # where the newest copy and the extra one are under way
        self.probe_at = self.late_at = None  # when its connection is to be beaten, and when an extra copy is due

    def failure(self):
        if self.key and self.key[0] == "request" and self.copies > self.turned_away:
            return "unknown", self.key[1:]
        return ("disk_full" if self.turned_away else "unreachable"), None


def text_bytes(body):
    """Of the texts in a command, {field: message}; SQL with its parameters counts whole."""
    return sum(value.ByteSize() if kind in SQL else len(getattr(value, "text", "").encode())
               for kind, value in (body or {}).items() if value is not None)


def fact(method):
    """Takes a fact in, does what follows from it, and gives the decisions. The moment comes last."""

    @functools.wraps(method)
    def taken(self, *arguments):
        method(self, *arguments)
        self.settle(arguments[-1])
        decisions, self.decided = self.decided, []
        return decisions

    return taken


class SeatRules(SeatLateness):
    def __init__(self, links, random, memory=None):
        super().__init__(links, random, memory)
        self.session, self.sequence, self.unresolved = None, 1, []
        self.unnamed = []  # wait for a session, and so for their names
        self.pending, self.ordinal, self.reads = {}, 0, 0
        self.aim = None  # the node and epoch that requests were last sent to

    # Facts.

    @fact
    def start(self, now):
        for link in self.connections:
            self.dial(link, now)

    @fact
    def connected(self, link, now):
        self.greet(link, now)

    @fact
    def lost(self, link, how, now):
        """`how`: "refused" (nobody listens), "failed", or "rejected" (one side does not want the other)."""
        self.lose(link, how, now)

    @fact
    def perform(self, call, command, deadline, name, now):
        """`name`: (session, sequence) of an earlier request that is asked for again, or None."""
        item = self.begin(name and ("request", *name), call, command, deadline, "latest", now)
        if not name:
            self.unnamed.append(item)
        elif item.key in self.pending:
            self.deliver(call, "unknown", name)
        else:
            item.copies = 1  # it may have been sent before, in an earlier life
            self.pending[item.key] = item

    @fact
    def reserve(self, call, now):
        """A name, for something that is put on the disk under it before it is sent: delivered as "named"."""
        self.unnamed.append(self.begin(None, call, RESERVED, NEVER, "latest", now))

    @fact
    def perform_kept(self, call, command, name, is_new, now):
        """`is_new`: no copy of it was ever sent, by an earlier run neither."""
        item = self.begin(("request", *name), call, command, NEVER, "latest", now)
        item.keeps_name, item.copies = True, 0 if is_new else 1
        self.pending[item.key] = item

    def give_up(self, name):
        """Nothing was sent under this name, and nothing will be."""
        self.resolve(("request", *name))

    @fact
    def read(self, call, query, level, deadline, now):
        """`level`: "latest", "standby", or ("at_least", epoch, lsn)."""
        self.reads += 1
        item = self.begin(("read", self.reads), call, query, deadline, level, now)
        self.pending[item.key] = item

    @fact
    def heard(self, link, now):
        """Bytes have come over it, though not a whole message: a long answer on a slow line is no silence."""
        connection = self.connections[link]
        connection.unanswered, connection.heard, connection.suspected = 0, now, False

    @fact
    def receive(self, link, message, now):
        """`message`: ("welcome", pair, role, epoch), ("standing", role, epoch), ("beat", stamp, echo), ("goodbye",),
        ("answer", session, sequence, outcome, detail) or ("shown", number, outcome, detail)."""
        connection, (kind, *rest) = self.connections[link], message
        if connection.phase not in ("greeting", "live"):
            return
        connection.unanswered, connection.heard, connection.suspected = 0, now, False
        if kind == "goodbye" or (kind == "welcome") != (connection.phase == "greeting"):
            self.drop(link, "it left" if kind == "goodbye" else "it broke the protocol", now)
        else:
            getattr(self, kind)(link, *rest, now)

    @fact
    def tick(self, now):
        opening = any(item.key[0] == "open_session" and item.turned_away for item in self.pending.values())
        for item in [item for item in self.items() + self.unnamed if item.deadline <= now]:
            if item.key:
                del self.pending[item.key]
                if item.copies == item.turned_away:
                    self.resolve(item.key)
            self.deliver(item.call, *(item.failure() if item.key or not opening else ("disk_full", None)))
        self.unnamed = [item for item in self.unnamed if item.deadline > now]
        self.settle(now)
        self.attend(now)
        for link in self.connections:
            self.tend(link, now)

    @property
    def wake_at(self):
        moments = [connection.wake_at() for connection in self.connections.values()]
        for item in [*self.pending.values(), *self.unnamed]:
            moments += [item.deadline, item.on and (item.probe_at or item.late_at)]
            moments.append(not item.on and self.destination(item) and item.not_before)
        return min(filter(None, moments), default=NEVER)

    # Answers.

    def answer(self, link, session, sequence, outcome, detail, now):
        """`outcome`: "done", "opened", "refused" with (reason, text), or "not_now"."""
        key = ("request", session, sequence) if session else ("open_session", sequence)
        if outcome == "not_now" or (not session and outcome != "opened"):
            return self.put_off(key, detail if outcome == "not_now" else {}, link, now)
        item, reason = self.take(key, now), detail[0] if outcome == "refused" else None
        if not item:
            return  # a second answer, or one after the deadline: that caller may ask again, so the name stays open
        self.resolve(key)
        if not session:
            self.session, self.sequence, self.unresolved = detail, 1, []
        elif reason == "UNKNOWN_SESSION":
            self.session_unknown(item, session)
        elif outcome == "opened" or reason == "WINDOW_EXPIRED":
            self.deliver(item.call, "unknown", key[1:])
        else:
            self.deliver(item.call, outcome, detail)

    def shown(self, link, number, outcome, detail, now):
        """`outcome`: "view", "refused" or "not_now"."""
        if outcome == "not_now":
            return self.put_off(("read", number), detail, link, now)
        if item := self.take(("read", number), now):
            self.deliver(item.call, outcome, detail)

    def take(self, key, now):
        item = self.pending.pop(key, None)
        if item:
            self.came(item, now)
        return item

    def put_off(self, key, why, link, now):
        """This copy is gone: another leader gets the request at once, the same one after a pause."""
        item = self.pending.get(key)
        if item:
            item.turned_away += why.get("disk_full", False)
            if item.on == link and not item.extra:
                pause = max(item.retries.pause(self.random), why.get("again_after", 0) * MS)
                item.late_at, item.not_before = None, now + pause
            self.forget_copy(item, link)
        if why.get("standing"):
            self.standing(link, *why["standing"], now)

    def session_unknown(self, item, session):
        """This copy was not run. If it was the only one, the request may get a new name; else it may have been run."""
        if self.session == session:
            self.session, self.unresolved = None, []
        if item.copies > 1:
            return self.deliver(item.call, *item.failure())
        if item.keeps_name:
            return self.deliver(item.call, "name_void", None)
        self.unnamed.append(Item(item.ordinal, None, item.call, item.body, item.deadline))

    # What follows.

    def settle(self, now):
        """Gives names, and sends."""
        if self.session:
            for item in sorted(self.unnamed, key=lambda item: item.ordinal):
                item.key = self.new_name()
                if item.body is RESERVED:
                    self.deliver(item.call, "named", item.key[1:])
                else:
                    self.pending[item.key] = item
            self.unnamed = []
        elif self.unnamed and not any(key[0] == "open_session" for key in self.pending):
            item = Item(0, ("open_session", 1 + int(self.random() * 2**31)), None, None, NEVER)
            self.pending[item.key] = item
        self.dispatch(now)

    def dispatch(self, now):
        """Sends what is not under way; to another leader everything, at once."""
        aim = (self.target[0], self.epoch) if self.target else self.aim
        moved, self.aim = aim != self.aim, aim
        for item in self.items():
            waits = not item.on and item.not_before <= now
            link = self.destination(item)
            if link and (waits or (moved and item.level == "latest")):
                self.send(item, link, now)

    def send(self, item, link, now):
        """A copy that replaces those before."""
        self.expect(item, link, now)
        item.copies, item.on, item.extra, item.not_before = item.copies + 1, link, None, 0
        self.say(link, self.message(item))

    def message(self, item):
        kind, *name = item.key
        if kind == "open_session":
            return ("open_session", *name)
        if kind == "read":
            return ("read", *name, item.level, item.body)
        low = min(self.unresolved[0] if self.unresolved else self.sequence, name[1])
        return ("request", *name, low if name[0] == self.session else 0, item.body)

    def destination(self, item):
        if item.level == "latest":
            return self.target
        return self.standby() or (None if item.level == "standby" else self.target)

    def begin(self, key, call, body, deadline, level, now):
        if not self.busy():
            self.hurry(now)
        self.ordinal += 1
        return Item(self.ordinal, key, call, body, deadline, level)

    def new_name(self):
        sequence, self.sequence = self.sequence, self.sequence + 1
        self.unresolved.append(sequence)
        if len(self.unresolved) > WINDOW:  # what callers who never ask again leave behind is bounded
            given_up = (old for old in self.unresolved[:-1] if ("request", self.session, old) not in self.pending)
            self.resolve(("request", self.session, next(given_up, None)))
        return "request", self.session, sequence

    def resolve(self, key):
        """It has its answer, or will never be asked for again: the low mark may pass it."""
        if key[0] == "request" and key[1] == self.session and key[2] in self.unresolved:
            self.unresolved.remove(key[2])

    def forget_copies(self, link):
        for item in self.pending.values():
            self.forget_copy(item, link)

    def forget_copy(self, item, link):
        if item.on == link:
            item.on, item.extra = item.extra, None
        elif item.extra == link:
            item.extra = None

    def forget_names(self):
        """Another pair answers under this one's name."""
        self.aim, self.session, self.unresolved = None, None, []
        for item in [item for item in self.items() if item.key[0] != "read"]:
            del self.pending[item.key]
            self.deliver(item.call, *item.failure())

    def busy(self):
        return bool(self.pending or self.unnamed)

    def items(self):
        return sorted(self.pending.values(), key=lambda item: item.ordinal)

    def deliver(self, call, outcome, detail):
        if call is not None:
            self.decided.append(("deliver", call, outcome, detail))
