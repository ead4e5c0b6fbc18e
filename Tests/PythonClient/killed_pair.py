#!/usr/bin/python3
"""Python seats at a pair that is being killed: prints JSON, and fails when anything was lost, twice, or an error.

    killed_pair.py TWINLINE [--seats N] [--kills N] [--outage SECONDS]

Makes a throw-away pair of processes on loopback, with two routes to each node, and has seats write notes without a
pause. Then the primary is killed, several times, and restarted, and the seats' route 1 is cut without a word (where
the kernel makes network namespaces: all of it runs in one of its own). Last both nodes are killed, and the seats keep
what they take on their disks until the nodes are back. At the end every note is looked up.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

from outbox import Outbox
from seat_client import SeatClient, SeatError, pb
from throwaway_pair import PAIR, ThrowawayPair

OWN_NETWORK = "TWINLINE_OWN_NETWORK"
SEAT_ROUTES = ["127.0.1.1", "127.0.1.2"]  # the seats' own addresses: the nodes' link to each other has others
CUT = ["table inet cut", "chain inet cut in { type filter hook input priority 0 ; }",
       f"rule inet cut in ip saddr {SEAT_ROUTES[0]} drop", f"rule inet cut in ip daddr {SEAT_ROUTES[0]} drop"]
WATCHED = 2  # seconds after a fault
# Seconds; more on a machine that is busy with other things (Tests/Steps/pace.py).
PATIENCE = 20 * int(os.environ.get("TWINLINE_TEST_PACE", 1))


class Seat:
    """Opens a ticket and adds notes to it, one after the other."""

    def __init__(self, number, client, folder):
        self.client, self.number, self.folder, self.outbox = client, number, folder, None
        self.kept = 0
        self.ticket = int(time.time() * 1000).to_bytes(6, "big") + random.randbytes(10)
        self.notes, self.errors, self.acknowledged_at = [], [], []

    async def work(self, stopped):
        now = int(time.time() * 1000)
        await self.perform(open=pb.OpenTicket(
            ticket=self.ticket, opened_at=now, channel=1, category="Street lights", priority=1, text="Dark"))
        while not stopped.is_set():
            text = f"seat {self.number}, note {len(self.notes) + 1}"
            if await self.perform(note=pb.Note(ticket=self.ticket, text=text)):
                self.notes.append(text)

    async def perform(self, **command):
        try:
            if self.outbox:
                await self.outbox.keep(1, **command)
            else:
                await self.client.perform(patience=PATIENCE, **command)
        except SeatError as error:
            if error.kind == "kept":
                self.kept += 1
                return True
            self.errors.append(str(error))
            return False
        self.acknowledged_at.append(time.monotonic())
        return True

    def blackout(self, start, end):
        """The longest wait between two acknowledgements of this seat, in milliseconds."""
        moments = [moment for moment in self.acknowledged_at if start - 1 <= moment <= end]
        return 1000 * max((after - before for before, after in zip(moments, moments[1:]) if after > start), default=0)

    async def audit(self):
        """How many notes that were acknowledged or kept are missing, how many are there more than once, and whether they
        are there in their order."""
        history = await self.client.read(patience=PATIENCE, history=pb.History(ticket=self.ticket))
        found = [row.note for row in history.rows if row.note]
        lost = sum(note not in found for note in set(self.notes)) + (not history.rows)
        return lost, len(found) - len(set(found)), found == self.notes

    def use_outbox(self):
        self.outbox = Outbox(self.client, self.folder, lambda _, error: error and self.errors.append(str(error)))


def cut_route():
    for line in CUT:
        subprocess.run(["nft", "add", *line.split()], check=True)


async def outage(pair, seats, seconds):
    """Both nodes are away for so long. How many calls were kept, and for how long they waited after the nodes' start."""
    for seat in seats:
        seat.use_outbox()
    await asyncio.sleep(0.5)
    for node in "ab":
        pair.kill(node)
    await asyncio.sleep(seconds)
    start = time.monotonic()
    for node in "ab":
        await asyncio.to_thread(pair.start, f"node-{node}")
    while any(len(seat.outbox.calls) > 1 for seat in seats):
        await asyncio.sleep(0.005)
    delivered = 1000 * (time.monotonic() - start)
    return {"seconds": seconds, "kept": sum(seat.kept for seat in seats), "delivered_ms": round(delivered, 1)}


