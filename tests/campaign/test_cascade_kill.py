"""Kill a cascade at any moment and take it up again: every effect is done once, and none is lost.

A company with licences, wallet copies, certificates and seals is renamed again and again. A round forks a
process that does what is left of the event; it is killed with SIGKILL after a random number of steps. When an
event is done the next one is planned and approved. In the end the last one is finished.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from world.databases import database, database_url, postgresql  # noqa: F401 - fixtures
from world.pki import Pki
from world.subjects import FOOD, SubjectWorld

from ca.issuance import Authority
from ca.revocation import Revocation
from credentials.changes import Changes
from credentials.production import Production
from signing.signers.file import FileSigner
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.app.subjects.values import EventKind, EventState, OutcomeKind
from yinxin.base.clock import FixedClock
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from yinxin.app.subjects.cascade import Planned

TYPES = (FOOD, "construction-permit", "hygiene-licence-on-commitment")
STEPS = (
    (Production, ("reserve", "make", "keep", "record")),
    (Changes, ("record",)),
    (Revocation, ("revoke",)),
    (SubjectRepository, ("settle", "change")),
)


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no fork server")
def test_every_effect_is_done_once_however_often_the_process_is_killed(
    database: Database,  # noqa: F811 - the fixture
    database_url: str,  # noqa: F811 - the fixture
    tmp_path: Path,
    pki: Pki,
    rounds: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "world.subjects", "world.pki", "world.databases", "psycopg"])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # so that the server can import `world`
    chance, city = random.Random(20261123), SubjectWorld(pki, database)  # noqa: S311 - a repeatable story
    key = str(tmp_path / "zhao.pem")
    city.keys["zhao"].save(tmp_path / "zhao.pem", passphrase="x")
    licences = [city.give(code, 3) for code in TYPES for _ in range(rounds(1, 2))]
    event, events, killed_in = _next(city, 0), 1, set[str]()
    for _ in range(rounds(2, 100)):
        ours, theirs = context.Pipe(duplex=False)
        work = (database_url, event.event.id, key, city.clock.now().isoformat(), theirs)
        process = context.Process(target=run_until_killed, args=work, daemon=True)
        process.start()
        theirs.close()
        killed_in.add(_listen(ours, steps=chance.randrange(1, 60)))
        process.kill()
        process.join()
        city.clock.advance(timedelta(minutes=1))
        if city.cascade.show(event.event.id, actor=city.li).event.state is EventState.DONE:
            event, events = _next(city, events), events + 1
    city.run(event)
    _check(city, [one.licence.identifier for one in licences], events)
    assert len(killed_in) >= rounds(1, 8)  # different steps, before and after


def run_until_killed(url: str, event: str, key: str, now: str, pipe: Connection) -> None:
    """What the killed process does."""
    for owner, names in STEPS:
        for name in names:
            setattr(owner, name, _telling(getattr(owner, name), f"{owner.__name__}.{name}", pipe))
    store, clock = Database(url), FixedClock(2026, 11, 20)
    clock.advance(datetime.fromisoformat(now) - clock.now())
    authority = Authority.open("enterprise", database=store, signer=None, clock=clock, base_url=None)
    zhao = FileSigner.open(key, passphrase="x")
    city = SubjectWorld(Pki(), store, keys={"zhao": zhao}, authority=authority, clock=clock)
    city.work.run(event, actor=city.li)
    pipe.send("done")


def _telling(work: Callable[..., Any], name: str, pipe: Connection) -> Callable[..., Any]:
    """The same work, told before and after."""

    def told(*arguments: Any, **options: Any) -> Any:
        pipe.send(f"{name} before")
        result = work(*arguments, **options)
        pipe.send(f"{name} after")
        return result

    return told


def _listen(pipe: Connection, *, steps: int) -> str:
    """Hear so many steps; the last of them."""
    last = ""
    for _ in range(steps):
        last = pipe.recv()
        if last == "done":
            break
    return last


def _next(city: SubjectWorld, number: int) -> Planned:
    """The company has another name, two more certificates and a seal more."""
    city.company_seal()
    city.company_certificate("department-client")
    planned = city.plan(EventKind.RENAMED, name=f"津城第{number}海河糕点有限公司")
    city.approve(planned)
    return planned


def _check(city: SubjectWorld, licences: list[str], events: int) -> None:
    """Everything happened once."""
    with city.database.reading() as session:

        def ask(query: str) -> Any:
            return session.execute(text(query)).all()

        current = ask("SELECT lineage, count(*) AS n FROM licence WHERE is_current GROUP BY lineage")
        versions = ask("SELECT lineage, count(*) AS n FROM licence GROUP BY lineage")
        endings = ask("SELECT licence FROM licence_event WHERE is_ending")
        outcomes = ask("SELECT outcome, count(*) AS n FROM subject_effect GROUP BY outcome")
        revoked = ask("SELECT serial FROM ca_revocation")
        bodies = [json.loads(row.body) for row in ask("SELECT body FROM audit_inbox")]
    assert {row.n for row in current} == {1}
    assert {row.n for row in versions} == {events + 1}
    assert len(versions) == len(licences)
    assert len(endings) == len(licences) * events
    # Copies are of the first versions; two certificates and a seal were made for each event.
    assert {row.outcome: row.n for row in outcomes} == {
        str(OutcomeKind.DONE): len(licences) * (events + 1) + 3 * events
    } | ({str(OutcomeKind.LEFT): _stopped_before(events)} if events > 1 else {})
    assert len(revoked) == 2 * events
    said = [body["action"] for body in bodies]
    assert said.count("licence.change") == len(licences) * events
    assert said.count("certificate.revoke") == 2 * events
    assert said.count("seal.stop") == events
    assert said.count("subject.done") == said.count("subject.run") == events


def _stopped_before(events: int) -> int:
    """Seals that an earlier event stopped are left as they are."""
    return sum(range(events))
