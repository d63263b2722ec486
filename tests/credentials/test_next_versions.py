"""What takes the place of a licence: corrected, changed, merged, split; and what is then known of the old."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.office import WHY
from world.quick import QuickOffice

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.licence import Cause, EndingKind, EventKind, VersionKind
from credentials.licence_type import Numbering
from credentials.repository import LicenceRepository
from credentials.standing import State
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.office import Office
    from world.pki import Pki

    from credentials.licence import Event, Licence

FOOD, BUSINESS = "food-business-licence", "business-licence"
DAY = timedelta(days=1)


@pytest.fixture
def office(pki: Pki) -> Iterator[Office]:
    database = with_tables()
    yield QuickOffice(pki, database)
    database.close()


def claims(index: int = 1, type_code: str = FOOD, **other: Any) -> dict[str, Any]:
    return {**samples.application(type_code, index), **other}


def stored(office: Office, identifier: str) -> Licence:
    with office.database.reading() as session:
        found = LicenceRepository(session).by_identifier(identifier)
    assert found
    return found


def copies(office: Office, identifier: str) -> list[str | None]:
    with office.database.reading() as session:
        return [one.retired_by for one in LicenceRepository(session).copies(identifier)]


def moved(office: Office, **options: Any) -> tuple[Licence, Licence]:
    """A licence and, three days later, the one with another address."""
    old = office.issue().licence
    office.clock.advance(3 * DAY)
    verb = options.pop("verb", office.issuer.correct)
    new = verb(
        old.identifier, claims(business_premises="津城区新华路 9 号"), actor=office.clerk, **WHY, **options
    ).licence
    return old, new


class TestACorrection:
    def test_it_states_what_was_always_true(self, office: Office) -> None:
        old, new = moved(office)
        assert (new.number, new.version, new.kind) == (old.number, 2, VersionKind.CORRECTED)
        assert (new.starts_at, new.valid_until) == (old.starts_at, old.valid_until)
        then, now = office.now - DAY, office.now
        assert office.standing(new.identifier, as_of=then).state is State.IN_FORCE
        assert office.standing(new.identifier, as_of=then, known_at=then).state is State.UNKNOWN
        assert office.standing(old.identifier, as_of=then, known_at=then).state is State.IN_FORCE
        assert office.standing(old.identifier, as_of=then, known_at=now).state is State.SUPERSEDED
        assert office.standing(old.identifier, as_of=now).text.en == (
            "genuine, superseded by version 002 on 2026-11-23 (a correction: it states what was always true)"
        )

    def test_old_and_new_name_each_other(self, office: Office) -> None:
        old, new = moved(office)
        (event,) = office.issuer.events_of(old.identifier)
        assert (new.replaces, stored(office, old.identifier).replaced_by) == (old.identifier, new.identifier)
        assert (event.replaced_by, event.version_kind) == (new.identifier, VersionKind.CORRECTED)
        assert copies(office, old.identifier) == ["superseded"]

    def test_what_paused_the_old_one_still_paused_it(self, office: Office) -> None:
        old = office.issue().licence
        office.issuer.suspend(old.identifier, actor=office.clerk, **WHY)
        paused = office.now
        office.clock.advance(DAY)
        office.issuer.resume(old.identifier, actor=office.clerk, **WHY)
        office.clock.advance(DAY)
        fresh = office.issuer.correct(
            old.identifier, claims(business_premises="新华路 9 号"), actor=office.clerk, **WHY
        ).licence
        assert office.standing(fresh.identifier, as_of=paused).state is State.SUSPENDED
        assert office.standing(fresh.identifier).holds

    def test_a_second_correction_corrects_the_change_and_not_what_was_before_it(self, office: Office) -> None:
        _, changed = moved(office, verb=office.issuer.change)
        office.clock.advance(DAY)
        again = office.issuer.correct(
            changed.identifier, claims(business_premises="新华路 19 号"), actor=office.clerk, **WHY
        ).licence
        assert (again.version, again.starts_at) == (3, changed.starts_at)

    def test_a_correction_of_nothing_is_none(self, office: Office) -> None:
        old = office.issue().licence
        with pytest.raises(UsageError, match="nothing differs"):
            office.issuer.correct(old.identifier, claims(), actor=office.clerk, **WHY)

    def test_the_number_itself_is_not_corrected(self, office: Office) -> None:
        numbered = replace(office.catalogue[BUSINESS], numbering=Numbering(field="credit_code"))
        office.issuer._catalogue = Catalogue([numbered])
        old = office.issue(BUSINESS).licence
        wrong = claims(2, BUSINESS)
        with pytest.raises(InvalidClaims, match="another number is another licence"):
            office.issuer.correct(old.identifier, wrong, actor=office.clerk, **WHY)


class TestAChange:
    def test_it_is_true_from_a_day(self, office: Office) -> None:
        day = office.now + DAY
        old, new = moved(office, verb=office.issuer.change, effective_from=day)
        assert (new.kind, new.starts_at) == (VersionKind.CHANGED, day)
        states = {
            one.version: [
                office.standing(one.identifier, as_of=when).state
                for when in (day - timedelta(hours=1), day, office.now)
            ]
            for one in (old, new)
        }
        assert states == {
            1: [State.IN_FORCE, State.SUPERSEDED, State.SUPERSEDED],
            2: [State.NOT_YET_VALID, State.IN_FORCE, State.IN_FORCE],
        }
        known_then = office.standing(old.identifier, as_of=office.now, known_at=office.now - DAY)
        assert known_then.state is State.IN_FORCE

    def test_its_day_has_come_and_lies_in_the_licence(self, office: Office) -> None:
        old = office.issue().licence
        new = claims(business_premises="新华路 9 号")
        for day in (office.now + DAY, old.starts_at - DAY):
            with pytest.raises(UsageError):
                office.issuer.change(old.identifier, new, actor=office.clerk, effective_from=day, **WHY)

    def test_a_met_commitment_stays_met(self, office: Office) -> None:
        kind = "hygiene-licence-on-commitment"
        old = office.issue(kind).licence
        office.issuer.meet_commitment(old.identifier, actor=office.clerk, **WHY)
        new = office.issuer.replace(old.identifier, claims(1, kind), actor=office.clerk, **WHY).licence
        assert office.standing(new.identifier).commitment_met

    def test_what_happened_meanwhile_voids_it(self, office: Office) -> None:
        """Suspended and resumed while the page was made: it is in force again, and yet not as it was seen."""
        old = office.issue().licence
        make = office.issuer._production.make

        def slow(*draft: Any) -> Any:
            office.issuer.suspend(old.identifier, actor=office.clerk, **WHY)
            office.issuer.resume(old.identifier, actor=office.clerk, **WHY)
            return make(*draft)

        object.__setattr__(office.issuer._production, "make", slow)
        with pytest.raises(Conflict, match="meanwhile"):
            office.issuer.change(
                old.identifier, claims(business_premises="新华路 9 号"), actor=office.clerk, **WHY
            )
        assert office.standing(old.identifier).holds


class TestAMerger:
    def olds(self, office: Office) -> list[Licence]:
        """A shop's three licences, of two types."""
        one = office.issue().licence
        holder = {"operator_name": one.holder_name, "credit_code": one.holder_code}
        same = office.issuer.issue(FOOD, claims(2, **holder), holder=None, actor=office.clerk).licence
        return [one, same]

    def test_the_one_that_goes_on_keeps_its_number(self, office: Office) -> None:
        first, second = self.olds(office)
        names = [first.identifier, second.identifier]
        new = office.issuer.merge(
            names, claims(business_premises="新华路 9 号"), into=names[0], actor=office.clerk, **WHY
        ).licence
        assert (new.number, new.version, new.replaces) == (first.number, 2, first.identifier)
        assert (new.origins, new.kind) == ((second.identifier,), VersionKind.MERGED)
        assert stored(office, second.identifier).successors == (new.identifier,)
        assert office.standing(first.identifier).text.en == (
            "genuine, superseded by version 002 on 2026-11-20"
        )
        said = office.standing(second.identifier)
        assert said.text.en == "genuine, superseded: merged into another licence on 2026-11-20"
        assert said.to_dict()["successors"] == [new.identifier]

    def test_without_one_the_new_licence_has_a_number_of_its_own(self, office: Office) -> None:
        olds = self.olds(office)
        names = [one.identifier for one in olds]
        new = office.issuer.merge(names, claims(), actor=office.clerk, **WHY).licence
        assert new.number not in {one.number for one in olds}
        assert (new.version, new.replaces, new.origins) == (1, None, tuple(names))
        assert [office.standing(name).state for name in names] == [State.SUPERSEDED] * 2
        with office.database.reading() as session:  # who asks for an old number hears what became of it
            found = LicenceRepository(session).by_number(olds[1].number)
        assert found
        assert found.successors == (new.identifier,)

    def test_several_types_become_one(self, office: Office) -> None:
        business = office.issue(BUSINESS).licence
        food = office.issuer.issue(
            FOOD, claims(1, credit_code=business.holder_code), holder=None, actor=office.clerk
        ).licence
        names = [business.identifier, food.identifier]
        said = {**business.claims, "business_scope": "食品销售；餐饮服务"}
        new = office.issuer.merge(names, said, into=names[0], actor=office.clerk, **WHY).licence
        assert (new.type_code, new.number) == (BUSINESS, business.number)
        assert new.origins == (food.identifier,)

    def test_what_cannot_be_merged(self, office: Office) -> None:
        one, other = office.issue().licence, office.issue(index=2).licence
        both = [one.identifier, other.identifier]
        with pytest.raises(Conflict, match="one holder"):
            office.issuer.merge(both, claims(), actor=office.clerk, **WHY)
        for names in ([one.identifier], [one.identifier] * 2, []):
            with pytest.raises(UsageError):
                office.issuer.merge(names, claims(), actor=office.clerk, **WHY)
        with pytest.raises(UsageError, match="one of them"):
            office.issuer.merge(both, claims(), into="1.2.3", actor=office.clerk, **WHY)
        with pytest.raises(NotFound):
            office.issuer.merge([one.identifier, "1.2.3"], claims(), actor=office.clerk, **WHY)
        assert office.standing(one.identifier).holds


