"""A witness and two nodes as processes on loopback, with certificates made for them, for as long as a `with` lasts."""

import asyncio
import ctypes
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile

PAIR = "python"
HOSTS = ["127.0.0.1", "127.0.0.2"]
PKI = pathlib.Path(__file__).parents[2] / "Deploy" / "pki"
START_WITHIN = 30  # seconds


class ThrowawayPair:
    def __init__(self, program, seats):
        self.program, self.seats, self.processes = program.resolve(), seats, {}

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="twinline-python-"))
        signal.signal(signal.SIGTERM, lambda *_: exit(143))  # so that __exit__ runs
        self.ports = free_ports(3)
        self.make_certificates()
        self.write_configurations()
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)

    async def begin(self):
        for name in ["witness", "node-a", "node-b"]:
            self.start(name)
        await self.until("the pair did not start", lambda: self.ask("init").returncode == 0)
        await self.paired()

    def start(self, name):
        if name in self.processes:
            self.processes[name].wait()
        log = open(self.folder / f"{name}.log", "ab")
        command = [self.program, name.partition("-")[0], "--config", self.folder / f"{name}.yaml"]
        self.processes[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)

    def kill(self, node):
        """At once; whoever starts it again waits for its end first."""
        self.processes[f"node-{node}"].kill()

    async def primary(self):
        return (await self.paired())["primary"]

    async def paired(self):
        """Waits until a failover is possible."""
        await self.until("the nodes did not pair", lambda: self.ask("status", "--json").returncode == 0)
        return json.loads(self.ask("status", "--json").stdout)

    async def until(self, complaint, holds):
        for _ in range(START_WITHIN * 10):
            if await asyncio.to_thread(holds):
                return
            await asyncio.sleep(0.1)
        logs = "\n".join((self.folder / f"{name}.log").read_text()[-2000:] for name in self.processes)
        raise RuntimeError(f"{complaint}\n{logs}")

    def ask(self, command, *options):
        return subprocess.run(
            [self.program, command, "--config", self.folder / "seat.yaml", *options], capture_output=True)

    def routes(self, locals_):
        return {(node, number): (host, self.ports[index], local)
                for index, node in enumerate("ab") for number, (host, local) in enumerate(zip(HOSTS, locals_))}

    def certificate(self, name):
        pki = self.folder / "pki"
        return [str(pki / f"{name}.pem"), str(pki / f"{name}.key"), str(pki / "ca.pem")]

    def make_certificates(self):
        pki = self.folder / "pki"
        roles = ["node/a", "node/b", "witness", "ops/test", *(f"seat/{n}" for n in range(1, self.seats + 1))]
        for words in [["init", pki, PAIR], *(["issue", pki, role] for role in roles)]:
            subprocess.run([PKI, *words], check=True, capture_output=True)

    def write_configurations(self):
        def files(name):
            return f"certificate: pki/{name}.pem\nkey: pki/{name}.key\nauthority: pki/ca.pem\n"

        def listed(index):
            return "[" + ", ".join(f'"{host}:{self.ports[index]}"' for host in HOSTS) + "]"

        witness = f'"{HOSTS[0]}:{self.ports[2]}"'
        texts = {
            "witness": f"listen: {witness}\ndata: data-witness\n{files('witness')}",
            "seat": f"pair: {PAIR}\nnodes:\n  a: {listed(0)}\n  b: {listed(1)}\nwitness: {witness}\n"
                    + files("ops-test")}
        for index, node in enumerate("ab"):
            texts[f"node-{node}"] = (
                f"pair: {PAIR}\nnode: {node}\nlisten: {listed(index)}\npeer: {listed(1 - index)}\n"
                f"witness: {witness}\ndata: data-{node}\nsegment-size: 8MiB\n{files('node-' + node)}")
        for name, text in texts.items():
            (self.folder / f"{name}.yaml").write_text(text)


def die_with_parent():
    """However this test ends, the kernel ends what it has started."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def free_ports(count):
    """Free on both addresses, as far as anyone can say; and none of those that the kernel gives to outgoing connections,
    which could have taken it before it is listened on."""
    above = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = []
    while len(ports) < count:
        port = random.randrange(10_000, above)
        try:
            for host in HOSTS:
                with socket.socket() as one:
                    one.bind((host, port))
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports
