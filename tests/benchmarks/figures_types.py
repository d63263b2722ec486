"""What a catalogue that changes costs beside one that does not, and how fast a form is filled.

python tests/benchmarks/figures_types.py
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rounds import measure
from world.forms import business_claims
from world.types import FOOD, next_version

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.licence import Licence, agency_day
from credentials.office.agreements import Consent
from credentials.office.types.live import LiveCatalogue
from credentials.office.types.repository import TypeRepository
from credentials.office.types.versions import ChangeKind, ChangeState, TypeChange
from credentials.sources.filling import fill
from credentials.sources.form_files import load_forms
from yinxin.base.clock import FixedClock
from yinxin.base.database import Database

VERSIONS, LICENCES = 20, 20


def main() -> None:
    """All figures."""
    clock, plain = FixedClock(2026, 11, 20), Catalogue.load()
    database = Database(f"sqlite:///{tempfile.mkdtemp()}/types.db")
    database.create_schema()
    _approve(database, clock)
    live = LiveCatalogue(plain.every_version(), database, agency=samples.AGENCY.credit_code, clock=clock)
    young = LiveCatalogue(
        plain.every_version(),
        database,
        agency=samples.AGENCY.credit_code,
        clock=clock,
        max_age=timedelta(0),
    )

    def from_nothing() -> object:
        made = LiveCatalogue(plain.every_version(), database, agency=samples.AGENCY.credit_code, clock=clock)
        return made[FOOD]

    rows = {
        "a type of a catalogue that stays": lambda: plain[FOOD],
        "a type of a live catalogue": lambda: live[FOOD],
        "the same, looking into the database": lambda: young[FOOD],
        f"the same from nothing, {VERSIONS} versions": from_nothing,
        "reading the built-in types": Catalogue.load,
    }
    measure(rows, beside="a type of a live catalogue", calls=5)
    form = load_forms(None, plain)["food-business-renewal"]
    held = [(_licence(plain, index), plain["business-licence"]) for index in range(LICENCES)]
    named = form.from_licences
    measure(
        {
            "a form from one licence": lambda: fill(form, held[:1], consented=named, as_of=clock.now()),
            f"a form from {LICENCES}": lambda: fill(form, held, consented=named, as_of=clock.now()),
        },
        beside="a form from one licence",
    )


def _approve(database: Database, clock: FixedClock) -> None:
    agency = samples.AGENCY.credit_code
    with database.transaction() as session:
        repository = TypeRepository(session, agency=agency)
        for number in range(2, VERSIONS + 2):
            day = date(2026, 1, 1) + timedelta(days=number)
            change = TypeChange(
                id=f"change-{number}",
                agency=agency,
                kind=ChangeKind.VERSION,
                code=FOOD,
                version=number,
                day=day,
                base=number - 2,
                proposed_by="li",
                proposed_at=clock.now(),
                file=next_version(version=number, day=day),
            )
            repository.add(change)
            consent = Consent("approver", "zhao", clock.now(), change.digest.hex(), {})
            repository.decide(replace(change, state=ChangeState.APPROVED, consent=consent))


def _licence(catalogue: Catalogue, index: int) -> Licence:
    clock, code = FixedClock(2026, 11, 20), samples.credit_code(1)
    claims = business_claims(code, domicile=f"津城市和平路 {index} 号")
    return Licence(
        identifier=f"1.2.156.3005.2.{index}",
        number=code,
        type_code="business-licence",
        type_name=catalogue["business-licence"].name,
        version=1,
        agency=samples.AGENCY,
        holder_name="津城小麦面包坊",
        holder_code=code,
        claims=claims,
        issued_at=clock.now(),
        recorded_at=clock.now(),
        valid_from=agency_day(clock.now()),
        valid_until=None,
    )


if __name__ == "__main__":
    main()
