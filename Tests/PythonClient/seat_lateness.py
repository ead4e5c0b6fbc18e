"""Answers that do not come: is the node slow, or is the way to it gone?"""

import collections

from seat_ways import MS, SeatWays

LATE_AFTER, REQUESTS_PER_COPY, ONE_COPY_EACH = 20 * MS, 20, 60_000 * MS


class AnswerTimes:
    """How long the last 200 answers took: what is slower than 99 in 100 of them is late."""

    def __init__(self):
        self.last = collections.deque(maxlen=200)

    def add(self, sample):
        self.last.append(sample)

    @property
    def percentile_99(self):
        """Of fewer the longest; 0: not known."""
        rank = -3 if len(self.last) == self.last.maxlen else -1
        return sorted(self.last)[rank] if self.last else 0


class SeatLateness(SeatWays):
    """Half way to being late, the connection is beaten: a node that is only slow with this answer echoes at once, so by
    the time the answer is late it is known which of both it is."""

    def __init__(self, links, random, memory):
        super().__init__(links, random, memory)
        self.answer_times, self.credit, self.copied_at = AnswerTimes(), REQUESTS_PER_COPY, None

    # Provided by the requests: what is under way, in the order of asking; where something goes; a copy that replaces
    # those before.
    def items(self): ...
    def destination(self, item): ...
    def message(self, item): ...
    def send(self, item, link, now): ...

    def expect(self, item, link, now):
        """It was sent, and from now on its answer is awaited."""
        if not item.copies:
            self.credit = min(self.credit + 1, 10 * REQUESTS_PER_COPY)
        late = max(LATE_AFTER, self.answer_times.percentile_99)
        carried = self.carry(item, link, now)
        item.sent_at, item.probe_at, item.late_at = now, carried + late // 2, carried + late

    def carry(self, item, link, now):
        """When a slow line has carried it: at once, unless it is long."""
        if not item.transfer_time:
            return now
        connection = self.connections[link]
        connection.busy_until = max(connection.busy_until, now) + item.transfer_time
        return connection.busy_until

    def came(self, item, now):
        """Only what was sent once tells how long an answer takes (Karn and Partridge, 1987)."""
        if item.copies == 1 and not item.is_sql:
            self.answer_times.add(now - item.sent_at)

    def attend(self, now):
        self.probe(now)
        late = [(item, item.on) for item in self.items() if item.on and item.late_at and item.late_at <= now]
        for item, link in late:
            item.late_at = None
            if item.on != link:
                continue  # moved meanwhile, with all that was under way there
            if self.is_silent(item) and self.is_busy(link, now):
                self.pass_by(item, link, now)
            elif self.is_silent(item):
                self.suspect(link, now)
            elif not item.is_sql:
                self.copy(item, now)

    def probe(self, now):
        due = [item for item in self.items() if item.on and item.probe_at and item.probe_at <= now]
        silent = {item.on for item in due if self.is_silent(item)}
        for item in due:
            item.probe_at = None
        for link in self.connections:
            if link in silent:
                self.connections[link].last_stamp = now
                self.beat_to(link, stamp=now)

    def is_silent(self, item):
        """Nothing at all came over its connection since."""
        return self.connections[item.on].heard <= item.sent_at

    def is_busy(self, link, now):
        return self.connections[link].busy_until > now

    def pass_by(self, item, link, now):
        """Something short need not wait behind a long text; what is long itself, or may take its time, does."""
        free = [other for other, connection in self.connections.items()
                if self.leads(other) and not self.is_busy(other, now) and not connection.suspected]
        if item.transfer_time or item.is_sql or not free or not self.leads(link):
            item.late_at = self.connections[link].busy_until
        else:
            self.send(item, free[0], now)

    def suspect(self, link, now):
        """All that is under way there goes over another connection at once, beside the budget, and so does what comes,
        until something is heard."""
        if self.connections[link].suspected:
            return
        self.connections[link].suspected = True
        # A node that is silent everywhere is asked over one way as well as over another.
        if any(self.leads(other) and not self.connections[other].suspected for other in self.connections):
            self.choose(now)
        for item in [item for item in self.items() if item.on == link]:
            other = self.destination(item)
            if other and not self.connections[other].suspected:
                self.send(item, other, now)

    def copy(self, item, now):
        """An extra one, over another route of the node that has the first: one for each twenty requests, but one a
        minute always."""
        others = [other for other in self.connections
                  if other[0] == item.on[0] and other != item.on and self.leads(other) and not self.is_busy(other, now)]
        is_free = self.copied_at is None or now - self.copied_at >= ONE_COPY_EACH
        if others and (is_free or self.credit >= REQUESTS_PER_COPY):
            self.credit, self.copied_at = max(0, self.credit - REQUESTS_PER_COPY), now
            item.extra, item.copies = self.unsuspected(others)[0], item.copies + 1
            self.say(item.extra, self.message(item))
