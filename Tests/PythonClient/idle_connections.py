"""idle_connections.py TWINLINE [COUNT]: how much memory a node needs for so many idle connections of seats (4,000, twice
what a thousand seats bring). Exit code 1 over 400 MB."""

import asyncio
import pathlib
import ssl
import sys

import seat_pb2 as pb
from throwaway_pair import PAIR, ThrowawayPair

LIMIT = 400_000_000
BESIDE = 64  # handshakes under way at once
BEAT = 2  # seconds: a node closes a connection that is silent for ten
SETTLE = 15  # seconds: longer than that


def frame(message):
    data = message.SerializeToString()
    return len(data).to_bytes(4, "big") + data


def resident(process):
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * 4096


async def connect(tls, host, port, gate, writers):
    async with gate:
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname="")
        writer.write(frame(pb.SeatMessage(hello=pb.Hello(program="idle"))))
        length = int.from_bytes(await reader.readexactly(4), "big")
        assert pb.NodeMessage.FromString(await reader.readexactly(length)).HasField("welcome")
        writers.append(writer)
        return reader


async def beat(writers):
    """Beats, which nobody has to answer, spread over the time."""
    while True:
        for number, writer in enumerate(list(writers)):
            writer.write(frame(pb.SeatMessage(beat=pb.Beat())))
            if number % 50 == 49:
                await asyncio.sleep(0.02)
        await asyncio.sleep(BEAT)


async def main(program, count):
    with ThrowawayPair(program, seats=1) as pair:
        await pair.begin()
        node = pair.processes["node-a"]
        before = resident(node)
        certificate, key, authority = pair.certificate("seat-1")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname = False
        tls.load_verify_locations(authority)
        tls.load_cert_chain(certificate, key)
        tls.set_alpn_protocols(["twinline-seat/1"])
        (host, port, _), gate, open_ones = pair.routes([None, None])["a", 0], asyncio.Semaphore(BESIDE), []
        writers = []
        beating = asyncio.create_task(beat(writers))
        for first in range(0, count, 500):
            many = [connect(tls, host, port, gate, writers) for _ in range(min(500, count - first))]
            open_ones += await asyncio.gather(*many)
        await asyncio.sleep(SETTLE)
        beating.cancel()
        after = resident(node)
        ended = sum(reader.at_eof() for reader in open_ones)
        print(f"pair {PAIR}: {count} idle connections, {ended} ended; resident memory of node a: {before / 1e6:.0f} MB "
              f"before, {after / 1e6:.0f} MB with them, {(after - before) / count / 1000:.1f} KB each")
        return 1 if after > LIMIT or ended else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4000)))
