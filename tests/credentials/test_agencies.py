"""Two agencies in one database: to the staff of one, the other's licences are not there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select, update
from sqlmodel import SQLModel
from world.office import WHY
from world.vci import IssuingOffice

from credentials import samples
from credentials.documents import DocumentStore
from credentials.gate import REFUSED
from credentials.licence import Agency, EndingKind
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.offers import Offer
from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE
from credentials.reading import OfficeReading
from credentials.records import LicenceRecord
from yinxin.base.actor import Actor, ActorKind, staff, system
from yinxin.base.audit.records import INBOX
from yinxin.base.errors import Conflict, NotFound, NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from world.pki import Pki

    from credentials.licence import Licence
    from yinxin.base.database import Database

SEVEN = samples.AGENCY
EIGHT = Agency(
    Text("河东区行政审批局", "Hedong District Administrative Approval Bureau"), "111201020000518889"
)
FOOD = "food-business-licence"
Step = Callable[["Town", "Licence"], object]


class Town:
    """Agencies 7 and 8, each with its office, in one database; both have issued the same kind of licence."""

    def __init__(self, database: Database, pki: Pki) -> None:
        self.database = database
        self.seven = IssuingOffice(pki, database, url="https://seven.example", agency=SEVEN)
        self.eight = IssuingOffice(pki, database, url="https://eight.example", agency=EIGHT)
        self.theirs = self.eight.issue(FOOD, 2).licence, self.eight.licence
        self.mallory = self.seven.clerk
        self.store = DocumentStore(tempfile.mkdtemp(), b"d" * 32)

    def reading(self, agency: Agency) -> OfficeReading:
        return OfficeReading(agency.credit_code, self.database, self.store)

    def of_eight(self) -> dict[str, list[str]]:
        """Every row that names agency 8 or one of its licences, wherever it stands; the log apart."""
        words = [EIGHT.credit_code, *(one.identifier for one in self.theirs)]
        with self.database.reading() as session:
            return {
                name: sorted(
                    str(row)
                    for row in session.execute(select(table)).all()
                    if any(word in str(row) for word in words)
                )
                for name, table in SQLModel.metadata.tables.items()
                if not name.startswith(("audit_", "test_")) and name in self._tables
            }

    def status_of_eight(self) -> list[str]:
        return [self.eight.standing(one.identifier).state for one in self.theirs]

    def refusals(self) -> int:
        with self.database.reading() as session:
            bodies = session.execute(select(INBOX.c.body)).scalars()
            return sum(f'"{REFUSED}"' in body for body in bodies)

    @property
    def _tables(self) -> list[str]:
        return inspect(self.database.engine).get_table_names()


@pytest.fixture
def town(database: Database, pki: Pki) -> Town:
    return Town(database, pki)


def claims() -> dict[str, Any]:
    return dict(samples.application(FOOD, 9))


# What staff of agency 7 tries against a licence of agency 8: at their own office, and at agency 8's. These
# would change something, and are noted when they are refused; the looks below are not.
CHANGES: dict[str, Step] = {
    "suspend, at home": lambda town, one: town.seven.issuer.suspend(
        one.identifier, actor=town.mallory, **WHY
    ),
    "suspend, over there": lambda town, one: town.eight.issuer.suspend(
        one.identifier, actor=town.mallory, **WHY
    ),
    "resume, at home": lambda town, one: town.seven.issuer.resume(one.identifier, actor=town.mallory, **WHY),
    "revoke, at home": lambda town, one: town.seven.issuer.end(
        one.identifier, EndingKind.REVOKED, actor=town.mallory, **WHY
    ),
    "revoke, over there": lambda town, one: town.eight.issuer.end(
        one.identifier, EndingKind.REVOKED, actor=town.mallory, **WHY
    ),
    "meet, at home": lambda town, one: town.seven.issuer.meet_commitment(
        one.identifier, actor=town.mallory, **WHY
    ),
    "seal a new version, at home": lambda town, one: town.seven.issuer.replace(
        one.identifier, claims(), holder=None, actor=town.mallory, **WHY
    ),
    "seal a new version, over there": lambda town, one: town.eight.issuer.replace(
        one.identifier, claims(), holder=None, actor=town.mallory, **WHY
    ),
    "seal for them": lambda town, _: town.eight.issuer.issue(FOOD, claims(), holder=None, actor=town.mallory),
    "seal a file for them": lambda town, _: town.eight.issuer.issue_rows(
        samples.applications_csv(), actor=town.mallory, type_code=FOOD
    ),
    "offer, at home": lambda town, one: town.seven.server.offers.make(
        Offer((one.identifier,), town.seven.holder_of(one)), actor=town.mallory
    ),
    "offer, over there": lambda town, one: town.eight.server.offers.make(
        Offer((one.identifier,), town.eight.holder_of(one)), actor=town.mallory
    ),
    "offer among their own": lambda town, one: town.seven.server.offers.make(
        Offer((town.seven.licence.identifier, one.identifier), town.seven.holder_of(town.seven.licence)),
        actor=town.mallory,
    ),
    "a code for their holder": lambda town, one: town.eight.server.login_codes.hand_out(
        town.eight.holder_of(one), actor=town.mallory
    ),
}
LOOKS: dict[str, Step] = {
    "look, at home": lambda town, one: town.reading(SEVEN).licence(one.identifier, actor=town.mallory),
    "look by number": lambda town, one: town.reading(SEVEN).licence(one.number, actor=town.mallory),
    "look, over there": lambda town, one: town.reading(EIGHT).licence(one.identifier, actor=town.mallory),
    "events": lambda town, one: town.reading(SEVEN).events(one.identifier, actor=town.mallory),
    "document": lambda town, one: town.reading(SEVEN).document(one.identifier, actor=town.mallory),
    "copies for a key": lambda town, one: town.seven.copies.make(
        one.identifier, [town.seven.holder.public_key], actor=system("oid4vci")
    ),
}
# What agency 7 does to its own licences meanwhile.
OWN: dict[str, Step] = {
    "issue": lambda town, _: town.seven.issuer.issue(
        "physician-certificate",
        samples.application("physician-certificate", 1),
        holder=None,
        actor=town.mallory,
    ),
    "offer": lambda town, _: town.seven.offer(),
    "look": lambda town, _: town.reading(SEVEN).licence(town.seven.licence.identifier, actor=town.mallory),
}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([*CHANGES, *LOOKS, *OWN]), st.booleans()), min_size=1, max_size=8))
def test_staff_of_agency_7_neither_see_nor_seal_for_agency_8(
    town: Town, steps: list[tuple[str, bool]]
) -> None:
    before, standing = town.of_eight(), town.status_of_eight()
    for name, first in steps:
        refused, licence = town.refusals(), town.theirs[0 if first else 1]
        if name in OWN:
            with suppress(Conflict):  # the same number twice
                OWN[name](town, licence)
            assert town.refusals() == refused
            continue
        with pytest.raises((NotPermitted, NotFound)) as told:
            {**CHANGES, **LOOKS}[name](town, licence)
        assert licence.holder_name not in str(told.value)
        assert licence.holder_code not in str(told.value)
        assert (town.refusals() > refused) == (name in CHANGES), "who tries to change something is noted"
    assert town.of_eight() == before
    assert town.status_of_eight() == standing


@pytest.mark.parametrize("name", [*CHANGES, *LOOKS])
def test_each_try_alone_is_refused(town: Town, name: str) -> None:
    before, refused = town.of_eight(), town.refusals()
    for licence in town.theirs:
        with pytest.raises((NotPermitted, NotFound)):
            {**CHANGES, **LOOKS}[name](town, licence)
    assert town.of_eight() == before
    assert (town.refusals() > refused) == (name in CHANGES)


@pytest.mark.parametrize(
    "actor",
    [
        staff("nobody"),
        staff("clerk-17", agency=EIGHT.credit_code),
        staff("looker", agency=SEVEN.credit_code, roles=("inspector",)),
        staff("new", agency=SEVEN.credit_code, roles=()),
        Actor(ActorKind.HOLDER, "holder", SEVEN.credit_code, frozenset({"clerk"})),
        Actor(ActorKind.DEPARTMENT, "https://bureau.example", SEVEN.credit_code, frozenset({"clerk"})),
    ],
    ids=str,
)
def test_only_a_clerk_of_the_agency_changes_its_licences(town: Town, actor: Actor) -> None:
    own = town.seven.licence.identifier
    with pytest.raises(NotPermitted):
        town.seven.issuer.suspend(own, actor=actor, **WHY)
    with pytest.raises(NotPermitted):
        town.seven.issuer.issue(FOOD, claims(), holder=None, actor=actor)
    assert town.seven.standing(own).holds


def test_an_inspector_of_the_agency_reads_its_licences(town: Town) -> None:
    inspector = staff("looker", agency=SEVEN.credit_code, roles=("inspector",))
    own = town.seven.licence
    assert town.reading(SEVEN).licence(own.identifier, actor=inspector) == own
    assert town.reading(SEVEN).events(own.identifier, actor=inspector) == []
    with pytest.raises(NotFound):
        town.reading(SEVEN).document(own.identifier, actor=inspector)  # none was kept


def test_a_number_that_both_agencies_use_is_the_own_ones(town: Town) -> None:
    """Two types may share a number, and so may two agencies by them; nothing is told of the other's."""
    with town.database.transaction() as session:
        session.execute(
            update(LicenceRecord.__table__)  # type: ignore[attr-defined]
            .where(LicenceRecord.identifier == town.theirs[0].identifier)
            .values(number=town.seven.licence.number, type_code="physician-certificate")
        )
    own = town.reading(SEVEN).licence(town.seven.licence.number, actor=town.mallory)
    assert own.identifier == town.seven.licence.identifier


def test_an_offer_of_agency_8_opens_nothing_at_agency_7(town: Town) -> None:
    """The wallet came to the wrong door: nothing is given out, and the offer stays good at the right one."""
    made = town.eight.offer()
    reference = made.uri.rsplit("/", 1)[1]
    with pytest.raises(NotFound):
        town.seven.server.offers.show(reference)
    grant = made.document["grants"][PRE_AUTHORIZED_CODE]
    form = {
        "grant_type": PRE_AUTHORIZED_CODE,
        "pre-authorized_code": grant["pre-authorized_code"],
        "tx_code": made.tx_code or "",
    }
    with pytest.raises(Refused, match="not right"):
        town.seven.server.token(form, None)
    assert town.eight.server.token(form, None)["access_token"]
