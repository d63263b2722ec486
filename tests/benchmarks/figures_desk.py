"""What the issuing desk does in a second: cases drafted, agreed to and sealed, one by one and in bundles.

    python tests/benchmarks/figures_desk.py [rows]

SQLite file (WAL, FULL) and PostgreSQL without fsync; food licences, keys in files, no time-stamps. The ratio
is to one case that goes all the way alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from typing import TYPE_CHECKING

from world.bundles import BundleWorld, as_csv, as_workbook, rows_of
from world.databases import PostgreSQL
from world.desks import FOOD
from world.pki import Pki

from credentials.office.bundles.service import read_file_of_applications
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

ALONE = 60


def main(count: int) -> None:
    """Both databases."""
    with tempfile.TemporaryDirectory() as folder:
        measure_on("SQLite", f"sqlite:///{folder}/figures.db", count)
    server = PostgreSQL()
    server.start()
    try:
        measure_on("PostgreSQL", server.fresh(), count)
    finally:
        server.stop()


def measure_on(label: str, url: str, count: int) -> None:
    """A day at the desk, timed."""
    database = Database(url)
    database.create_schema()
    office = BundleWorld(Pki(), database)
    office.sealed("办-warm", claims=office.work(9_999).claims)  # fonts and imports
    print(label)  # noqa: T201 - figures
    drafts = timed(lambda: [office.drafted(f"草-{one}", claims=claims(office, one)) for one in range(ALONE)])
    tell("cases drafted", ALONE, drafts)
    alone = timed(lambda: [office.sealed(f"单-{one}", claims=claims(office, one)) for one in range(ALONE)])
    tell("cases from draft to seal, one by one", ALONE, alone)
    rows = rows_of(count, start=1000)
    table, workbook = as_csv(rows), as_workbook(rows)
    reading = timed(lambda: read_file_of_applications(workbook, office.catalogue, type_code=FOOD))
    tell("rows of a workbook read and checked", count, reading)
    opening = timed(lambda: office.opened(data=table))
    tell("rows of a CSV file made cases", count, opening)
    bundle = office.opened(data=table).bundle
    agreeing = timed(lambda: agree(office, bundle.id))
    tell("rows handed over, reviewed and approved", count, agreeing)
    sealing = timed(lambda: office.bundles.seal(bundle.id, actor=office.li, workers=4))
    tell("rows sealed", count, sealing)
    whole = (opening + agreeing + sealing) / count
    print(f"  a row of a bundle costs {whole / (alone / ALONE):.2f} of a case alone")  # noqa: T201 - figures
    database.close()


def agree(office: BundleWorld, bundle_id: str) -> None:
    """From the clerk to the approver."""
    bundle = office.bundles.submit(bundle_id, actor=office.li)
    office.bundles.review(bundle_id, proof=office.agreement(bundle, office.wang), actor=office.wang)
    office.bundles.approve(bundle_id, proof=office.agreement(bundle, office.zhao), actor=office.zhao)


def claims(office: BundleWorld, index: int) -> object:
    """Of an application that no other is the same as."""
    return office.work(index + 1).claims


def timed(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tell(what: str, count: int, seconds: float) -> None:
    """One line."""
    print(f"  {what}: {count / seconds:,.0f} a second")  # noqa: T201 - figures


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
