"""What it costs to ask how a licence stood, by how much happened to it: pure, and from the register.

    python tests/benchmarks/figures_history.py [sqlite|postgresql]

Ratios to a licence to which one thing happened; in turns, in one thread, on a warm cache.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from world.databases import PostgreSQL
from world.pki import Pki
from world.quick import QuickOffice

from credentials.repository import LicenceRepository
from credentials.standing import standing
from verify_api.register import RepositoryRegister
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS, TURNS, ASKED = (1, 9, 99, 999), 5, 40


def main(kinds: list[str]) -> None:
    """All figures."""
    for kind in kinds:
        if kind == "postgresql":
            server = PostgreSQL()
            server.start()
            try:
                figures(kind, server.fresh())
            finally:
                server.stop()
            continue
        with tempfile.TemporaryDirectory() as folder:
            figures(kind, f"sqlite:///{folder}/history.db")


def figures(kind: str, url: str) -> None:
    """Paused and resumed so often; then asked."""
    database = Database(url)
    database.create_schema()
    office = QuickOffice(Pki(), database)
    names = {count: paused(office, count) for count in EVENTS}
    register, now = RepositoryRegister(database), office.now
    before = now - timedelta(minutes=2)

    def pure(name: str) -> Callable[[], object]:
        with database.reading() as session:
            repository = LicenceRepository(session)
            licence, events = repository.by_identifier(name), repository.events(name)
        assert licence
        return lambda: standing(licence, events, as_of=before, known_at=before)

    def whole(name: str) -> Callable[[], object]:
        def ask() -> object:
            entry = register.find(name)
            assert entry
            return entry.version_at(as_of=before, known_at=before).standing(as_of=before, known_at=before)

        return ask

    print(f"\n{kind:<20}" + "".join(f"{count:>12} events" for count in EVENTS))  # noqa: T201 - figures
    for label, make in (("the rule alone", pure), ("with the register", whole)):
        asks = {count: make(name) for count, name in names.items()}
        times: dict[int, list[float]] = {count: [] for count in EVENTS}
        for _ in range(TURNS):
            for count, ask in asks.items():
                times[count] += [timed(ask) for _ in range(ASKED)]
        medians = {count: statistics.median(found) for count, found in times.items()}
        first = medians[EVENTS[0]]
        cells = (f"{medians[count] * 1e6:>9.0f} us {medians[count] / first:>5.1f}x" for count in EVENTS)
        print(f"{label:<20}" + " ".join(cells))  # noqa: T201 - figures
    database.close()


def paused(office: QuickOffice, count: int) -> str:
    """A licence that was paused and resumed: so many events."""
    name = office.begin().identifier
    for number in range(count):
        office.clock.advance(timedelta(minutes=1))
        (office.issuer.resume if number % 2 else office.issuer.suspend)(name, **office.why)
    return name


def timed(ask: Callable[[], object]) -> float:
    """Seconds of one question."""
    start = perf_counter()
    ask()
    return perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1:] or ["sqlite", "postgresql"])