class TestASplit:
    def test_the_part_that_goes_on_keeps_the_number(self, office: Office) -> None:
        old = office.issue().licence
        parts = [claims(1, business_premises="新华路 9 号"), claims(1, business_premises="新华路 11 号")]
        first, second = office.issuer.split(old.identifier, parts, goes_on=True, actor=office.clerk, **WHY)
        assert (first.licence.number, first.licence.version) == (old.number, 2)
        assert (second.licence.version, second.licence.origins) == (1, (old.identifier,))
        assert second.licence.number != old.number
        found = stored(office, old.identifier)
        assert (found.replaced_by, found.successors) == (
            first.licence.identifier,
            (second.licence.identifier,),
        )
        assert office.standing(old.identifier).text.en == (
            "genuine, superseded by version 002 on 2026-11-20 and split into 1 other licences on 2026-11-20"
        )

    def test_without_one_all_parts_are_new(self, office: Office) -> None:
        old = office.issue().licence
        parts = [claims(1, business_premises=f"新华路 {n} 号") for n in (9, 11, 13)]
        made = office.issuer.split(old.identifier, parts, actor=office.clerk, **WHY)
        numbers = {one.licence.number for one in made}
        assert len(numbers) == 3
        assert old.number not in numbers
        assert stored(office, old.identifier).successors == tuple(one.licence.identifier for one in made)
        assert all(office.standing(one.licence.identifier).holds for one in made)

    def test_all_parts_or_none(self, office: Office) -> None:
        old = office.issue().licence
        with pytest.raises(InvalidClaims):
            office.issuer.split(old.identifier, [claims(), {"nothing": 1}], actor=office.clerk, **WHY)
        with pytest.raises(UsageError):
            office.issuer.split(old.identifier, [claims()], actor=office.clerk, **WHY)
        assert office.standing(old.identifier).holds


