"""How many verifications a second one worker answers over HTTP.

    python tests/benchmarks/figures_verify_api.py [seconds]

The service runs in this process on loopback with a SQLite file (WAL, FULL), one worker process for PDFs and
signed receipts; clients run in processes of their own, with 16 connections together. The last figure counts
only the service's processor time: on a busy machine it says what a quiet one would do (PDFs are parsed in
another process, whose time it does not count).
"""

from __future__ import annotations

import http.client
import multiprocessing
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from world.departments import MATTER, PURPOSE, City

from signing.jose import dump_json

CLIENTS, CONNECTIONS = 2, 8
STATED = {"purpose": PURPOSE, "matter": MATTER}


def load(address: tuple[str, int], bodies: list[bytes], token: str, seconds: float, pipe: Any) -> None:
    """Ask as fast as answers come; send the times."""
    from threading import Thread  # noqa: PLC0415 - in the child

    times: list[float] = []
    ends = time.perf_counter() + seconds
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def ask(offset: int) -> None:
        connection = http.client.HTTPConnection(*address, timeout=60)
        number = offset
        while time.perf_counter() < ends:
            began = time.perf_counter()
            connection.request("POST", "/v1/verifications", bodies[number % len(bodies)], headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            assert b'"indication":"passed"' in body[:400], body[:400]
            times.append(time.perf_counter() - began)
            number += 1

    threads = [Thread(target=ask, args=(place * 7,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(times)


def measure(city: City, name: str, bodies: list[bytes], seconds: float) -> None:
    context, token = multiprocessing.get_context("spawn"), city.token()
    pipes, processes = [], []
    before = time.process_time()
    for _ in range(CLIENTS):
        ours, theirs = context.Pipe()
        process = context.Process(target=load, args=(city.address, bodies, token, seconds, theirs))
        process.start()
        pipes.append(ours)
        processes.append(process)
    times = sorted(one for pipe in pipes for one in pipe.recv())
    for process in processes:
        process.join()
    busy = time.process_time() - before
    rate, middle, late = len(times) / seconds, times[len(times) // 2], times[len(times) * 99 // 100]
    figures = f"{rate:6.0f}/s  p50 {middle * 1000:6.1f} ms  p99 {late * 1000:6.1f} ms"
    print(f"{name:32} {figures}  {len(times) / busy:6.0f} per second of processor time")  # noqa: T201 - figures


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        city = City(database_url=f"sqlite:///{Path(folder, 'figures.db')}")
        licence, pdf = city.issue()
        credential, bodies = city.credential(licence), []
        for _ in range(64):
            nonce = city.nonce()
            shown = city.present(credential, nonce, "operator_name", "credit_code", "business_premises")
            bodies.append(dump_json({**STATED, "presentation": shown, "nonce": nonce}))
        number = [dump_json({**STATED, "licence": licence.number})]
        document = [dump_json({**STATED, "document": b64encode(pdf).decode()})]
        measure(city, "number", number, seconds)
        measure(city, "presentation (SD-JWT + KB)", bodies, seconds)
        measure(city, f"PDF of {len(pdf)} bytes, one process", document, seconds)
        city.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
