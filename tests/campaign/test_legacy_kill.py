"""A whole register comes in although its process is killed: every row once, none twice, in constant memory.

The full round is 200,000 rows killed twice, as in the issue; `YINXIN_CAMPAIGN=3000000` takes a province's
three million. Rows are made while they are read: no file of that size is kept.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from world.databases import database, database_url, postgresql  # noqa: F401 - fixtures
from world.legacy import LegacyWorld, csv_bytes, old_row
from world.pki import Pki

from credentials.legacy.results import Outcome
from signing.keys import PublicKey
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

FAULTY = 997  # every so many rows has a date that is none
PORTION = 2000


class Export(io.RawIOBase):
    """The old system's export, written as it is read."""

    def __init__(self, rows: int) -> None:
        self._rows, self._next, self._left = rows, 1, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left and self._next <= self._rows:
            last = min(self._rows, self._next + PORTION - 1)
            portion = csv_bytes(map(export_row, range(self._next, last + 1)))
            self._left = portion if self._next == 1 else portion.partition(b"\n")[2]
            self._next = last + 1
        data, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def export_row(index: int) -> dict[str, str]:
    return old_row(index, 发证日期="昨天") if index % FAULTY == 0 else old_row(index)


def stream(rows: int) -> io.BufferedReader:
    return io.BufferedReader(Export(rows), 1 << 18)


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no fork server")
def test_a_register_comes_in_although_it_is_killed_twice(
    database: Database,  # noqa: F811 - the fixture
    database_url: str,  # noqa: F811 - the fixture
    pki: Pki,
    rounds: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = os.environ.get("YINXIN_CAMPAIGN", "")
    rows = int(wanted) if wanted.isdigit() else rounds(1500, 200_000)
    office = LegacyWorld(pki, database)
    office.agreed()
    agreed_with = office.keys[office.zhao.identifier].public_key.spki
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "world.legacy", "world.pki", "world.databases", "psycopg"])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # so that the server can import `world`
    for least in (rows // 5, rows // 2):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=take_over, args=(database_url, rows, agreed_with, theirs), daemon=True
        )
        process.start()
        theirs.close()
        while ours.recv() < least:
            pass
        process.kill()
        process.join()
        assert count(database) < rows
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=finish, args=(database_url, rows, agreed_with, theirs), daemon=True)
    process.start()
    theirs.close()
    outcomes, seconds, again, kilobytes = ours.recv()
    process.join()
    good = rows - rows // FAULTY
    same = outcomes[Outcome.SAME]
    assert outcomes == {Outcome.NEW: good - same, Outcome.SAME: same, Outcome.REFUSED: rows // FAULTY}
    assert same >= rows // 2 - rows // FAULTY
    assert count(database) == good == count(database, "DISTINCT number")
    register = office.registers.register("food-2012", actor=office.li)
    assert register.cursor is not None
    with capsys.disabled():
        sys.stderr.write(
            f"\n{rows} rows: the last walk {rows / seconds:.0f} rows/s, with nothing to do "
            f"{rows / again:.0f} rows/s, at most {kilobytes // 1024} MiB\n"
        )


def office_of(url: str, agreed_with: bytes) -> LegacyWorld:
    """The same office in another process: it knows the key that its approver agreed with."""
    office = LegacyWorld(Pki(), Database(url))
    office.keys[office.zhao.identifier] = SimpleNamespace(public_key=PublicKey(agreed_with))  # type: ignore[assignment]
    return office


def take_over(url: str, rows: int, agreed_with: bytes, pipe: Connection) -> None:
    """What the killed process does."""
    office = office_of(url, agreed_with)
    office.imports.run(stream(rows), office.mapping(), actor=office.li, progress=pipe.send)


def finish(url: str, rows: int, agreed_with: bytes, pipe: Connection) -> None:
    """The walk that comes to its end, and one with nothing to do."""
    office = office_of(url, agreed_with)
    mapping, begun = office.mapping(), time.perf_counter()
    summary = office.imports.run(stream(rows), mapping, actor=office.li)
    between = time.perf_counter()
    again = office.imports.run(stream(rows), mapping, actor=office.li)
    assert set(again.outcomes) == {Outcome.SAME, Outcome.REFUSED}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pipe.send((dict(summary.outcomes), between - begun, time.perf_counter() - between, most))


def count(database: Database, what: str = "*") -> int:  # noqa: F811 - the fixture's value
    with database.reading() as session:
        return int(session.execute(text(f"SELECT count({what}) FROM licence")).scalar_one())  # noqa: S608 - ours
