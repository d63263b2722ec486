"""Rounds for `figures_seals.py`: custody beside a sealing, and a drill."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from benchmarks.rounds import measure
from world.pki import Pki
from world.sealing import FACTS, SealOffice

from credentials import samples
from credentials.documents import DocumentStore
from credentials.office.seals import GrantTerms
from yinxin.base.actor import staff
from yinxin.base.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.issuer import Issuer
    from yinxin.base.actor import Actor

FOOD, BARE = "food-business-licence", "a licence, nobody keeps the seal"


def main(folder: Path, size: int) -> None:
    """Print both."""
    database = Database(f"sqlite:///{folder / 'figures.db'}")
    database.create_schema()
    office = SealOffice(Pki(), database, documents=DocumentStore(folder / "documents", b"d" * 32))
    numbers = itertools.count(1)

    def issue(issuer: Issuer) -> None:
        claims = samples.application(FOOD, next(numbers))
        issuer.issue(FOOD, claims, holder=None, actor=office.clerk)

    bare = office.issuer_with(office.key, custody=None)
    everyone = office.issuer_with(office.key)
    limited = Limited(office)
    rows = {
        BARE: lambda: issue(bare),
        "the same in custody": lambda: issue(everyone),
        "leave and log alone, without a limit": limited.unlimited,
        "leave and log alone, with a daily limit": limited.use,
    }
    measure(rows, beside=BARE, calls=5)
    drill(office, size)


class Limited:
    """Custody without anything that is sealed."""

    def __init__(self, office: SealOffice) -> None:
        self.office, self.custody = office, office.custody(office.key)
        office.granted(office.seal, GrantTerms("staff:limited", (FOOD,), daily_limit=10**6))
        self.limited = staff("limited", agency=office.agency.credit_code, roles=("drafter",))

    def unlimited(self) -> None:
        self._use(self.office.clerk)

    def use(self) -> None:
        self._use(self.limited)

    def _use(self, who: Actor) -> None:
        permit = self.custody.allow(who, {FOOD: 1})
        with self.office.database.transaction() as session:
            self.custody.used(session, permit, document="0" * 64, licence=None, at=self.office.now)


def drill(office: SealOffice, size: int) -> None:
    """Two thirds of the licences are doubtful."""
    start, lost = office.now, office.now + timedelta(hours=10)
    for index in range(size):
        office.issue_at(start if index % 3 == 0 else lost, 1_000_000 + index)
    office.clock.advance(lost + timedelta(hours=1) - office.now)
    began = office.compromise.begin(office.seal.id, since=lost, **FACTS, actor=office.keeper)
    told = time.perf_counter()
    plan = office.compromise.examine(began.id, office.examiner(), actor=office.keeper)
    examined = sum(plan.verdicts.values()) / (time.perf_counter() - told)
    request = office.compromise.request(plan.request or "", actor=office.zhao)
    office.compromise.agree(request.id, proof=office.proof(request), actor=office.zhao)
    seal, key = office.remade(office.seal)
    told = time.perf_counter()
    done = office.compromise.reseal(
        began.id, office.issuer_with(key), seal_id=seal.id, actor=office.keeper, workers=4
    )
    resealed = done.states["resealed"] / (time.perf_counter() - told)
    print(f"a lost key: {examined:.0f} documents examined/s, {resealed:.1f} sealed anew/s")  # noqa: T201 - figures