class TestUndoing:
    def ended(self, office: Office, kind: EndingKind = EndingKind.REVOKED) -> tuple[Licence, Event]:
        licence = office.issue().licence
        office.clock.advance(DAY)
        return licence, office.issuer.end(licence.identifier, kind, actor=office.clerk, **WHY)

    def test_a_mistaken_ending_is_taken_back_with_a_trace(self, office: Office) -> None:
        licence, ending = self.ended(office)
        between = office.now
        office.clock.advance(DAY)
        undone = office.issuer.undo(licence.identifier, 1, actor=office.clerk, **WHY)
        assert (undone.kind, undone.undoes, undone.sequence) == (EventKind.UNDONE, 1, 2)
        assert office.standing(licence.identifier).holds
        assert office.standing(licence.identifier, as_of=between).holds, "as is known now, it never ended"
        known_then = office.standing(licence.identifier, as_of=between, known_at=between)
        assert known_then.state is State.REVOKED, "what was known before does not change"
        assert [one.kind for one in office.issuer.events_of(licence.identifier)] == [
            ending.kind,
            EventKind.UNDONE,
        ]

    def test_copies_that_it_took_stay_invalid(self, office: Office) -> None:
        licence, _ = self.ended(office)
        office.issuer.undo(licence.identifier, 1, actor=office.clerk, **WHY)
        assert copies(office, licence.identifier) == ["revoked"]
        office.issuer.end(licence.identifier, EndingKind.DEREGISTERED, actor=office.clerk, **WHY)
        assert copies(office, licence.identifier) == ["revoked"], "ended once, and for good"
        assert office.standing(licence.identifier).state is State.DEREGISTERED

    def test_once_and_only_what_can_be_undone(self, office: Office) -> None:
        licence, _ = self.ended(office)
        undo = office.issuer.undo
        with pytest.raises(NotFound):
            undo(licence.identifier, 7, actor=office.clerk, **WHY)
        undo(licence.identifier, 1, actor=office.clerk, **WHY)
        for sequence, error in ((1, Conflict), (2, Conflict)):
            with pytest.raises(error):
                undo(licence.identifier, sequence, actor=office.clerk, **WHY)
        office.issuer.suspend(licence.identifier, actor=office.clerk, **WHY)
        office.issuer.resume(licence.identifier, actor=office.clerk, **WHY)
        with pytest.raises(Conflict, match="over"):
            undo(licence.identifier, 3, actor=office.clerk, **WHY)
        with pytest.raises(UsageError, match="endings and suspensions"):
            undo(licence.identifier, 4, actor=office.clerk, **WHY)

    def test_what_was_superseded_is_corrected_and_not_brought_back(self, office: Office) -> None:
        old, _ = moved(office)
        with pytest.raises(Conflict, match="correct that one"):
            office.issuer.undo(old.identifier, 1, actor=office.clerk, **WHY)

    def test_a_mistaken_suspension_never_was(self, office: Office) -> None:
        licence = office.issue().licence
        office.issuer.suspend(licence.identifier, actor=office.clerk, **WHY)
        paused = office.now
        office.clock.advance(DAY)
        office.issuer.undo(licence.identifier, 1, actor=office.clerk, **WHY)
        assert office.standing(licence.identifier, as_of=paused).holds
        assert copies(office, licence.identifier) == [None], "a pause takes no copy away"

    def test_what_was_suspended_before_is_suspended_again(self, office: Office) -> None:
        licence = office.issue().licence
        office.issuer.suspend(licence.identifier, actor=office.clerk, **WHY)
        office.issuer.end(licence.identifier, EndingKind.REVOKED, actor=office.clerk, **WHY)
        office.issuer.undo(licence.identifier, 2, actor=office.clerk, **WHY)
        assert office.standing(licence.identifier).state is State.SUSPENDED


