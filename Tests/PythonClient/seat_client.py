"""A seat's live connections to a pair: does what `SeatRules` decides, with sockets, TLS, frames, protobuf, a clock.

`seat_pb2` is made by protoc from Sources/Wire/Protocol/seat.proto.
"""

import asyncio
import concurrent.futures
import json
import os
import random
import ssl
import time

import seat_pb2 as pb
from seat_rules import SeatRules

FRAME_LIMIT = 8 << 20
NO_MESSAGE = 0xFFFFFFFF
CONNECT_WITHIN = 2  # seconds


class SeatError(Exception):
    """`kind`: "refused" (it did not happen and will not), "unknown" (it may have: ask again under the name in
    `detail`), "unreachable" or "disk_full" (it did not happen)."""

    def __init__(self, kind, detail):
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


class Connection(asyncio.Protocol):
    """One way to a node: frames in, frames out."""

    def __init__(self, client, link):
        self.client, self.link, self.received, self.refused = client, link, bytearray(), False

    def connection_made(self, transport):
        self.transport = transport
        tls = transport.get_extra_info("ssl_object")
        names = [name for kind, name in tls.getpeercert().get("subjectAltName", ()) if kind == "URI"]
        expected = f"twinline://{self.client.pair}/node/{self.link[0]}"
        if names != [expected] or tls.selected_alpn_protocol() != "twinline-seat/1":
            self.refused = True
            return transport.abort()
        self.client.opened(self)

    def data_received(self, data):
        self.received += data
        while len(self.received) >= 4:
            length = int.from_bytes(self.received[:4], "big")
            if length == NO_MESSAGE or length > FRAME_LIMIT:
                self.refused = length == NO_MESSAGE
                return self.transport.abort()
            if len(self.received) < 4 + length:
                return self.client.heard_part(self)
            message = pb.NodeMessage.FromString(bytes(self.received[4 : 4 + length]))
            del self.received[: 4 + length]
            self.client.heard(self, message)

    def connection_lost(self, error):
        rejected = self.refused or isinstance(error, ssl.SSLError)
        self.client.closed(self, "rejected" if rejected else "failed")

    def send(self, message):
        data = message.SerializeToString()
        self.transport.write(len(data).to_bytes(4, "big") + data)


