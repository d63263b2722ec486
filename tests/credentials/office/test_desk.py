"""A case goes from a draft to a sealed licence, by three people; and every way around them is closed."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.audit import sequencer

from credentials import samples
from credentials.licence import EndingKind
from credentials.office import Case, CaseState, KeyProofs, WorkKind
from credentials.office.records import CaseRecord
from credentials.repository import LicenceRepository
from signing.signers.file import FileSigner
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog
from yinxin.base.errors import (
    Conflict,
    InvalidClaims,
    IssuanceRefused,
    NotFound,
    NotPermitted,
    UsageError,
    YinxinError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desks import DeskWorld


def test_three_people_make_a_licence(desk: DeskWorld) -> None:
    case = desk.approved()
    assert (case.state, [one.by for one in case.consents]) == (
        CaseState.APPROVED,
        ["reviewer-wang", "approver-zhao"],
    )
    issued = desk.desk.seal(case.id, actor=desk.li)
    found = desk.desk.case(case.id, actor=desk.wang)
    assert (found.state, found.sealed_as) == (CaseState.SEALED, issued.licence.identifier)
    assert desk.standing(issued.licence.identifier).state == "in_force"
    assert desk.desk.waiting(actor=desk.li) == []


def test_what_happened_stands_in_the_log_with_the_digest_that_was_agreed_to(desk: DeskWorld) -> None:
    case = desk.approved()
    desk.desk.seal(case.id, actor=desk.li)
    sequencer(desk.database).run_once()
    found = [one.content() or {} for one in AuditLog(desk.database).entries()]
    entries = [one for one in found if one["action"].startswith("case.")]
    assert [one["action"] for one in entries] == [
        "case.draft", "case.submit", "case.review", "case.approve", "case.seal",
    ]  # fmt: skip
    assert {one["details"]["digest"] for one in entries[:4]} == {case.digest.hex()}


class TestNobodyAgreesToTheirOwn:
    def test_the_clerk_is_neither_reviewer_nor_approver(self, desk: DeskWorld) -> None:
        both = desk.person("clerk-li", "clerk", "reviewer", "approver")
        case = desk.drafted()
        desk.desk.submit(case.id, actor=desk.li)
        with pytest.raises(NotPermitted, match="what they wrote"):
            desk.desk.review(case.id, proof=desk.proof(case, both), actor=both)
        spelt = staff("Clerk-LI ", agency=desk.agency.credit_code, roles=("reviewer",))
        with pytest.raises(NotPermitted, match="what they wrote"):
            desk.desk.review(case.id, proof={}, actor=spelt)

    def test_who_edited_a_word_is_an_author_too(self, desk: DeskWorld) -> None:
        chen = desk.person("clerk-chen", "clerk", "approver")
        case = desk.drafted()
        case = desk.desk.edit(case.id, desk.work(2), actor=chen)
        desk.desk.submit(case.id, actor=desk.li)
        case = desk.desk.review(case.id, proof=desk.proof(case, desk.wang), actor=desk.wang)
        with pytest.raises(NotPermitted, match="what they wrote"):
            desk.desk.approve(case.id, proof=desk.proof(case, chen), actor=chen)

    def test_the_reviewer_does_not_approve(self, desk: DeskWorld) -> None:
        wang = desk.person("reviewer-wang", "reviewer", "approver")
        case = desk.drafted()
        desk.desk.submit(case.id, actor=desk.li)
        case = desk.desk.review(case.id, proof=desk.proof(case, wang), actor=wang)
        with pytest.raises(NotPermitted, match="what they reviewed"):
            desk.desk.approve(case.id, proof=desk.proof(case, wang), actor=wang)

    def test_roles_are_asked_for(self, desk: DeskWorld) -> None:
        case = desk.drafted()
        desk.desk.submit(case.id, actor=desk.li)
        for actor in (desk.chen, desk.zhao):
            with pytest.raises(NotPermitted):
                desk.desk.review(case.id, proof=desk.proof(case, actor), actor=actor)
        with pytest.raises(NotPermitted):
            desk.desk.draft("办-2", desk.work(2), actor=desk.wang)


class TestProofs:
    def test_an_edit_voids_what_was_agreed(self, desk: DeskWorld) -> None:
        case = desk.approved()
        edited = desk.desk.edit(case.id, desk.work(2), actor=desk.li)
        assert (edited.state, edited.revision, edited.consents) == (CaseState.DRAFT, 2, ())
        desk.desk.submit(case.id, actor=desk.li)
        old = desk.proof(case, desk.wang)
        with pytest.raises(NotPermitted, match="something else"):
            desk.desk.review(case.id, proof=old, actor=desk.wang)

    @pytest.mark.parametrize(
        "what", ["of another case", "by another person", "with a strange key", "nothing"]
    )
    def test_a_proof_of_something_else_is_none(self, desk: DeskWorld, what: str) -> None:
        case, other = desk.drafted(), desk.desk.draft("办-2", desk.work(2), actor=desk.li)
        desk.desk.submit(case.id, actor=desk.li)
        proofs: dict[str, Callable[[], dict[str, Any]]] = {
            "of another case": lambda: desk.proof(other, desk.wang),
            "by another person": lambda: KeyProofs.make(case.digest, desk.wang, desk.keys["clerk-chen"]),
            "with a strange key": lambda: KeyProofs.make(case.digest, desk.wang, FileSigner.generate()),
            "nothing": dict,
        }
        with pytest.raises(NotPermitted):
            desk.desk.review(case.id, proof=proofs[what](), actor=desk.wang)
        assert desk.desk.case(case.id, actor=desk.li).state is CaseState.IN_REVIEW

    def test_all_is_checked_again_before_the_seal(self, desk: DeskWorld) -> None:
        """Somebody with the database in hand changes what was approved."""
        case = desk.approved()
        with desk.database.transaction() as session:
            row = session.get(CaseRecord, case.id)
            assert row
            row.work = {**row.work, "claims": dict(samples.application("food-business-licence", 9))}
            session.add(row)
        with pytest.raises(IssuanceRefused) as refused:
            desk.desk.seal(case.id, actor=desk.li)
        assert refused.value.reasons == (
            "no reviewer has agreed to the case as it is",
            "no approver has agreed to the case as it is",
        )
        assert licences(desk) == 0

    def test_a_key_that_was_taken_away_meanwhile_agrees_to_nothing(self, desk: DeskWorld) -> None:
        case = desk.approved()
        del desk.keys["approver-zhao"]
        with pytest.raises(IssuanceRefused, match="approver"):
            desk.desk.seal(case.id, actor=desk.li)


class TestTheCaseNumber:
    def test_the_same_work_under_the_same_number_is_the_same_case(self, desk: DeskWorld) -> None:
        case = desk.drafted()
        assert desk.drafted().id == case.id
        desk.desk.edit(case.id, desk.work(3), actor=desk.li)
        assert desk.drafted().id == case.id  # a repeated request of the first hour
        with pytest.raises(Conflict, match="something else"):
            desk.desk.draft("办-1", desk.work(2), actor=desk.li)

    def test_faulty_work_is_told_at_once(self, desk: DeskWorld) -> None:
        with pytest.raises(InvalidClaims):
            desk.desk.draft("办-1", desk.work(claims={"operator_name": ""}), actor=desk.li)
        for number in ("", "x" * 65, "a\n"):
            with pytest.raises(UsageError):
                desk.desk.draft(number, desk.work(), actor=desk.li)


class TestReplacements:
    def test_a_correction_goes_the_same_way(self, desk: DeskWorld) -> None:
        old = desk.sealed().licence
        claims = (
            {**old.claims, "legal_representative": "赵换"}
            if "legal_representative" in old.claims
            else old.claims
        )
        change = {
            "kind": WorkKind.REPLACE, "claims": claims, "licence": old.identifier,
            "ground": "《行政许可法》第四十九条", "document_number": "津城更〔2026〕3号",
        }  # fmt: skip
        new = desk.sealed("办-2", **change).licence
        assert (new.number, new.version, new.replaces) == (old.number, 2, old.identifier)
        assert desk.standing(old.identifier).superseded_by == new.identifier

    def test_a_case_does_not_move_to_another_licence(self, desk: DeskWorld) -> None:
        case = desk.drafted()
        moved = replace(
            desk.work(), kind=WorkKind.REPLACE, licence="1.2.156.3005.2.x", ground="x", document_number="y"
        )
        with pytest.raises(UsageError, match="withdraw the case"):
            desk.desk.edit(case.id, moved, actor=desk.li)
        with pytest.raises(UsageError, match="legal ground"):
            desk.work(kind=WorkKind.RENEW, licence="x")

    def test_what_ended_meanwhile_is_not_replaced(self, desk: DeskWorld) -> None:
        old = desk.sealed().licence
        case = desk.approved(
            "办-2", kind=WorkKind.RENEW, licence=old.identifier, ground="x", document_number="y"
        )
        desk.issuer.end(old.identifier, EndingKind.REVOKED, ground="x", document_number="y", actor=desk.clerk)
        with pytest.raises(Conflict):
            desk.desk.seal(case.id, actor=desk.li)
        assert desk.desk.case(case.id, actor=desk.li).state is CaseState.APPROVED


class TestTheWayBack:
    def test_a_reviewer_sends_it_back_with_what_is_to_be_put_right(self, desk: DeskWorld) -> None:
        case = desk.drafted()
        desk.desk.submit(case.id, actor=desk.li)
        back = desk.desk.send_back(case.id, note="经营场所缺少门牌号", actor=desk.wang)
        assert (back.state, back.note) == (CaseState.DRAFT, "经营场所缺少门牌号")
        with pytest.raises(UsageError):
            desk.desk.send_back(case.id, note=" ", actor=desk.wang)

    def test_a_withdrawn_case_stays_so(self, desk: DeskWorld) -> None:
        case = desk.approved()
        desk.desk.withdraw(case.id, note="申请人撤回", actor=desk.li)
        for step in (desk.desk.submit, desk.desk.seal):
            with pytest.raises(Conflict, match="withdrawn"):
                step(case.id, actor=desk.li)


def test_another_agencys_cases_are_not_there(desk: DeskWorld) -> None:
    case = desk.drafted()
    stranger = staff("clerk-li", agency="12120116MB1U92841T", roles=("clerk", "reviewer", "approver"))
    for step in (
        lambda: desk.desk.case(case.id, actor=stranger),
        lambda: desk.desk.waiting(actor=stranger),
        lambda: desk.desk.submit(case.id, actor=stranger),
        lambda: desk.desk.review(case.id, proof={}, actor=stranger),
        lambda: desk.desk.seal(case.id, actor=stranger),
    ):
        with pytest.raises((NotPermitted, NotFound)):
            step()


def test_of_two_who_seal_one_wins(desk: DeskWorld) -> None:
    case = desk.approved()
    outcomes: list[object] = []

    def seal() -> None:
        try:
            outcomes.append(desk.desk.seal(case.id, actor=desk.li).licence.identifier)
        except YinxinError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes))[1:] == ["conflict"] * 3
    assert licences(desk) == 1


def test_an_edit_during_approval_leaves_one_outcome(desk: DeskWorld) -> None:
    case = desk.drafted()
    desk.desk.submit(case.id, actor=desk.li)
    case = desk.desk.review(case.id, proof=desk.proof(case, desk.wang), actor=desk.wang)
    proof, outcomes = desk.proof(case, desk.zhao), []

    def attempt(work: Callable[[], Case]) -> None:
        try:
            outcomes.append(work().state)
        except YinxinError as error:
            outcomes.append(error.code)

    steps = (
        lambda: desk.desk.edit(case.id, desk.work(2), actor=desk.li),
        lambda: desk.desk.approve(case.id, proof=proof, actor=desk.zhao),
    )
    threads = [threading.Thread(target=attempt, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = desk.desk.case(case.id, actor=desk.li)
    if found.state is CaseState.APPROVED:  # the approver was faster, and the edit was told
        assert found.consent("approver")
    else:
        assert (found.state, found.consents) == (CaseState.DRAFT, ())


def licences(desk: DeskWorld) -> int:
    with desk.database.reading() as session:
        return LicenceRepository(session).count()


def test_of_two_reviewers_at_once_one_is_told_of_the_other(desk: DeskWorld) -> None:
    wu = desk.person("reviewer-wu", "reviewer")
    case = desk.drafted()
    desk.desk.submit(case.id, actor=desk.li)
    refused: list[YinxinError] = []

    def review(actor: Any) -> None:
        try:
            desk.desk.review(case.id, proof=desk.proof(case, actor), actor=actor)
        except YinxinError as error:
            refused.append(error)

    threads = [threading.Thread(target=review, args=(one,)) for one in (desk.wang, wu)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [type(one) for one in refused] == [Conflict]
    assert len(desk.desk.case(case.id, actor=desk.li).consents) == 1


# Where each step leads from each state: a step that is not here is a conflict, and no state is skipped.
_D, _R, _A, _OK = CaseState.DRAFT, CaseState.IN_REVIEW, CaseState.IN_APPROVAL, CaseState.APPROVED
LEADS = {
    ("submit", _D): _R,
    ("review", _R): _A,
    ("approve", _A): _OK,
    ("seal", _OK): CaseState.SEALED,
    ("send_back", _R): _D,
    ("send_back", _A): _D,
    **{("edit", state): _D for state in (_D, _R, _A, _OK)},
    **{("withdraw", state): CaseState.WITHDRAWN for state in (_D, _R, _A, _OK)},
}
STEPS = ("submit", "review", "approve", "send_back", "edit", "seal", "withdraw")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=14), number=st.integers(0, 10**9))
def test_no_order_of_steps_seals_without_both_agreements(
    desk: DeskWorld, steps: list[str], number: int
) -> None:
    case = desk.desk.draft(f"办-{number}-{len(steps)}-{hash(tuple(steps))}", desk.work(), actor=desk.li)
    for count, step in enumerate(steps):
        now = desk.desk.case(case.id, actor=desk.li)
        agreed = {one.role for one in now.consents if one.digest == now.digest.hex()}
        try:
            take(desk, now, step, count)
        except YinxinError:
            assert desk.desk.case(case.id, actor=desk.li).state is now.state
            continue
        assert desk.desk.case(case.id, actor=desk.li).state is LEADS[step, now.state]
        if step == "seal":
            assert agreed == {"reviewer", "approver"}
    assert (desk.desk.case(case.id, actor=desk.li).sealed_as is not None) == (
        desk.desk.case(case.id, actor=desk.li).state is CaseState.SEALED
    )


def take(desk: DeskWorld, case: Case, step: str, count: int) -> None:
    if step == "submit":
        desk.desk.submit(case.id, actor=desk.li)
    elif step == "review":
        desk.desk.review(case.id, proof=desk.proof(case, desk.wang), actor=desk.wang)
    elif step == "approve":
        desk.desk.approve(case.id, proof=desk.proof(case, desk.zhao), actor=desk.zhao)
    elif step == "send_back":
        desk.desk.send_back(case.id, note="补正", actor=desk.wang)
    elif step == "edit":
        desk.desk.edit(case.id, desk.work(count % 5 + 1), actor=desk.li)
    elif step == "seal":
        desk.desk.seal(case.id, actor=desk.li)
    else:
        desk.desk.withdraw(case.id, note="", actor=desk.li)
