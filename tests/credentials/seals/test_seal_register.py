"""A seal's life goes step by step, by two people; and what it is used for is written down."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest
from world.audit import sequencer
from world.rows import csv_of
from world.sealing import FACTS, SealOffice

from credentials import samples
from credentials.office.seals import FILE, GrantTerms, RemakeReason, SealState
from yinxin.base.actor import staff, system
from yinxin.base.audit import AuditLog
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from world.pki import Pki

    from yinxin.base.database import Database

FOOD = "food-business-licence"


class TestTheLifeOfASeal:
    def test_from_the_application_into_use(self, office: SealOffice) -> None:
        assert office.state(office.seal) == SealState.IN_USE
        assert office.seal.certificate == office.key.certificate.fingerprint
        sequencer(office.database).run_once()
        verbs = [
            (entry.content() or {})["action"]
            for entry in AuditLog(office.database).entries(subject=office.seal.id)
        ]
        assert verbs == [
            "seal.apply", "seal.approve", "seal.make", "seal.file", "seal.begin", "seal.ask", "seal.grant",
        ]  # fmt: skip

    def test_no_step_is_skipped(self, office: SealOffice) -> None:
        seal, key = office.applied("财务专用章"), office.pki.signer("seal")
        steps: dict[str, Any] = {
            "make": lambda: office.seals.make(seal.id, certificate=key.certificate, actor=office.keeper),
            "file": lambda: office.seals.file(seal.id, number="1", actor=office.keeper),
            "begin": lambda: office.seals.begin(seal.id, actor=office.keeper),
            "stop": lambda: office.seals.stop(seal.id, **FACTS, actor=office.keeper),
            "resume": lambda: office.seals.ask_to_resume(seal.id, **FACTS, actor=office.keeper),
        }
        for step in steps.values():
            with pytest.raises(Conflict, match="applied for"):
                step()
        office.agreed(office.asked(seal))
        for name in ("file", "begin", "stop"):
            with pytest.raises(Conflict, match="approved"):
                steps[name]()
        steps["make"]()
        with pytest.raises(Conflict, match="to be filed"):
            steps["begin"]()

    def test_who_applied_does_not_approve(self, office: SealOffice) -> None:
        both = office.person("keeper-he", "keeper", "approver")
        request = office.asked(office.applied("财务专用章"))
        with pytest.raises(NotPermitted, match="another person"):
            office.seals.agree(request.id, proof=office.proof(request, both), actor=both)
        spelt = staff("KEEPER-he", agency=office.agency.credit_code, roles=("approver",))
        with pytest.raises(NotPermitted, match="another person"):
            office.seals.agree(request.id, proof=office.proof(request, both), actor=spelt)
        with pytest.raises(NotPermitted):  # and a keeper is no approver
            office.seals.agree(request.id, proof=office.proof(request, office.keeper), actor=office.keeper)

    def test_an_agreement_is_about_one_request_only(self, office: SealOffice) -> None:
        first, second = (office.asked(office.applied(name)) for name in ("财务专用章", "合同专用章"))
        with pytest.raises(NotPermitted, match="something else"):
            office.seals.agree(second.id, proof=office.proof(first), actor=office.zhao)
        office.agreed(first)
        with pytest.raises(Conflict, match="decided"):
            office.agreed(first)

    def test_a_refused_application_is_over(self, office: SealOffice) -> None:
        seal = office.applied("财务专用章")
        office.seals.refuse(office.asked(seal).id, actor=office.zhao)
        assert office.state(seal) == SealState.CANCELLED

    def test_a_stop_is_quick_and_the_way_back_takes_two(self, office: SealOffice) -> None:
        office.seals.stop(office.seal.id, **FACTS, actor=office.keeper)
        with pytest.raises(Conflict, match="stopped"):
            office.issue()
        assert [alarm.kind for alarm in office.alarms] == ["not_in_use"]
        request = office.seals.ask_to_resume(office.seal.id, **FACTS, actor=office.keeper)
        assert office.state(office.seal) == SealState.STOPPED
        office.agreed(request)
        office.issue()

    def test_cancelled_is_for_good(self, office: SealOffice) -> None:
        office.agreed(office.seals.ask_to_cancel(office.seal.id, **FACTS, actor=office.keeper))
        for ask in (office.seals.ask_to_resume, office.seals.ask_to_cancel):
            with pytest.raises(Conflict, match="cancelled"):
                ask(office.seal.id, **FACTS, actor=office.keeper)

    def test_an_event_of_a_subject_cancels_with_its_own_approval(self, office: SealOffice) -> None:
        work = system("subject-events")
        with pytest.raises(NotPermitted, match="two people"):
            office.seals.cancel(office.seal.id, **FACTS, actor=office.keeper, approval="event-1")
        with pytest.raises(NotPermitted, match="two people"):
            office.seals.cancel(office.seal.id, **FACTS, actor=work, approval="")
        assert [one.id for one in office.seals.of_subject(office.agency.credit_code, actor=work)] == [
            office.seal.id
        ]
        office.seals.cancel(office.seal.id, **FACTS, actor=work, approval="event-1")
        assert office.seals.of_subject(office.agency.credit_code, actor=work) == []

    def test_a_remade_seal_and_the_old_one_name_each_other(self, office: SealOffice) -> None:
        new, key = office.remade(office.seal, RemakeReason.EXPIRY)
        old = office.seals.seal(office.seal.id, actor=office.keeper)
        assert (new.replaces, new.remade_for, old.replaced_by) == (old.id, "expiry", new.id)
        assert (old.state, new.state) == (SealState.CANCELLED, SealState.IN_USE)
        with pytest.raises(Conflict, match="cancelled"):  # a process that still has the old key
            office.issue()
        claims = samples.application(FOOD, 2)
        with pytest.raises(NotPermitted):  # grants belong to one seal
            office.issuer_with(key).issue(FOOD, claims, holder=None, actor=office.clerk)

    def test_of_two_successors_one_is_on_its_way(self, office: SealOffice) -> None:
        first = office.seals.remake(
            office.seal.id, reason=RemakeReason.DAMAGE, key="seal", actor=office.keeper
        )
        with pytest.raises(Conflict, match="remade already"):
            office.seals.remake(office.seal.id, reason=RemakeReason.LOSS, key="seal", actor=office.keeper)
        office.seals.refuse(office.asked(first).id, actor=office.zhao)
        office.seals.remake(office.seal.id, reason=RemakeReason.LOSS, key="seal", actor=office.keeper)

    def test_a_certificate_is_one_seals(self, office: SealOffice) -> None:
        seal = office.applied("财务专用章")
        office.agreed(office.asked(seal))
        with pytest.raises(Conflict, match="another seal"):
            office.seals.make(seal.id, certificate=office.key.certificate, actor=office.keeper)


class TestStrangers:
    def test_another_agencys_register_is_not_there(self, office: SealOffice) -> None:
        stranger = staff("keeper-he", agency="12120116MB1U92841T", roles=("keeper", "approver"))
        for step in (
            lambda: office.seals.seal(office.seal.id, actor=stranger),
            lambda: office.seals.all(actor=stranger),
            lambda: office.seals.uses(office.seal.id, actor=stranger),
            lambda: office.seals.stop(office.seal.id, **FACTS, actor=stranger),
            lambda: office.seals.ask_to_cancel(office.seal.id, **FACTS, actor=stranger),
        ):
            with pytest.raises(NotPermitted):
                step()

    def test_clerks_keep_no_seals(self, office: SealOffice) -> None:
        for step in (
            lambda: office.seals.all(actor=office.clerk),
            lambda: office.seals.stop(office.seal.id, **FACTS, actor=office.clerk),
            lambda: office.seals.remake(
                office.seal.id, reason=RemakeReason.LOSS, key="x", actor=office.clerk
            ),
        ):
            with pytest.raises(NotPermitted):
                step()
        with pytest.raises(NotFound):
            office.seals.seal("seal-0", actor=office.keeper)


class TestUses:
    def test_every_use_is_written_down_with_what_was_sealed(self, office: SealOffice) -> None:
        issued = office.issue()
        (use,) = office.seals.uses(office.seal.id, actor=office.keeper)
        assert (use.licence, use.actor) == (issued.licence.identifier, "staff:clerk-17")
        assert use.document == hashlib.sha256(issued.pdf).hexdigest()
        sequencer(office.database).run_once()
        entry = AuditLog(office.database).entry(use.entry).content() or {}
        assert entry["details"] == {
            "document": use.document, "licence": use.licence, "grant": use.grant,
        }  # fmt: skip

    def test_a_batch_counts_each_of_its_rows(self, office: SealOffice) -> None:
        office.issuer.issue_rows(csv_of(FOOD, range(1, 4)), actor=office.clerk, type_code=FOOD, workers=1)
        assert len(office.seals.uses(office.seal.id, actor=office.keeper)) == 3

    def test_what_was_not_recorded_is_no_use(self, office: SealOffice) -> None:
        def fails(_session: object, _licence: object) -> None:
            raise Conflict("another was faster")

        with pytest.raises(Conflict):
            office.issuer.issue(
                FOOD, samples.application(FOOD, 1), holder=None, actor=office.clerk, beside=fails
            )
        assert office.seals.uses(office.seal.id, actor=office.keeper) == []


class TestGrants:
    def terms(self, **changes: Any) -> GrantTerms:
        return replace(GrantTerms("staff:clerk-99", (FOOD,)), **changes)

    def try_with(self, office: SealOffice, terms: GrantTerms, wanted: dict[str, int]) -> None:
        who = staff("clerk-99", agency=office.agency.credit_code, roles=("drafter",))
        office.granted(office.seal, terms)
        office.custody(office.key).allow(who, wanted)

    def test_only_what_is_granted(self, office: SealOffice) -> None:
        self.try_with(office, self.terms(), {FOOD: 1})
        with pytest.raises(NotPermitted, match="type"):
            self.try_with(office, self.terms(), {FOOD: 1, FILE: 1})
        assert office.alarms[-1].kind == "unknown_type"

    def test_only_in_its_hours(self, office: SealOffice) -> None:  # it is noon in Beijing
        self.try_with(office, self.terms(opens=time(9), closes=time(12, 1)), {FOOD: 1})
        for grant in office.seals.grants(office.seal.id, actor=office.keeper):
            office.seals.stop_grant(office.seal.id, grant.id, why="换岗", actor=office.keeper)
        with pytest.raises(NotPermitted, match="hours"):
            self.try_with(office, self.terms(opens=time(9), closes=time(12)), {FOOD: 1})

    @pytest.mark.parametrize("days", [{"from_day": date(2026, 11, 21)}, {"until_day": date(2026, 11, 19)}])
    def test_only_on_its_days(self, office: SealOffice, days: dict[str, date]) -> None:
        with pytest.raises(NotPermitted, match="day"):
            self.try_with(office, self.terms(**days), {FOOD: 1})

    def test_only_so_often_a_day_and_then_it_ends_by_itself(self, office: SealOffice) -> None:
        self.try_with(office, self.terms(daily_limit=3), {FOOD: 2})
        who = staff("clerk-99", agency=office.agency.credit_code, roles=("drafter",))
        custody = office.custody(office.key)
        for _ in range(3):
            with pytest.raises(NotPermitted, match="daily limit"):
                custody.allow(who, {FOOD: 2})
        assert [alarm.stopped for alarm in office.alarms] == ["nothing", "nothing", "grant"]
        with pytest.raises(NotPermitted, match="no grant"):
            custody.allow(who, {FOOD: 1})

    def test_a_roles_grant_does_not_end_by_one_persons_mistakes(self, office: SealOffice) -> None:
        office.granted(office.seal, GrantTerms("role:drafter", (FOOD,)))
        who = staff("clerk-99", agency=office.agency.credit_code, roles=("drafter",))
        for _ in range(5):
            with pytest.raises(NotPermitted):
                office.custody(office.key).allow(who, {FILE: 1})
        office.custody(office.key).allow(who, {FOOD: 1})

    def test_terms_are_read_strictly(self) -> None:
        terms = self.terms(opens=time(8, 30), closes=time(17), daily_limit=50, from_day=date(2026, 1, 1))
        assert GrantTerms.from_dict(terms.to_dict()) == terms
        for wrong in (
            {}, {"grantee": "*", "types": "all"}, {"grantee": "*", "types": ["a"], "colour": 1},
            {"grantee": "*", "types": ["a"], "hours": ["9"]}, {"grantee": 1, "types": ["a"]},
            {"grantee": "*", "types": [1]}, {"grantee": "*", "types": ["a"], "daily_limit": "3"},
        ):  # fmt: skip
            with pytest.raises((MalformedInput, UsageError)):
                GrantTerms.from_dict(wrong)
        for changes in ({"daily_limit": 0}, {"types": ()}, {"opens": time(9)}, {"grantee": ""}):
            with pytest.raises(UsageError):
                self.terms(**changes)


class TestFromBefore:
    """An installation that had a seal before it had a register."""

    def test_its_seal_is_in_use_for_all_who_could_issue(self, pki: Pki, database: Database) -> None:
        office = SealOffice(pki, database, managed=False)
        with pytest.raises(Conflict, match="register"):
            office.issue()
        adopted = adopt(office)
        assert adopted
        assert adopt(office) == adopted
        office.issue()
        (use,) = office.seals.uses(adopted.id, actor=office.keeper)
        assert (adopted.state, adopted.from_before, use.actor) == (SealState.IN_USE, True, "staff:clerk-17")

    def test_a_renewed_key_takes_its_place(self, pki: Pki, database: Database) -> None:
        office = SealOffice(pki, database, managed=False)
        old, key = adopt(office), pki.signer("seal")
        new = adopt(office, key)
        assert old
        assert new
        assert (new.replaces, office.state(old)) == (old.id, SealState.CANCELLED)
        office.issuer = office.issuer_with(key)
        office.issue()

    def test_a_stopped_seal_is_not_helped_by_another_key(self, pki: Pki, database: Database) -> None:
        office = SealOffice(pki, database, managed=False)
        old, key = adopt(office), pki.signer("seal")
        assert old
        office.seals.stop(old.id, **FACTS, actor=office.keeper)
        assert adopt(office, key) is None
        office.issuer = office.issuer_with(key)
        with pytest.raises(Conflict, match="does not know"):
            office.issue()

    def test_where_people_keep_the_register_nothing_enters_by_itself(self, office: SealOffice) -> None:
        assert adopt(office, office.pki.signer("seal")) is None


def adopt(office: SealOffice, key: Any = None) -> Any:
    return office.adoption.adopt(
        (key or office.key).certificate, name="电子印章", owner_name=office.agency.name.zh, key="seal"
    )
