"""Verification of SD-JWT VC with key binding over HTTP, one process each, against node with fastify and jose.

    python tests/benchmarks/figures_against_node.py [seconds of a turn]

Needs wrk (apt-get install wrk) and, for the peer, node with the packages of `tests/benchmarks/peers` in the
folder that YINXIN_NODE names. Three servers answer in turns under the same load: node; our checks alone,
the same question; and the whole service with its record, audit entry and signed receipt, which node has
none of. The last columns count the processor time of the server alone, all its threads: on a busy machine
they say what a quiet one would do.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
TURNS, CONNECTIONS, TICKS = 5, 16, os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A server that runs, and how its turns came out."""

    name: str
    address: str
    bodies: Path
    process: subprocess.Popen[str]
    token: str = ""
    rates: list[float] = field(default_factory=list)
    middles: list[float] = field(default_factory=list)
    lates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def turn(self, seconds: float) -> None:
        """Ask for some seconds."""
        command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s"]
        command += [str(HERE / "peers" / "load.lua"), self.address, "--", str(self.bodies)]
        before = self._ticks()
        done = subprocess.run(
            command + ([self.token] if self.token else []), capture_output=True, text=True, check=True
        )
        spent = (self._ticks() - before) / TICKS
        (line,) = [one for one in done.stdout.splitlines() if one.startswith("result ")]
        result = json.loads(line.removeprefix("result "))
        assert not result["wrong"], (self.name, result)
        self.rates.append(result["requests"] / result["seconds"])
        self.costs.append(spent / result["requests"])
        self.middles.append(result["p50"])
        self.lates.append(result["p99"])

    def _ticks(self) -> int:
        """The processor time of the process, in ticks (proc(5): utime and stime)."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(stat[11]) + int(stat[12])


def main(seconds: float) -> None:
    """All figures."""
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk")  # noqa: T201 - figures
        return
    with tempfile.TemporaryDirectory() as place, ExitStack() as closing:
        folder = Path(place)
        ours = ours_of("checks", "our checks alone", "/verify", folder, closing)
        service = ours_of(
            "service", "our service: record, audit, receipt", "/v1/verifications", folder, closing
        )
        servers = [ours, service]
        if (MODULES / "node_modules" / "fastify").is_dir() and shutil.which("node"):
            servers.insert(0, node_of(folder, ours.bodies, closing))
        else:
            print("no node peer: npm install --prefix $YINXIN_NODE fastify@5 jose@6")  # noqa: T201 - figures
        for number in range(TURNS + 1):
            for server in servers:
                server.turn(seconds)
                if number == 0:  # warm now
                    for kept in (server.rates, server.middles, server.lates, server.costs):
                        kept.clear()
        show(servers)


def ours_of(kind: str, name: str, path: str, folder: Path, closing: ExitStack) -> Server:
    """One of ours."""
    process = started([sys.executable, str(HERE / "verifying.py"), kind, str(folder)], closing)
    assert process.stdout
    said = json.loads(process.stdout.readline())
    address = f"http://127.0.0.1:{said['port']}{path}"
    return Server(name, address, folder / f"{kind}.txt", process, said["token"])


def node_of(folder: Path, bodies: Path, closing: ExitStack) -> Server:
    """The peer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = HERE / "peers" / "verifier.mjs"
    process = started(["node", str(script), str(folder / "node.json"), str(port)], closing)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return Server("node, fastify and jose", f"http://127.0.0.1:{port}/verify", bodies, process)


def started(command: list[str], closing: ExitStack) -> subprocess.Popen[str]:
    """A process that ends with us."""
    settings = {**os.environ, "YINXIN_NODE": str(MODULES), "NODE_ENV": "production"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings)
    closing.callback(process.wait)
    closing.callback(process.kill)
    return process


def show(servers: list[Server]) -> None:
    """A row for each server, beside the first."""
    unit, cost = median(servers[0].rates), median(servers[0].costs)
    head = f"{'':<40}{'per s':>8}{'ratio':>7}{'p50 ms':>9}{'p99 ms':>9}{'cpu us':>9}{'ratio':>7}"
    print(f"{head}   (1.00 = {servers[0].name})")  # noqa: T201 - figures
    for one in servers:
        rate, spent = median(one.rates), median(one.costs)
        figures = f"{rate:>8.0f}{rate / unit:>7.2f}{median(one.middles):>9.1f}{median(one.lates):>9.1f}"
        print(f"{one.name:<40}{figures}{spent * 1e6:>9.0f}{cost / spent:>7.2f}")  # noqa: T201 - figures


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
