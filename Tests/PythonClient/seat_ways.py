"""A seat's live connections, without any I/O: which there are, how fast they are, who leads, which one is used."""

MS = 1_000_000
BUSY_BEAT, IDLE_BEAT, MISSED_BEATS = 250 * MS, 1000 * MS, 2
WELCOME_WITHIN, GOOD_AFTER, DIAL_AFTER_REJECTION = 2000 * MS, 1000 * MS, 2000 * MS
DIAL, DIAL_BESIDES, DIAL_WITH_LEADER = (5 * MS, 250 * MS), (100 * MS, 250 * MS), (250 * MS, 2000 * MS)
DIAL_PER_CONNECTION, DIAL_BESIDES_PER_CONNECTION = 6 * MS, MS
WELCOME_WITHIN_AT_MOST = 16_000 * MS


class UsualTime:
    """TCP's estimator (RFC 6298)."""

    smoothed = 0

    def add(self, sample):
        self.smoothed = max(self.smoothed + (sample - self.smoothed) // 8 if self.smoothed else sample, 1)


class Backoff:
    """Pauses that double, each anywhere in its upper half: a thousand seats must not move in step."""

    def __init__(self, bounds):
        (self.first, self.last), self.next = bounds, bounds[0]

    def pause(self, random, bounds=None):
        low, high = bounds or (self.first, self.last)
        pause = min(max(self.next, low), high)
        self.next = min(pause * 2, max(self.last, pause))
        return pause // 2 + int(random() * pause / 2)


class Connection:
    def __init__(self):
        self.phase, self.since, self.until = "waiting", 0, 0  # then "dialling", "greeting", "live"
        self.dialling, self.rejected, self.unwelcomed = self.new_dialling(), False, 0
        self.clear()

    def clear(self):
        self.standing, self.round_trip = ("", 0), UsualTime()
        self.next_beat = self.last_beat = self.last_stamp = self.unanswered = self.heard = 0
        self.busy_until = 0  # a line of 2 Mbit/s is busy with this seat's own long texts: silence proves nothing
        self.suspected = False  # silent, also when beaten, while something waits for its answer here

    @staticmethod
    def new_dialling():
        return Backoff((DIAL[0], DIAL_WITH_LEADER[1]))

    def wake_at(self):
        patience = min(WELCOME_WITHIN << self.unwelcomed, WELCOME_WITHIN_AT_MOST)
        due = {"waiting": self.until, "greeting": self.since + patience, "live": self.next_beat}
        return due.get(self.phase)


class SeatWays:
    def __init__(self, links, random, memory):
        self.connections = {link: Connection() for link in links}
        self.random = random  # a function: a number from 0 to below 1
        self.pair, self.epoch = memory or (None, 0)  # the highest epoch of this pair, from any node, ever
        self.target = self.only_reached = None
        self.crowd = 0  # connections of seats at a node, as far as one has said
        self.decided = []

    # Provided by the requests: whether any is under way; what a lost connection and another pair mean for them; and to
    # send them.
    def busy(self): ...
    def forget_copies(self, link): ...
    def forget_names(self): ...
    def dispatch(self, now): ...

    def dial(self, link, now):
        self.connections[link].phase, self.connections[link].since = "dialling", now
        self.decided.append(("connect", link))

    def greet(self, link, now):
        connection = self.connections[link]
        if connection.phase == "dialling":
            connection.phase, connection.since = "greeting", now
            self.say(link, ("hello", self.epoch))

    def welcome(self, link, pair, role, epoch, now):
        if self.pair not in (None, pair):
            self.epoch = 0
            for other in self.connections.values():
                other.standing = ("", 0)
            self.forget_names()
        if self.pair != pair:
            self.pair = pair
            self.decided.append(("remember", pair, self.epoch))
        connection = self.connections[link]
        connection.round_trip.add(now - connection.since)
        connection.phase, connection.since, connection.last_beat = "live", now, now
        connection.next_beat = now + self.beat_interval()
        if not self.tell_reach() and self.only_reached == link[0]:
            self.beat_to(link)
        self.standing(link, role, epoch, now)

    def standing(self, link, role, epoch, now):
        for other, connection in self.connections.items():
            # All ways lead to one process; one that is slower than the others brings old news.
            if other[0] == link[0] and connection.phase == "live" and connection.standing[1] <= epoch:
                connection.standing = (role, epoch)
        if epoch > self.epoch:
            self.epoch = epoch
            self.decided.append(("remember", self.pair, epoch))
        self.choose(now)

    def beat(self, link, stamp, echo, now):
        connection = self.connections[link]
        if echo and echo == connection.last_stamp:
            connection.last_stamp = 0
            connection.round_trip.add(now - echo)
        if stamp:
            self.beat_to(link, echo=stamp)
        self.choose(now)

    def tend(self, link, now):
        """Beats, greetings that take too long, and ways that are to be dialled again."""
        connection = self.connections[link]
        if connection.phase == "dialling" or connection.wake_at() > now:
            return
        if connection.phase == "waiting":
            if not self.takes_time(connection, now):
                self.dial(link, now)
        elif connection.phase == "greeting":
            connection.unwelcomed += 1
            self.drop(link, "it sent no welcome", now)
        elif not connection.unanswered and connection.last_beat + self.beat_interval() > now:
            # Brought forward for requests that have had their answers meanwhile.
            connection.next_beat = connection.last_beat + self.beat_interval()
        elif connection.unanswered >= MISSED_BEATS:
            self.drop(link, "it is silent", now)
        else:
            connection.last_stamp = connection.last_beat = now
            connection.unanswered += connection.busy_until <= now  # one behind a long text is not missed yet
            connection.next_beat = now + self.beat_interval()
            self.beat_to(link, stamp=now)

    def lose(self, link, how, now):
        connection = self.connections[link]
        if connection.phase == "waiting":
            return
        good = connection.phase == "live" and now - connection.since >= GOOD_AFTER
        if good:
            connection.dialling = connection.new_dialling()
        bounds, crowd = self.pauses(link)
        pause = 0 if good and not crowd else connection.dialling.pause(self.random, bounds)
        connection.rejected = how == "rejected"
        if connection.phase == "live":
            connection.unwelcomed = 0
        connection.until = now + (DIAL_AFTER_REJECTION if how == "rejected" else pause)
        connection.phase, connection.since = "waiting", now
        connection.clear()
        self.forget_copies(link)
        self.tell_reach()
        self.choose(now)
        self.dispatch(now)
        if connection.until <= now:
            self.dial(link, now)

    def pauses(self, without=None):
        """Between attempts, and whether they are longer because of a crowd."""
        others = [link for link, connection in self.connections.items() if link != without and connection.phase == "live"]
        if not others:
            return DIAL, False
        led = any(map(self.leads, others))
        bounds, share = (DIAL_WITH_LEADER, DIAL_PER_CONNECTION) if led else (DIAL_BESIDES, DIAL_BESIDES_PER_CONNECTION)
        least = max(bounds[0], self.crowd * share)
        return (least, max(least, bounds[1])), least > bounds[0]

    def takes_time(self, connection, now):
        """Somebody leads since it was lost, so there is less of a hurry than there was then."""
        pauses, _ = self.pauses()
        if connection.rejected or now - connection.since >= pauses[0] // 2:
            return False
        connection.until = connection.since + connection.dialling.pause(self.random, pauses)
        return True

    def is_one_of(self, connections):
        """A node has said how many connections seats have to it."""
        if connections:
            self.crowd = min(connections, 10_000)

    def hurry_dialling(self, now):
        """The last connection to the primary is gone: ways that there was no hurry for are tried soon."""
        for connection in self.connections.values():
            if connection.phase == "waiting" and not connection.rejected:
                connection.dialling = connection.new_dialling()
                connection.until = min(connection.until, now + connection.dialling.pause(self.random, self.pauses()[0]))

    def drop(self, link, why, now):
        self.decided.append(("disconnect", link, why))
        self.lose(link, "failed", now)

    def hurry(self, now):
        """The first request after a pause: from now on silence counts sooner."""
        for connection in self.connections.values():
            connection.next_beat = min(connection.next_beat, now + BUSY_BEAT)

    def tell_reach(self):
        """Says at once to the only node that is reached that it is the only one, or no longer."""
        live = [link for link, connection in self.connections.items() if connection.phase == "live"]
        reached, nodes = {link[0] for link in live}, {link[0] for link in self.connections}
        before, self.only_reached = self.only_reached, max(reached) if len(reached) == 1 < len(nodes) else None
        for link in live:
            if before != self.only_reached and link[0] in (before, self.only_reached):
                self.beat_to(link)
        return before != self.only_reached

    def choose(self, now):
        """A route is left for another that is faster by a third, and for any when it is suspected."""
        leading = self.unsuspected([link for link in self.connections if self.leads(link)])
        fastest = self.fastest(leading)
        if self.target not in leading or self.round_trip(fastest) * 3 < self.round_trip(self.target) * 2:
            lost, self.target = self.target and not fastest, fastest
            if lost:
                self.hurry_dialling(now)

    def standby(self):
        return self.fastest(self.unsuspected([link for link, connection in self.connections.items()
                                              if connection.phase == "live" and connection.standing[0] == "standby"]))

    def unsuspected(self, links):
        """Those of these that are not suspected; all, if there is none."""
        return [link for link in links if not self.connections[link].suspected] or links

    def leads(self, link):
        connection = self.connections[link]
        return connection.phase == "live" and connection.standing == ("primary", self.epoch)

    def fastest(self, links): return min(links, key=self.round_trip, default=None)
    def round_trip(self, link): return self.connections[link].round_trip.smoothed
    def beat_interval(self): return BUSY_BEAT if self.busy() else IDLE_BEAT
    def beat_to(self, link, stamp=0, echo=0): self.say(link, ("beat", stamp, echo, self.only_reached == link[0]))
    def say(self, link, message): self.decided.append(("send", link, message))