class SeatClient:
    def __init__(self, pair, routes, certificate, key, authority, memory_file=None):
        """`routes`: {(node, number): (host, port, local address or None)}."""
        self.pair, self.routes, self.memory_file = pair, routes, memory_file
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.check_hostname = False  # the URI name says who it is
        self.tls.load_verify_locations(authority)
        self.tls.load_cert_chain(certificate, key)
        self.tls.set_alpn_protocols(["twinline-seat/1"])
        self.loop = asyncio.get_running_loop()
        self.open, self.tasks, self.timer = {}, set(), None
        self.writer = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self.rules = SeatRules(list(routes), random.random, self._recall())
        self._run(self.rules.start(time.monotonic_ns()))

    async def perform(self, patience=10.0, name=None, **command):
        """Has one command done, once: `perform(note=pb.Note(…))`. `name`: of an unknown one that is asked
        again, or withdrawn: `perform(name=…, withdraw=pb.Withdraw())`."""
        waiting, deadline = self._call(patience)
        self._run(self.rules.perform(waiting, command, deadline, name, time.monotonic_ns()))
        return await waiting

    async def reserve(self):
        waiting, _ = self._call(0)
        self._run(self.rules.reserve(waiting, time.monotonic_ns()))
        return await waiting

    async def perform_kept(self, command, name, is_new):
        """For as long as it takes."""
        waiting, _ = self._call(0)
        self._run(self.rules.perform_kept(waiting, command, name, is_new, time.monotonic_ns()))
        return await waiting

    async def read(self, patience=10.0, level="latest", **query):
        waiting, deadline = self._call(patience)
        self._run(self.rules.read(waiting, query, level, deadline, time.monotonic_ns()))
        return await waiting

    def close(self):
        if self.timer:
            self.timer.cancel()
        connections, self.open = self.open.values(), {}
        for connection in connections:
            connection.transport.abort()
        for task in self.tasks:
            task.cancel()
        self.writer.shutdown()

    # What the connections report.

    def opened(self, connection):
        self.open[connection.link] = connection
        self._run(self.rules.connected(connection.link, time.monotonic_ns()))

    def heard(self, connection, message):
        if self.open.get(connection.link) is connection and (fact := from_wire(message)):
            for told in (message.welcome.standing, message.standing):
                self.rules.is_one_of(told.connections)
            self._run(self.rules.receive(connection.link, fact, time.monotonic_ns()))

    def heard_part(self, connection):
        if self.open.get(connection.link) is connection:
            self._run(self.rules.heard(connection.link, time.monotonic_ns()))

    def closed(self, connection, how):
        if self.open.get(connection.link) is connection:
            del self.open[connection.link]
            self._run(self.rules.lost(connection.link, how, time.monotonic_ns()))

    # What the rules decide.

    def _run(self, decisions):
        for kind, *rest in decisions:
            getattr(self, "_do_" + kind)(*rest)
        if self.timer:
            self.timer.cancel()
        delay = max(self.rules.wake_at - time.monotonic_ns(), 0) / 1e9
        self.timer = self.loop.call_later(delay, lambda: self._run(self.rules.tick(time.monotonic_ns())))

    def _do_connect(self, link):
        task = self.loop.create_task(self._dial(link))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _dial(self, link):
        host, port, local = self.routes[link]
        connecting = self.loop.create_connection(
            lambda: Connection(self, link), host, port, ssl=self.tls, server_hostname="",
            local_addr=(local, 0) if local else None)
        try:
            await asyncio.wait_for(connecting, CONNECT_WITHIN)
            how = None if link in self.open else "rejected"
        except ConnectionRefusedError:
            how = "refused"
        except ssl.SSLCertVerificationError:
            how = "rejected"
        except (OSError, asyncio.TimeoutError):
            how = "failed"
        if how and link not in self.open:
            self._run(self.rules.lost(link, how, time.monotonic_ns()))

    def _do_disconnect(self, link, why):
        if connection := self.open.pop(link, None):
            connection.transport.abort()

    def _do_send(self, link, message):
        if connection := self.open.get(link):
            connection.send(to_wire(message))

    def _do_deliver(self, waiting, outcome, detail):
        if waiting.cancelled():
            return
        if outcome in ("done", "view", "named"):
            waiting.set_result(detail)
        else:
            waiting.set_exception(SeatError(outcome, detail))

    def _do_remember(self, pair, epoch):
        # One after the other, and beside the loop: a slow disk must not hold up the requests.
        if self.memory_file:
            self.writer.submit(self._keep, {"pair": pair, "epoch": epoch})

    def _keep(self, memory):
        with open(self.memory_file + ".new", "w") as file:
            json.dump(memory, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.memory_file + ".new", self.memory_file)

    def _recall(self):
        if not self.memory_file or not os.path.exists(self.memory_file):
            return None
        with open(self.memory_file) as file:
            memory = json.load(file)
        return memory["pair"], memory["epoch"]

    def _call(self, patience):
        return self.loop.create_future(), time.monotonic_ns() + int(patience * 1e9)


def to_wire(message):
    kind, *rest = message
    if kind == "hello":
        return pb.SeatMessage(hello=pb.Hello(epoch=rest[0], program="twinline-python"))
    if kind == "open_session":
        return pb.SeatMessage(request=pb.Request(sequence=rest[0], open_session=pb.OpenSession()))
    if kind == "request":
        session, sequence, low, command = rest
        return pb.SeatMessage(
            request=pb.Request(session=session, sequence=sequence, answered_below=low, **command))
    if kind == "read":
        number, level, query = rest
        at_least = {} if isinstance(level, str) else {"at_least_epoch": level[1], "at_least_lsn": level[2]}
        level = (level if isinstance(level, str) else level[0]).upper()
        return pb.SeatMessage(read=pb.ReadRequest(number=number, level=level, **at_least, **query))
    return pb.SeatMessage(beat=pb.Beat(stamp=rest[0], echo=rest[1], stranded=rest[2]))


def from_wire(message):
    kind = message.WhichOneof("body")
    if kind == "welcome":
        return "welcome", message.welcome.pair_id.hex(), *standing(message.welcome.standing)
    if kind == "standing":
        return "standing", *standing(message.standing)
    if kind == "beat":
        return "beat", message.beat.stamp, message.beat.echo
    if kind == "answer":
        return "answer", message.answer.session, message.answer.sequence, *outcome(message.answer, "done")
    if kind == "read":
        return "shown", message.read.number, *outcome(message.read, "view")
    return ("goodbye",) if kind == "goodbye" else None


def standing(message):
    return pb.Standing.Role.Name(message.role).lower(), message.epoch


def outcome(answer, happened):
    kind = answer.WhichOneof("outcome")
    if kind == "not_now":
        why = {"again_after": answer.not_now.again_after, "disk_full": answer.not_now.reason == pb.NotNow.DISK_FULL}
        if answer.not_now.HasField("standing"):
            why["standing"] = standing(answer.not_now.standing)
        return "not_now", why
    if kind == "refused":
        return "refused", (pb.Refusal.Reason.Name(answer.refused.reason), answer.refused.text)
    if kind == "session_opened":
        return "opened", answer.session_opened.session
    return happened, getattr(answer, kind)
