"""How long looking something up takes in a register of ten thousand and of a million licences.

    python tests/benchmarks/figures_register.py [licences] [sqlite|postgresql]

The same questions to both sizes, in turns, in one thread, on a warm cache; the ratio says whether a look-up
is flat. PostgreSQL is the wheel's, started for this on a local socket.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import register
from world.databases import PostgreSQL

from credentials import records, status_records
from credentials.batches import records as batch_records
from credentials.repository import LicenceRepository
from credentials.status_records import StatusRecords
from verify_api.register import RepositoryRegister
from yinxin.base import audit
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session

assert all((records, status_records, batch_records, audit))  # their tables are made
SMALL, LARGE, ASKED, TURNS = 10_000, 1_000_000, 100, 5
NOW = register.at(0).replace(year=2026, month=11)

QUESTIONS: dict[str, Callable[[Session, int], object]] = {
    "by identifier": lambda s, n: LicenceRepository(s).by_identifier(register.identifier(n)),
    "by number": lambda s, n: LicenceRepository(s).by_number(register.number(n)),
    "by holder": lambda s, n: LicenceRepository(s, index=register.INDEX).of_holder(register.holder(n)),
    "by the file's digest": lambda s, n: LicenceRepository(s).by_pdf(register.digest("pdf 1", n)),
    "all versions": lambda s, n: LicenceRepository(s).versions(register.identifier(n)),
    "standing": lambda s, n: LicenceRepository(s).standing(register.identifier(n), as_of=NOW, known_at=NOW),
    "a list's changed entries": lambda s, n: StatusRecords(s).other_than_valid(register.uri(n % 1)),
    "copies": lambda s, n: LicenceRepository(s).copies(register.current(n)),
}


def main(large: int, kinds: list[str]) -> None:
    """All figures."""
    for kind in kinds:
        if kind == "postgresql":
            server = PostgreSQL()
            server.start()
            try:
                compare(kind, server.fresh(), server.fresh(), large)
            finally:
                server.stop()
            continue
        with tempfile.TemporaryDirectory() as folder:
            compare(kind, f"sqlite:///{folder}/small.db", f"sqlite:///{folder}/large.db", large)


def compare(kind: str, small_url: str, large_url: str, large: int) -> None:
    """Fill two registers and ask both."""
    small, big = filled(small_url, SMALL), filled(large_url, large)
    print(f"\n{kind:<24}{'median':>10}{'p99':>10}{'median':>12}{'p99':>10}{'ratio':>8}")  # noqa: T201 - figures
    print(f"{'milliseconds':<24}{SMALL:>20,}{large:>22,}")  # noqa: T201 - figures
    for label, question in QUESTIONS.items():
        times: dict[int, list[float]] = {SMALL: [], large: []}
        for turn in range(TURNS):
            for database, count in ((small, SMALL), (big, large)):
                times[count] += asked(database, question, count, seed=turn)
        row(label, times[SMALL], times[large])
    times = {SMALL: [], large: []}
    for turn in range(TURNS):
        for database, count in ((small, SMALL), (big, large)):
            times[count] += found(database, count, seed=turn)
    row("register, own session", times[SMALL], times[large])
    small.close()
    big.close()


def filled(url: str, count: int) -> Database:
    """A register of this size."""
    database, start = Database(url), perf_counter()
    database.create_schema()
    register.fill(database, count)
    print(f"{count:,} licences loaded in {perf_counter() - start:.0f} s")  # noqa: T201 - figures
    return database


def asked(
    database: Database, question: Callable[[Session, int], object], count: int, *, seed: int
) -> list[float]:
    """Milliseconds of some look-ups in one session."""
    chosen, times = random.Random(seed), []  # noqa: S311 - figures
    with database.reading() as session:
        for _ in range(ASKED):
            n, start = chosen.randrange(count), perf_counter()
            assert question(session, n) is not None
            times.append((perf_counter() - start) * 1000)
    return times


def found(database: Database, count: int, *, seed: int) -> list[float]:
    """Milliseconds of what a verification asks: a session of its own, licence and events."""
    chosen, source, times = random.Random(seed), RepositoryRegister(database), []  # noqa: S311 - figures
    for _ in range(ASKED):
        n, start = chosen.randrange(count), perf_counter()
        assert source.find(register.number(n)) is not None
        times.append((perf_counter() - start) * 1000)
    return times


def row(label: str, few: list[float], many: list[float]) -> None:
    """One line."""
    (a, b), (c, d) = ((sorted(one)[len(one) // 2], sorted(one)[len(one) * 99 // 100]) for one in (few, many))
    print(f"{label:<24}{a:>10.2f}{b:>10.2f}{c:>12.2f}{d:>10.2f}{c / a:>8.2f}")  # noqa: T201 - figures


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else LARGE,
        [sys.argv[2]] if len(sys.argv) > 2 else ["sqlite", "postgresql"],
    )
