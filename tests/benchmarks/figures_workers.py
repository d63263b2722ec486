"""How verification over HTTP grows with worker processes: 1, 2 and 4 on a durable PostgreSQL.

    python tests/benchmarks/figures_workers.py [seconds] [workers,…]

`yinxin serve --role verifier --workers N` in processes of its own (one worker: a single process that fetches
too), clients in two more with 32 connections together, PostgreSQL with fsync on, all on this machine. The
last figure is by the processor time of the workers alone: what one core of a quiet machine would do, without
what the database and the clients take.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from figures_verify_api import load
from world.databases import PostgreSQL
from world.node import CLERK, TYPE, Node
from world.processes import BUREAU, Bureau, Service, call

from ca.tsa import TimestampAuthority
from credentials import key_binding, samples
from signing.jose import dump_json
from signing.signers.file import FileSigner
from yinxin.app import wiring
from yinxin.app.serve import running
from yinxin.base.clock import SystemClock

CLIENTS = 2
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(service: Service) -> float:
    """What the service's own processes have taken by now."""
    total = 0.0
    for process in (service.process.pid, *service.children()):
        fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def measure(
    service: Service, address: tuple[str, int], token: str, name: str, bodies: list[bytes], seconds: float
) -> None:
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    before = processor_seconds(service)
    for _ in range(CLIENTS):
        ours, theirs = context.Pipe()
        process = context.Process(target=load, args=(address, bodies, token, seconds, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    times = sorted(one for pipe in pipes for one in pipe.recv())
    for process in processes:
        process.join()
    busy = processor_seconds(service) - before
    rate, middle, late = len(times) / seconds, times[len(times) // 2], times[len(times) * 99 // 100]
    figures = f"{rate:6.0f}/s  p50 {middle * 1000:6.1f} ms  p99 {late * 1000:6.1f} ms"
    print(f"{name:38} {figures}  {len(times) / busy:6.0f} per second of processor time")  # noqa: T201 - figures


def presentations(node: Node, bureau: Bureau, token: str, number: int) -> tuple[str, list[bytes]]:
    """A licence's number, and questions with presentations, each for a nonce of its own."""
    home, holder = node.home, FileSigner.generate()
    stamps = TimestampAuthority(home.signer("timestamp"), home.clock, home.database)
    office = wiring.issuer(home, timestamper=stamps)
    made = office.issue(TYPE, samples.application(TYPE, 1), holder=holder.public_key, actor=CLERK)

    def question() -> bytes:
        answer = call(bureau.url, "POST", "/v1/nonces", b"", bureau.headers(token))[2]
        nonce = json.loads(answer)["nonce"]
        shown = key_binding.present(
            made.credential or "",
            disclose=("operator_name", "credit_code"),
            holder=holder,
            audience=BUREAU,
            nonce=nonce,
            at=node.clock.now(),
        )
        return dump_json({**stated, "presentation": shown, "nonce": nonce})

    stated = {"purpose": "market-entry", "matter": "440103001000"}
    return made.licence.number, [question() for _ in range(number)]


def main(seconds: float, counts: list[int]) -> None:
    server = PostgreSQL(durable=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        node = Node.make(Path(folder, "home"), server.fresh(), clock=SystemClock())
        place = urlsplit(node.home.settings.verify_url)
        address = (place.hostname or "", place.port or 0)
        bureau, generous = Bureau(node), {"department_requests_per_minute": "10000000"}
        with running(node.home, ("ca", "issuer")):
            Service(node, ("verifier",), Path(folder), workers=1, **generous).wait().stop()  # warms the files
            for workers in counts:
                service = Service(
                    node, ("verifier",), Path(folder), workers=workers, log_format="text", **generous
                )
                try:
                    service.wait()
                    token = bureau.token()
                    number, bodies = presentations(node, bureau, token, 32)
                    service.process.send_signal(1)  # SIGHUP: the new status list is fetched
                    service.until(partial(_passes, bureau, token, bodies[0]))
                    questions = {"number": [bureau.question(number)], "presentation": bodies}
                    for kind, asked in questions.items():
                        measure(service, address, token, f"{workers} workers: {kind}", asked, seconds)
                finally:
                    service.stop()
        node.close()
    server.stop()


def _passes(bureau: Bureau, token: str, body: bytes) -> bool:
    answer: dict[str, Any] = json.loads(
        call(bureau.url, "POST", "/v1/verifications", body, bureau.headers(token))[2]
    )
    return answer.get("indication") == "passed"


if __name__ == "__main__":
    wanted = sys.argv[2] if len(sys.argv) > 2 else "1,2,4"
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, [int(one) for one in wanted.split(",")])
