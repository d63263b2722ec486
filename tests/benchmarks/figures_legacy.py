"""How fast an older register comes in, beside a plain insert of the same licences.

    python tests/benchmarks/figures_legacy.py [rows]

The floor is the database's own work: the very rows that the import makes, already judged, inserted in batches
of the same size into the same table (SQLite WAL and FULL; PostgreSQL with fsync). By the clock, and by this
process's processor time (the ratio is of that); each is the best of three.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from world.databases import PostgreSQL
from world.legacy import LegacyWorld, csv_bytes, old_row
from world.pki import Pki

from credentials.legacy.importing import BATCH
from credentials.repository import LicenceRepository
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credentials.licence import Licence

ROUNDS = 3


def main(rows: int) -> None:
    data = csv_bytes(old_row(index) for index in range(1, rows + 1))
    server = PostgreSQL(durable=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, fresh in (
                ("SQLite", lambda number: f"sqlite:///{folder}/{number}.db"),
                ("PostgreSQL", lambda _number: server.fresh()),
            ):
                report(name, rows, data, fresh)
    finally:
        server.stop()


def report(name: str, rows: int, data: bytes, fresh: Callable[[int], str]) -> None:
    best: dict[str, tuple[float, float]] = {}
    for number in range(ROUNDS):
        measure(best, data, world(fresh(2 * number)), world(fresh(2 * number + 1)))
    unit = best["plain insert"]
    print(f"{name}, {rows} rows{'':<12}{'rows/s':>10}{'by CPU':>10}{'ratio':>8}")  # noqa: T201 - figures
    for label, (clock, processor) in best.items():
        ratio = processor / unit[1]
        print(f"  {label:<26}{rows / clock:>10,.0f}{rows / processor:>10,.0f}{ratio:>8.1f}")  # noqa: T201 - figures


def measure(
    best: dict[str, tuple[float, float]], data: bytes, office: LegacyWorld, floor: LegacyWorld
) -> None:
    mapping = office.agreed()

    def check() -> None:
        office.imports.check(io.BytesIO(data), mapping, actor=office.li)

    def walk() -> None:
        office.imports.run(io.BytesIO(data), mapping, actor=office.li)

    for label, work in {"check": check, "import": walk, "the same again": walk}.items():
        keep(best, label, work)
    licences = made_by(office)
    keep(best, "plain insert", lambda: insert(floor, licences))


def world(url: str) -> LegacyWorld:
    database = Database(url)
    database.create_schema()
    return LegacyWorld(Pki(), database)


def keep(best: dict[str, tuple[float, float]], label: str, work: Callable[[], object]) -> None:
    clock, processor = perf_counter(), process_time()
    work()
    found = (perf_counter() - clock, process_time() - processor)
    before = best.get(label, found)
    best[label] = (min(before[0], found[0]), min(before[1], found[1]))


def made_by(office: LegacyWorld) -> list[Licence]:
    with office.database.reading() as session:
        repository = LicenceRepository(session)
        found = [repository.by_identifier(identifier) for identifier in office.unsealed(limit=1 << 30)]
    return [one for one in found if one is not None]


def insert(office: LegacyWorld, licences: Sequence[Licence]) -> None:
    for start in range(0, len(licences), BATCH):
        with office.database.transaction() as session:
            LicenceRepository(session).add_all(licences[start : start + BATCH])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
