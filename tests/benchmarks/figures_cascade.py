"""How many effects of a subject's event are done in a second, and what a plan costs.

    python tests/benchmarks/figures_cascade.py [licences of the company]

A company with so many licences, each with a copy in a wallet. Effects are counted with what they bring along:
event, status entry, audit entries and the outcome in one transaction (SQLite file, WAL, FULL; PostgreSQL
without fsync). Issuing anew also sets and seals a page. The ratio is to issuing one licence without an event.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from typing import TYPE_CHECKING, Any

from world.databases import PostgreSQL
from world.pki import Pki
from world.subjects import FOOD, SubjectWorld

from yinxin.app.subjects.values import EventKind
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """A company's story, timed."""
    database = Database(url)
    database.create_schema()
    city = SubjectWorld(Pki(), database)
    city.give(FOOD, 4)  # fonts and imports
    issue = timed(lambda: [city.give(FOOD, 3) for _ in range(count)]) / count
    print(f"{label}: {count} licences, {1 / issue:,.0f} issued a second")  # noqa: T201 - figures
    tell(
        "issued anew (effects with their copies)",
        *happen(city, EventKind.RENAMED, name="津城新海河糕点有限公司"),
        issue,
    )
    tell("ended", *happen(city, EventKind.DISSOLVED), issue)
    last = city.recent()[0].id
    tell("endings undone", *happen(city, EventKind.RESTORED, undoes=last), issue)
    database.close()


def happen(city: SubjectWorld, kind: EventKind, **more: Any) -> tuple[float, float, int]:
    """Seconds to plan and to run an event, and how many effects were done."""
    started = time.perf_counter()
    planned = city.plan(kind, **more)
    planning = time.perf_counter() - started
    city.approve(planned)
    started = time.perf_counter()
    report = city.run(planned)
    return planning, time.perf_counter() - started, len(report.effects)


def timed(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tell(what: str, planning: float, running: float, effects: int, issue: float) -> None:
    """One row."""
    each = running / effects
    print(  # noqa: T201 - figures
        f"  {what:<42}{effects:>6} effects {1 / each:>8,.0f}/s"
        f"  {each / issue:>6.2f} of an issue   planned {effects / planning:>8,.0f}/s"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
