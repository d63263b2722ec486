"""What supervision costs: reading the log, asking the rules, searching; and what a slip adds to a verdict.

    python tests/benchmarks/figures_supervision.py [entries]

Entries of an office at work: cases of 50 clerks and 10 approvers, verifications by 40 people, refusals.
Rules are the built-in ones. Ratios are to reading the same entries from the log and nothing more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from typing import TYPE_CHECKING, Any

from world.databases import PostgreSQL
from world.disputes import PHRASES
from world.pki import Pki
from world.supervision import SupervisionWorld

from credentials.office.disputes import Contact, Contacts, SlipKind, Slips
from credentials.office.supervision.service import By, Search
from yinxin.base import audit
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog
from yinxin.base.database import Database
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yinxin.base.actor import Actor

STEPS = ("draft", "submit", "review", "approve", "seal")
LOOK_UPS = 200


def main(count: int) -> None:
    """Both databases, and slips alone."""
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{folder}/figures.db", count)
    server = PostgreSQL()
    server.start()
    try:
        measure("PostgreSQL", server.fresh(), count)
    finally:
        server.stop()
    measure_slips()


def measure(name: str, url: str, count: int) -> None:
    """One database."""
    database = Database(url)
    database.create_schema()
    world = SupervisionWorld(Pki(), database)
    fill(world, count)
    world.sequence()
    reading = timed(lambda: read_through(database))
    started = time.perf_counter()
    progress = world.watch.run()
    running = time.perf_counter() - started
    again = timed(world.watch.run)
    print(  # noqa: T201 - figures
        f"{name}: {progress.lines:,} entries, {progress.findings:,} findings: {running:.1f} s, "
        f"{progress.lines / running:,.0f}/s ({running / reading:.1f} times reading the log); "
        f"again with nothing new: {again * 1000:.0f} ms"
    )
    inspection = world.begin()
    for by, sought in ((By.OFFICER, "clerk-7"), (By.CASE, "nothing"), (By.SEAL, "s-1")):
        took = [timed(lambda: look(world, inspection.id, by, sought)) for _ in range(LOOK_UPS)]  # noqa: B023 - called at once
        print(  # noqa: T201 - figures
            f"{name}: search by {by}: {statistics.median(took) * 1000:.1f} ms, "
            f"p99 {sorted(took)[-2] * 1000:.1f} ms, its note in the log included"
        )
    database.close()


def measure_slips() -> None:
    """What a verdict that does not pass pays for its slip."""
    own = Contact("1112000000000000XX", Text("局", "bureau"), Text("窗口", "window"))
    slips = Slips(b"s" * 32, phrases=PHRASES, contacts=Contacts(own))
    rounds = 20_000
    took = timed(
        lambda: [slips.make(SlipKind.VERIFICATION, "licence_unknown", about=str(i)) for i in range(rounds)]
    )
    print(f"slip: {took / rounds * 1e6:.1f} µs each; a verdict by presentation is about 1,300 µs")  # noqa: T201 - figures


def fill(world: SupervisionWorld, count: int) -> None:
    """The entries, in transactions of a thousand."""
    start, entries = world.now - timedelta(days=60), iter(enumerate(work(world, count)))
    while True:
        some = [one for one, _ in zip(entries, range(1000), strict=False)]
        if not some:
            return
        with world.database.transaction() as session:
            for number, (action, subject, actor, details) in some:
                at = start + timedelta(seconds=45 * number)
                audit.record(session, action=action, subject=subject, actor=actor, at=at, details=details)


def work(world: SupervisionWorld, count: int) -> Iterator[tuple[str, str, Actor, dict[str, Any]]]:
    """What people do: five of ten entries are a case's, four are verifications, one is something else."""
    clerks = [staff(f"clerk-{one}", agency=world.own) for one in range(90)]
    approvers = [staff(f"approver-{one}", agency=world.own, roles=("approver",)) for one in range(10)]
    for number in range(count // 10):
        clerk, approver = clerks[number % 50], approvers[number * 7 % 10]
        for step in STEPS:
            who = approver if step == "approve" else clerk
            yield f"case.{step}", f"case:{number}", who, {"state": step}
        for look_up in range(4):
            yield "verification.record", f"v-{number}-{look_up}", clerks[50 + number % 40], {"matter": "1"}
        seal = {"seal": f"s-{number % 500}"}
        yield ("office.refused" if number % 50 == 0 else "seal.use"), "agency:7", clerk, seal


def read_through(database: Database) -> None:
    """The log from end to end."""
    log, last = AuditLog(database), -1
    while some := log.entries(after=last, limit=1000):
        last = [one.content() and one.log_index for one in some][-1] or 0


def look(world: SupervisionWorld, inspection: str, by: By, sought: str) -> None:
    """One search."""
    world.supervision.search(inspection, Search(by, sought), actor=world.sun)


def timed(work: Any) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
