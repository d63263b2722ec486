"""Nothing new is made for a holder whose death, dissolution or merger is recorded, until that is undone."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world.office import URL
from world.rows import csv_of
from world.subjects import BUSINESS, FOOD, LAW, PHYSICIAN, SubjectWorld

from credentials import samples
from credentials.copies import CopyMaker
from credentials.holders import HolderNotActive
from credentials.office import Desk, KeyProofs, Work, WorkKind
from credentials.office.bundles import Bundles
from credentials.oid4vci.forms import CopyForms
from credentials.oid4vci.offering import OfferDesk
from credentials.oid4vci.offers import AuthenticationMethod, Holder, Offer
from yinxin.app.subjects.comparing import PlanOutdated
from yinxin.app.subjects.history import SubjectState, state_on_record
from yinxin.app.subjects.values import EventKind, EventState
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from credentials.production import IssuedLicence

ENDING = (EventKind.DISSOLVED, EventKind.MERGED)
FINED = "administrative-decision"  # it states what was decided, and stays when its holder is gone


def copy_maker(city: SubjectWorld) -> CopyMaker:
    return CopyMaker(
        url=URL,
        catalogue=city.catalogue,
        database=city.database,
        credential_signer=city.pki.signer("credential"),
        status=city.status,
        clock=city.clock,
        randomness=SystemRandomness(),
        agency=city.agency.credit_code,
        index=city.index,
        holders=city.records,
    )


def dissolved(city: SubjectWorld) -> IssuedLicence:
    """A company that is dissolved; a decision on it still stands."""
    kept = city.give(FINED, 3)
    city.happen(EventKind.DISSOLVED)
    assert city.now_standing(kept) == "in_force"
    return kept


@pytest.mark.parametrize("kind", ENDING)
def test_no_licence_for_who_has_ended(city: SubjectWorld, kind: EventKind) -> None:
    into = {"into": city.successor, "name": samples.company(9)["name"]} if kind is EventKind.MERGED else {}
    event = city.happen(kind, **into).event
    with pytest.raises(HolderNotActive, match="is recorded as"):
        city.give(FOOD, 3)
    city.give(FOOD, 4)
    city.happen(EventKind.RESTORED, undoes=event.id)
    city.give(FOOD, 3)


def test_no_licence_for_the_dead_nor_for_who_may_be(city: SubjectWorld) -> None:
    report = city.happen(EventKind.DEATH_REPORTED).event
    with pytest.raises(HolderNotActive, match="reported dead"):
        city.give(PHYSICIAN, 2)
    city.happen(EventKind.DEATH_CONTESTED, undoes=report.id)
    city.give(PHYSICIAN, 2)
    city.happen(EventKind.DEATH_CONFIRMED)
    with pytest.raises(HolderNotActive, match="recorded as dead") as refused:
        city.give(PHYSICIAN, 2)
    assert city.person["citizen_number"] not in str(refused.value)


def test_no_version_of_what_still_stands(city: SubjectWorld) -> None:
    kept = dissolved(city)
    claims = dict(kept.licence.claims)
    for verb in (city.issuer.renew, city.issuer.replace):
        with pytest.raises(HolderNotActive):
            verb(kept.licence.identifier, claims, actor=city.clerk, **LAW)
    assert len(city.versions(kept)) == 1


def test_no_copy_and_no_offer_of_what_still_stands(city: SubjectWorld) -> None:
    kept, copies = dissolved(city), copy_maker(city)
    with pytest.raises(HolderNotActive):
        copies.make(kept.licence.identifier, [city.holder.public_key], actor=city.clerk)
    desk = OfferDesk(
        URL,
        forms=CopyForms(city.catalogue, with_mdoc=False),
        database=city.database,
        secret=b"s" * 32,
        agency=city.agency.credit_code,
        clock=city.clock,
        randomness=SystemRandomness(),
        holders=city.records,
    )
    holder = Holder(city.company["credit_code"], AuthenticationMethod.COUNTER, "营业执照原件")
    offer = Offer((kept.licence.identifier,), holder)
    with pytest.raises(HolderNotActive):
        desk.make(offer, actor=city.clerk)


def test_rows_of_a_file_are_told_one_by_one(city: SubjectWorld) -> None:
    city.happen(EventKind.DISSOLVED)
    result = city.issuer.issue_rows(csv_of(FOOD, [2, 3, 4]), type_code=FOOD, actor=city.clerk)
    assert (len(result.issued), [fault.row for fault in result.faults]) == (2, [3])
    assert result.faults[0].reason.en == "the holder is recorded as dissolved"


def test_a_holder_who_ends_while_rows_are_sealed_does_not_stop_the_others(city: SubjectWorld) -> None:
    production = city.issuer._production
    states, asked = production.holders, iter([{}, {}])

    class Later:
        def refusals(self, session: object, codes: object) -> object:
            found = next(asked, None)
            return found if found is not None else states.refusals(session, codes)  # type: ignore[union-attr, arg-type]

    city.happen(EventKind.DISSOLVED)
    city.issuer._production = replace(production, holders=Later())  # type: ignore[arg-type]
    object.__setattr__(city.issuer._production, "make", production.make)
    result = city.issuer.issue_rows(csv_of(FOOD, [2, 3, 4]), type_code=FOOD, actor=city.clerk)
    assert (len(result.issued), [fault.row for fault in result.faults]) == (2, [3])


def test_nothing_new_while_the_event_is_being_done(city: SubjectWorld) -> None:
    city.give(FOOD, 3)
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    city.give(FINED, 3)  # agreed to, and not begun
    again = city.cascade.plan_again(planned.event.id, actor=city.chen)
    city.approve(again)
    city.cascade.begin(planned.event.id, actor=city.li)
    with pytest.raises(HolderNotActive):
        city.give(BUSINESS, 3)


def test_what_comes_after_the_last_look_puts_the_event_off(city_on_both: SubjectWorld) -> None:
    """A licence is being recorded while the event begins: it is found, and nothing has been done yet."""
    city = city_on_both
    planned = city.plan(EventKind.DISSOLVED)
    city.approve(planned)
    asked, go_on = threading.Event(), threading.Event()

    def wait(_session: object, _licence: object) -> None:
        asked.set()
        go_on.wait(20)

    claims = samples.application(FOOD, 3)
    issuing = threading.Thread(
        target=lambda: city.issuer.issue(FOOD, claims, holder=None, actor=city.clerk, beside=wait)
    )
    outcome: list[Exception] = []

    def begin() -> None:
        try:
            city.cascade.begin(planned.event.id, actor=city.li)
        except PlanOutdated as exc:
            outcome.append(exc)

    issuing.start()
    assert asked.wait(20)
    beginning = threading.Thread(target=begin)
    beginning.start()
    beginning.join(0.3)  # it has looked, and waits for the licence that is being recorded
    go_on.set()
    issuing.join(20)
    beginning.join(20)
    assert [type(one) for one in outcome] == [PlanOutdated]
    assert city.cascade.show(planned.event.id, actor=city.li).event.state is EventState.APPROVED
    city.approve(city.cascade.plan_again(planned.event.id, actor=city.li))
    assert city.run(planned).event.state is EventState.DONE


def test_what_counts_as_recorded(city: SubjectWorld) -> None:
    event = city.plan(EventKind.DISSOLVED).event
    for state, undone, expected in (
        (EventState.PLANNED, None, SubjectState.ACTIVE),
        (EventState.APPROVED, None, SubjectState.ACTIVE),
        (EventState.RUNNING, None, SubjectState.DISSOLVED),
        (EventState.DONE, None, SubjectState.DISSOLVED),
        (EventState.DONE, "another", SubjectState.ACTIVE),
        (EventState.WITHDRAWN, None, SubjectState.ACTIVE),
    ):
        assert state_on_record([replace(event, state=state, undone_by=undone)]) is expected
    done = replace(event, state=EventState.DONE)
    facts = replace(event.facts, kind=EventKind.RESTORED, undoes=done.id)
    back = replace(event, id="back", facts=facts, state=EventState.RUNNING)
    assert state_on_record([done, back]) is SubjectState.ACTIVE
    halted = replace(back, state=EventState.DONE)
    assert state_on_record([done, halted]) is SubjectState.DISSOLVED


def test_the_desk_says_so_when_a_case_is_opened(city: SubjectWorld) -> None:
    desk = Desk(
        city.issuer,
        agency=city.agency.credit_code,
        catalogue=city.catalogue,
        database=city.database,
        proofs=KeyProofs(city._keys_of),
        clock=city.clock,
    )
    work = Work(WorkKind.ISSUE, FOOD, samples.application(FOOD, 3))
    before = desk.open("办-1", work, actor=city.li).case
    kept = dissolved(city)
    with pytest.raises(HolderNotActive):
        desk.open("办-2", work, actor=city.li)
    assert desk.open("办-1", work, actor=city.li).case == before
    ending = Work(
        WorkKind.END,
        FINED,
        {},
        None,
        kept.licence.identifier,
        LAW["ground"],
        LAW["document_number"],
        details={"ending": "annulled"},
    )
    assert desk.open("办-3", ending, actor=city.li).is_new  # what there is may still be ended


def test_rows_of_a_bundle_are_told_one_by_one(city: SubjectWorld) -> None:
    city.happen(EventKind.DISSOLVED)
    bundles = Bundles(
        city.issuer,
        agency=city.agency.credit_code,
        catalogue=city.catalogue,
        database=city.database,
        proofs=KeyProofs(city._keys_of),
        clock=city.clock,
    )
    opened = bundles.open("批-1", csv_of(FOOD, [2, 3]), type_code=FOOD, actor=city.li)
    assert [(one.row, one.reason.en) for one in opened.bundle.faults] == [
        (3, "the holder is recorded as dissolved")
    ]
