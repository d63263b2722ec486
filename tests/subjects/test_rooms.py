"""What events do in each room: licences and their copies, certificates, seals, delegations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from world.delegating import DelegatingOffice
from world.subjects import BUSINESS, FOOD, SubjectWorld

from credentials import samples
from credentials.delegations.delegation import State
from credentials.office.seals import SealKind
from credentials.repository import LicenceRepository
from yinxin.app.subjects.delegations import DelegationEffects
from yinxin.app.subjects.rules import Rules
from yinxin.app.subjects.values import Action, EffectKind, EventKind, OutcomeKind, Subject
from yinxin.base.actor import staff
from yinxin.base.errors import Conflict, MalformedInput, NotPermitted, UsageError

if TYPE_CHECKING:
    from world.pki import Pki

    from yinxin.app.subjects.cascade import Planned

NEW = "津城新海河糕点有限公司"


def does(planned: Planned) -> dict[str, Action]:
    return {one.effect.thing: one.effect.action for one in planned.effects}


class TestSeals:
    def test_of_a_renamed_company_they_are_stopped(self, city: SubjectWorld) -> None:
        seals = [city.company_seal(kind) for kind in (SealKind.NAME, SealKind.PURPOSE, SealKind.PERSON)]
        report = city.happen(EventKind.RENAMED, name=NEW)
        assert [does(report)[one] for one in seals] == [Action.STOP] * 3
        states = {
            str(one.state) for one in city.seals.of_subject(city.company["credit_code"], actor=city.keeper)
        }
        assert states == {"stopped"}
        back = city.happen(EventKind.RESTORED, undoes=report.event.id)
        assert [does(back)[one] for one in seals] == [Action.BY_HAND] * 3  # two people at the register

    def test_of_a_former_representative_only_their_own(self, city: SubjectWorld) -> None:
        name, person = city.company_seal(), city.company_seal(SealKind.PERSON)
        report = city.happen(EventKind.REPRESENTATIVE_CHANGED, representative="王晓梅")
        assert (does(report)[name], does(report)[person]) == (Action.LEFT, Action.STOP)

    def test_what_was_done_and_not_settled_is_found(self, city: SubjectWorld) -> None:
        seal = city.company_seal()
        planned = city.plan(EventKind.DISSOLVED)
        city.approve(planned)
        event = city.cascade.begin(planned.event.id, actor=city.li)
        task = city.work._task(
            event, next(one for one in planned.effects if one.effect.thing == seal), city.li
        )
        city.rooms[EffectKind.SEAL].apply(task)  # and the process is killed here
        with city.database.reading() as session:
            assert (
                session.execute(text("SELECT count(*) FROM subject_effect WHERE outcome = 'done'")).scalar()
                == 0
            )
        city.work.go_on(event, actor=city.li)
        report = city.cascade.show(event.id, actor=city.li)
        assert report.counts[OutcomeKind.FAILED] == 0
        assert str(city.seals.seal(seal, actor=city.keeper).state) == "cancelled"


class TestDelegations:
    @pytest.fixture
    def office(self, pki: Pki, city: SubjectWorld) -> tuple[DelegatingOffice, SubjectWorld]:
        """The company of the delegations, and a cascade that reaches them."""
        office = DelegatingOffice(pki, city.database, clock=city.clock)
        room = DelegationEffects(office.delegations, Rules.load())
        city.rooms[EffectKind.DELEGATION] = room
        city.company_subject = Subject.parse(office.claims["credit_code"])
        return office, city

    def test_of_a_dissolved_company_end_with_all_under_them(
        self, office: tuple[DelegatingOffice, SubjectWorld]
    ) -> None:
        world, city = office
        given = world.appoint(world.agent)
        report = city.happen(EventKind.DISSOLVED)
        assert does(report)[given.id] is Action.RECALL
        assert world.delegations.chain(given.id)[-1].state is State.RECALLED
        assert report.counts[OutcomeKind.FAILED] == 0

    def test_a_former_representatives_are_recalled_and_a_renamed_companys_stay(
        self, office: tuple[DelegatingOffice, SubjectWorld]
    ) -> None:
        world, city = office
        given = world.appoint(world.agent)
        assert does(city.happen(EventKind.RENAMED, name=NEW))[given.id] is Action.LEFT
        assert world.delegations.chain(given.id)[-1].state is State.ACCEPTED
        city.happen(EventKind.REPRESENTATIVE_CHANGED, representative="孙立新")
        assert world.delegations.chain(given.id)[-1].state is State.RECALLED

    def test_one_that_its_agent_gave_up_meanwhile_is_told(
        self, office: tuple[DelegatingOffice, SubjectWorld]
    ) -> None:
        world, city = office
        given = world.appoint(world.agent)
        planned = city.plan(EventKind.DISSOLVED)
        city.approve(planned)
        event = city.cascade.begin(planned.event.id, actor=city.li)
        statement = world.statement("recall", {"delegation": given.id})
        world.delegations.recall(statement, world.signed(statement, world.agent))
        city.work.go_on(event, actor=city.li)
        report = city.cascade.show(event.id, actor=city.li)
        outcome = next(one.outcome for one in report.effects if one.effect.thing == given.id)
        assert (outcome.kind, outcome.code) == (OutcomeKind.FAILED, "changed")


def test_a_merged_company_hands_on_what_the_law_lets_it(city: SubjectWorld) -> None:
    food, permit = city.give(FOOD, 3), city.give("construction-permit", 3)
    successor = samples.company(9)
    report = city.happen(
        EventKind.MERGED, name=successor["name"], into=Subject.parse(successor["credit_code"])
    )
    assert report.counts[OutcomeKind.FAILED] == 0
    assert city.now_standing(food) == "deregistered"
    handed = city.versions(permit)[-1]
    assert (handed.holder_code, handed.version) == (successor["credit_code"], 2)
    with city.database.reading() as session:
        found = LicenceRepository(session, index=city.index).of_holder(successor["credit_code"])
    assert [one.identifier for one in found] == [handed.identifier]


def test_a_new_representative_stands_on_what_names_one(city: SubjectWorld) -> None:
    business, food, permit = (city.give(code, 3) for code in (BUSINESS, FOOD, "construction-permit"))
    city.happen(EventKind.REPRESENTATIVE_CHANGED, representative="王晓梅")
    assert city.versions(business)[-1].claims["legal_representative"] == "王晓梅"
    assert city.versions(food)[-1].claims["responsible_person"] == "王晓梅"
    assert len(city.versions(permit)) == 1
    again = city.plan(EventKind.REPRESENTATIVE_CHANGED, representative="王晓梅")
    assert set(does(again).values()) == {Action.LEFT}  # it says so already


class TestWhatAPersonDecides:
    def test_a_suspended_licence_is_not_issued_anew(self, city: SubjectWorld) -> None:
        food = city.give(FOOD, 3)
        why = {"ground": "食品安全法", "document_number": "7号"}
        city.issuer.suspend(food.licence.identifier, actor=city.clerk, **why)
        planned = city.plan(EventKind.RENAMED, name=NEW)
        assert does(planned)[food.licence.identifier] is Action.BY_HAND

    def test_a_name_that_does_not_fit_the_type(self, city: SubjectWorld) -> None:
        food = city.give(FOOD, 3)
        planned = city.plan(EventKind.RENAMED, name="甲" * 110)
        assert does(planned)[food.licence.identifier] is Action.BY_HAND

    def test_what_happened_since_is_not_taken_back(self, city: SubjectWorld) -> None:
        food, serial = city.give(FOOD, 3), city.company_certificate()
        renamed = city.happen(EventKind.RENAMED, name=NEW)
        new = city.versions(food)[-1]
        claims = {**new.claims, "complaint_line": "12345"}
        why = {"ground": "食品安全法", "document_number": "8号"}
        city.issuer.change(new.identifier, claims, actor=city.clerk, **why)
        planned = city.plan(EventKind.RESTORED, undoes=renamed.event.id)
        assert set(does(planned).values()) == {Action.BY_HAND}
        assert does(planned)[f"enterprise/{serial:x}"] is Action.BY_HAND


def test_copies_in_wallets_follow_their_licence(city: SubjectWorld) -> None:
    food = city.give(FOOD, 3)
    with city.database.reading() as session:
        (copy,) = LicenceRepository(session).copies(food.licence.identifier)
    thing = f"{copy.status_uri}#{copy.status_index}"
    report = city.happen(EventKind.DISSOLVED)
    assert does(report)[thing] is Action.FOLLOW
    outcome = next(one.outcome for one in report.effects if one.effect.thing == thing)
    assert outcome.kind is OutcomeKind.DONE


def test_another_agencys_licences_are_its_own_business(city: SubjectWorld) -> None:
    food = city.give(FOOD, 3)
    with city.database.transaction() as session:
        other = text("UPDATE licence SET agency_code = '12120116MB1U92841T'")
        session.execute(other)
    assert food.licence.identifier not in does(city.plan(EventKind.DISSOLVED))


def test_certificates_that_ran_out_are_not_touched(city: SubjectWorld) -> None:
    serial = city.company_certificate("department-client")
    city.clock.advance(timedelta(days=800))
    assert f"enterprise/{serial:x}" not in does(city.plan(EventKind.DISSOLVED))


class TestRefusals:
    def test_the_agency_is_no_subject_of_its_own(self, city: SubjectWorld) -> None:
        with pytest.raises(UsageError, match="no subject of its own"):
            city.plan(EventKind.DISSOLVED, subject=Subject.parse(city.agency.credit_code))

    @pytest.mark.parametrize(
        "code", ["", "123", "91120199900003012A", "11010519491231002Y", "1" * 18, "甲" * 18]
    )
    def test_a_code_that_is_none_is_not_repeated(self, code: str) -> None:
        with pytest.raises(MalformedInput) as refused:
            Subject.parse(code)
        assert not code or code not in str(refused.value)

    def test_a_certificate_is_linked_by_a_registrar_and_once(self, city: SubjectWorld) -> None:
        serial = city.person_certificate()
        link: dict[str, Any] = {"authority": city.authority.name, "serial": serial}
        with pytest.raises(Conflict):
            city.cascade.link_certificate(city.person_subject, actor=city.ren, **link)
        with pytest.raises(NotPermitted):
            city.cascade.link_certificate(city.person_subject, actor=city.li, **link)

    def test_strangers_see_and_do_nothing(self, city: SubjectWorld) -> None:
        planned = city.plan(EventKind.DISSOLVED)
        stranger = staff("zhao", agency="12120116MB1U92841T", roles=("clerk", "approver"))
        for step in (
            lambda: city.cascade.show(planned.event.id, actor=stranger),
            lambda: city.cascade.recent(actor=stranger),
            lambda: city.cascade.withdraw(planned.event.id, actor=stranger),
            lambda: city.cascade.approve(planned.event.id, proof={}, actor=stranger),
            lambda: city.work.run(planned.event.id, actor=stranger),
        ):
            with pytest.raises(NotPermitted):
                step()

    def test_a_withdrawn_plan_is_neither_approved_nor_run(self, city: SubjectWorld) -> None:
        planned = city.plan(EventKind.DISSOLVED)
        city.cascade.withdraw(planned.event.id, actor=city.chen)
        with pytest.raises(Conflict, match="withdrawn"):
            city.approve(planned)
