"""Two things at once about one licence, on both databases: one comes true, the other is a clear conflict."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from world.quick import QuickOffice

from credentials.licence import EndingKind, still_counting
from credentials.repository import LicenceRepository
from credentials.standing import State
from yinxin.base.errors import Conflict, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.pki import Pki

    from yinxin.base.database import Database

ROUNDS = 2


@pytest.fixture
def office(pki: Pki, database: Database) -> QuickOffice:
    return QuickOffice(pki, database)


def at_once(*acts: Callable[[], object]) -> list[YinxinError]:
    """What the losers heard."""
    gate, heard = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except YinxinError as error:
            heard.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return heard


def only_conflicts(heard: list[YinxinError], count: int = 1) -> None:
    assert len(heard) == count
    assert all(isinstance(one, Conflict) and one.detail for one in heard)


def test_two_endings(office: QuickOffice) -> None:
    for _ in range(ROUNDS):
        name = office.begin().identifier
        heard = at_once(
            lambda name=name: office.issuer.end(name, EndingKind.REVOKED, **office.why),
            lambda name=name: office.issuer.end(name, EndingKind.DEREGISTERED, **office.why),
        )
        only_conflicts(heard)
        assert len(office.issuer.events_of(name)) == 1
        assert office.standing(name).state in {State.REVOKED, State.DEREGISTERED}


@pytest.mark.parametrize("verb", ["correct", "split"])
def test_an_ending_against_what_would_take_its_place(office: QuickOffice, verb: str) -> None:
    for _ in range(ROUNDS):
        name = office.begin().identifier

        def follow(name: str = name) -> Any:
            claims = office.claims("新华路 9 号")
            said: Any = [claims, claims] if verb == "split" else claims
            return getattr(office.issuer, verb)(name, said, **office.why)

        heard = at_once(follow, lambda name=name: office.issuer.end(name, EndingKind.REVOKED, **office.why))
        only_conflicts(heard)
        (event,) = office.issuer.events_of(name)
        assert event.is_ending
        assert event.kind is EndingKind.REVOKED or event.replaced_by or event.successors


def test_two_undoings(office: QuickOffice) -> None:
    name = office.begin().identifier
    office.issuer.end(name, EndingKind.REVOKED, **office.why)
    undo = lambda: office.issuer.undo(name, 1, **office.why)  # noqa: E731 - the same twice
    only_conflicts(at_once(undo, undo))
    assert len(office.issuer.events_of(name)) == 2
    assert office.standing(name).holds


def test_an_undoing_against_a_replacement(office: QuickOffice) -> None:
    """A suspension is undone while somebody replaces: of what is suspended nothing takes the place."""
    for _ in range(ROUNDS):
        name = office.begin().identifier
        office.issuer.suspend(name, **office.why)
        heard = at_once(
            lambda name=name: office.issuer.undo(name, 1, **office.why),
            lambda name=name: office.issuer.replace(name, office.claims("9 号"), **office.why),
        )
        assert len(heard) <= 1, "one after the other both may be right"
        assert all(isinstance(one, Conflict) for one in heard)
        events = office.issuer.events_of(name)
        assert office.standing(name).state is (State.IN_FORCE if heard else State.SUPERSEDED)
        assert len(still_counting(events)) == (0 if heard else 1)


def test_what_was_replaced_meanwhile_is_not_ended_by_the_page_that_was_made_before(
    office: QuickOffice,
) -> None:
    """Two next versions of one: one of them is made for nothing."""
    for _ in range(ROUNDS):
        name = office.begin().identifier
        heard = at_once(
            lambda name=name: office.issuer.correct(name, office.claims("9 号"), **office.why),
            lambda name=name: office.issuer.change(name, office.claims("11 号"), **office.why),
        )
        only_conflicts(heard)
        with office.database.reading() as session:
            versions = LicenceRepository(session).versions(name)
        assert [one.version for one in versions] == [1, 2]


def test_two_mergers_that_share_a_licence(office: QuickOffice) -> None:
    for _ in range(ROUNDS):
        one, shared, other = (office.begin(f"{n} 号").identifier for n in range(3))
        heard = at_once(
            lambda a=shared, b=one: office.issuer.merge([a, b], office.claims(), **office.why),
            lambda a=other, b=shared: office.issuer.merge([a, b], office.claims(), **office.why),
        )
        only_conflicts(heard)
        states = sorted(str(office.standing(name).state) for name in (one, shared, other))
        assert states == ["in_force", "superseded", "superseded"]