class TestADeath:
    def reported(self, office: Office) -> str:
        licence = office.issue("physician-certificate").licence
        office.issuer.suspend(licence.identifier, cause=Cause.DEATH_REPORTED, actor=office.clerk, **WHY)
        return licence.identifier

    def test_an_unconfirmed_one_only_suspends(self, office: Office) -> None:
        assert office.standing(self.reported(office)).state is State.SUSPENDED
        licence = office.issue("physician-certificate", 2).licence
        with pytest.raises(UsageError):
            office.issuer.end(
                licence.identifier,
                EndingKind.DEREGISTERED,
                cause=Cause.DEATH_REPORTED,
                actor=office.clerk,
                **WHY,
            )

    def test_its_confirmation_ends_it(self, office: Office) -> None:
        name, kind = self.reported(office), EndingKind.DEREGISTERED
        office.issuer.end(name, kind, cause=Cause.DEATH_CONFIRMED, actor=office.clerk, **WHY)
        assert office.standing(name).state is State.DEREGISTERED

    def test_a_contest_resumes_it_and_nothing_else_does(self, office: Office) -> None:
        name = self.reported(office)
        with pytest.raises(Conflict, match="contested"):
            office.issuer.resume(name, actor=office.clerk, **WHY)
        office.issuer.resume(name, cause=Cause.DEATH_CONTESTED, actor=office.clerk, **WHY)
        assert office.standing(name).holds
        office.issuer.suspend(name, actor=office.clerk, **WHY)
        with pytest.raises(Conflict, match="not suspended for a reported death"):
            office.issuer.resume(name, cause=Cause.DEATH_CONTESTED, actor=office.clerk, **WHY)


def test_another_agencys_licences_are_not_there(office: Office, pki: Pki) -> None:
    one = office.issue().licence
    stranger = replace(office.clerk, agency="11120100900099999X")
    for act in (
        lambda: office.issuer.correct(one.identifier, claims(2), actor=stranger, **WHY),
        lambda: office.issuer.undo(one.identifier, 1, actor=stranger, **WHY),
        lambda: office.issuer.split(one.identifier, [claims(), claims(2)], actor=stranger, **WHY),
    ):
        with pytest.raises(NotPermitted):
            act()
