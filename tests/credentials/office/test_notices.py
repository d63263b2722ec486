"""Whoever accepted a licence hears what became of it, and no more than it may know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.quick import FOOD, QuickOffice

from credentials.licence import EndingKind
from credentials.office.notices import NoticeQueue, Notices
from credentials.office.notices.repository import NoticeRepository
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from world.pki import Pki

    from credentials.office.notices import HandedOut
    from yinxin.base.database import Database, Session

MARKET, FIRE = "urn:market", "urn:fire"
ADDRESS = {FOOD: frozenset({"business_premises"})}


class Accepted:
    """Two departments accepted everything."""

    def departments(self, session: Session, licence: str) -> Sequence[str]:
        del session, licence
        return [FIRE, MARKET]


class Told(QuickOffice):
    """An office that tells; and its queues."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        object.__setattr__(self.issuer._production, "hearers", Notices(Accepted()))
        self.queue = NoticeQueue(clock=self.clock)

    def read(self, department: str, granted: Any = ADDRESS, limit: int = 100) -> list[HandedOut]:
        with self.database.transaction() as session:
            return self.queue.hand_out(
                session, department, granted=granted, actor=actor(department), limit=limit
            )

    def done(self, notice: str, department: str) -> Any:
        with self.database.transaction() as session:
            return self.queue.acknowledge(session, notice, department, actor=actor(department))


def actor(department: str) -> Actor:
    return Actor(ActorKind.DEPARTMENT, department)


@pytest.fixture
def office(pki: Pki) -> Iterator[Told]:
    database = with_tables()
    yield Told(pki, database)
    database.close()


def test_a_change_names_its_fields_and_shows_what_is_granted(office: Told) -> None:
    old = office.begin()
    new = office.issuer.change(
        old.identifier, {**office.claims("19 号"), "responsible_person": "王小梅"}, **office.why
    ).licence
    (notice,) = office.read(MARKET)
    said = notice.to_dict(office.catalogue)
    told = {one["name"]: one for one in said["fields"]}
    assert set(told) == {"business_premises", "responsible_person"}
    assert told["business_premises"]["now"] == [{"licence": new.identifier, "value": "19 号"}]
    assert told["business_premises"]["label"]["zh"]
    assert set(told["responsible_person"]) == {"name", "label"}
    assert "王小梅" not in str(said)
    (blind,) = office.read(FIRE, granted={"another-type": frozenset({"business_premises"})})
    assert blind.to_dict(office.catalogue)["versions"] == []
    assert "19 号" not in str(blind.to_dict(office.catalogue))


def test_a_queue_holds_what_is_not_acknowledged_in_order(office: Told) -> None:
    name = office.begin().identifier
    office.issuer.suspend(name, **office.why)
    office.issuer.resume(name, **office.why)
    office.issuer.end(name, EndingKind.REVOKED, **office.why)
    kinds = [str(one.event.kind) for one in office.read(MARKET)]
    assert sorted(kinds) == ["resumed", "revoked", "suspended"]
    (first,) = office.read(MARKET, limit=1)
    assert first.notice.read_at is not None
    with pytest.raises(NotFound):
        office.done(first.notice.id, FIRE)
    once = office.done(first.notice.id, MARKET)
    assert (once.acknowledged_by, office.done(first.notice.id, MARKET)) == (f"department:{MARKET}", once)
    assert len(office.read(MARKET)) == 2
    assert len(office.read(FIRE)) == 3


def test_what_is_not_recorded_is_not_told(office: Told) -> None:
    name = office.begin().identifier

    def fails(*_: object) -> None:
        raise Conflict("the case was changed meanwhile")

    with pytest.raises(Conflict):
        office.issuer.end(name, EndingKind.REVOKED, beside=fails, **office.why)
    assert office.read(MARKET) == []


def test_a_merger_tells_of_what_took_the_place(office: Told) -> None:
    one, other = office.begin("1 号"), office.begin("2 号")
    new = office.issuer.merge(
        [one.identifier, other.identifier], office.claims("1 号、2 号"), **office.why
    ).licence
    found = office.read(MARKET)
    assert {notice.licence.identifier for notice in found} == {one.identifier, other.identifier}
    assert all([seen.identifier for seen in notice.new] == [new.identifier] for notice in found)


def test_without_hearers_nobody_is_told(office: Told) -> None:
    object.__setattr__(office.issuer._production, "hearers", None)
    office.issuer.end(office.begin().identifier, EndingKind.REVOKED, **office.why)
    with office.database.reading() as session:
        assert NoticeRepository(session).waiting(MARKET, limit=9) == []