async def run(pair, seats, kills, seconds, own_network):
    stopped = asyncio.Event()
    work = [asyncio.create_task(seat.work(stopped)) for seat in seats]
    faults = {"kill primary": [], "cut route 1": []}

    async def measure(name, break_it):
        start = time.monotonic()
        break_it()
        await asyncio.sleep(WATCHED)
        faults[name] += [seat.blackout(start, start + WATCHED) for seat in seats]

    try:
        await asyncio.sleep(1)
        for _ in range(kills):
            primary = await pair.primary()
            await measure("kill primary", lambda: pair.kill(primary))
            pair.start(f"node-{primary}")
            await pair.paired()
            await asyncio.sleep(1)
        if own_network:
            await measure("cut route 1", cut_route)
            subprocess.run(["nft", "delete", "table", "inet", "cut"], check=True)
            await asyncio.sleep(1)
        away = await outage(pair, seats, seconds)
    finally:
        stopped.set()
        await asyncio.gather(*work)
    while any(seat.outbox.calls for seat in seats):
        await asyncio.sleep(0.005)
    return faults, away


async def main(arguments, own_network):
    with ThrowawayPair(arguments.twinline, seats=arguments.seats) as pair:
        await pair.begin()
        locals_ = SEAT_ROUTES if own_network else [None, None]
        seats = [Seat(n, SeatClient(PAIR, pair.routes(locals_), *pair.certificate(f"seat-{n}"),
                                    memory_file=str(pair.folder / f"seat-{n}.json")), pair.folder / f"outbox-{n}")
                 for n in range(1, arguments.seats + 1)]
        faults, away = await run(pair, seats, arguments.kills, arguments.outage, own_network)
        audits = [await seat.audit() for seat in seats]
        for seat in seats:
            seat.outbox.close()
            seat.client.close()
    errors = [error for seat in seats for error in seat.errors]
    report = {
        "seats": len(seats), "acknowledged": sum(len(seat.acknowledged_at) for seat in seats),
        "lost": sum(lost for lost, _, _ in audits), "twice": sum(twice for _, twice, _ in audits),
        "out_of_order": sum(not ordered for _, _, ordered in audits), "errors": len(errors), "outage": away,
        "faults": [{"fault": name, "median_blackout_ms": round(statistics.median(blackouts), 1),
                    "worst_blackout_ms": round(max(blackouts), 1)} for name, blackouts in faults.items() if blackouts],
        "skipped": [name for name, blackouts in faults.items() if not blackouts]}
    print(json.dumps(report, indent=2))
    for error in errors[:10]:
        print(error, file=sys.stderr)
    wrong = any(report[what] for what in ("lost", "twice", "out_of_order", "errors"))
    return 1 if wrong or not report["acknowledged"] or not away["kept"] else 0


def in_own_network():
    """Starts this very program again in a network of its own; returns only where the kernel makes none."""
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--net", "--"]
    trial = subprocess.run([*unshare, "nft", "list", "ruleset"], capture_output=True)
    if trial.returncode == 0:
        os.environ[OWN_NETWORK] = "1"
        command = 'ip link set lo up && exec "$0" "$@"'
        os.execvp(unshare[0], [*unshare, "sh", "-c", command, sys.executable, *sys.argv])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twinline", type=pathlib.Path, help="the built program")
    parser.add_argument("--seats", type=int, default=8)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--outage", type=float, default=3, help="seconds without any node")
    arguments = parser.parse_args()
    if OWN_NETWORK not in os.environ:
        in_own_network()
    sys.exit(asyncio.run(main(arguments, OWN_NETWORK in os.environ)))
