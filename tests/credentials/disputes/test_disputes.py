"""A dispute goes to the licence's issuer, is answered in time, and may end in a correction."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from world.disputes import PROVINCE, WORDS

from credentials import samples
from credentials.office import WorkKind
from credentials.office.disputes import Complaint, DisputeKind, DisputeState, Elsewhere, Terms
from credentials.office.disputes.holding import nonce_of
from yinxin.base.actor import staff
from yinxin.base.audit.records import INBOX
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted, TooManyRequests, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.disputes import DisputeWorld

WHY = {"ground": "《行政许可法》第八条", "document_number": "津城监更〔2026〕9号"}


def test_a_wrong_licence_is_disputed_and_corrected(office: DisputeWorld) -> None:
    licence = office.sealed().licence
    opened = office.opened(licence.number)
    number = opened.dispute.number
    assert (opened.dispute.agency, opened.dispute.licence) == (office.agency.credit_code, licence.identifier)
    assert [one.number for one in office.disputes.waiting(office.agency.credit_code, actor=office.li)] == [
        number
    ]
    office.disputes.answer(number, "accept", words="已受理。", actor=office.li)
    work = office.work(2, kind=WorkKind.REPLACE, licence=licence.identifier, **WHY)
    case = office.desk.draft("办-更正", work, actor=office.li)
    office.disputes.link(number, case.id, actor=office.li)
    with pytest.raises(Conflict, match="not sealed"):
        office.disputes.correct(number, words="已更正。", actor=office.li)
    office.desk.submit(case.id, actor=office.li)
    office.desk.review(case.id, proof=office.proof(case, office.wang), actor=office.wang)
    office.desk.approve(case.id, proof=office.proof(case, office.zhao), actor=office.zhao)
    new = office.desk.seal(case.id, actor=office.li).licence
    ended = office.disputes.correct(number, words="已更正门牌号。", actor=office.li)
    assert (ended.state, ended.result) == (DisputeState.CORRECTED, new.identifier)
    followed = office.disputes.follow(number.lower(), opened.secret).to_dict(for_staff=False)
    assert followed["result"] == new.identifier
    assert [one["words"] for one in followed["answers"]] == ["已受理。", "已更正门牌号。"]
    assert "clerk-li" not in json.dumps(followed)


def test_the_log_knows_of_it_and_of_no_word(office: DisputeWorld) -> None:
    number = office.disputed(office.sealed().licence.identifier).number
    office.disputes.answer(number, "reject", words="材料不全，请张三补正。", actor=office.li)
    with office.database.reading() as session:
        bodies = [row.body for row in session.execute(select(INBOX).order_by(INBOX.c.number))]
    told = [json.loads(body) for body in bodies if f"dispute:{number}" in body]
    assert [one["action"] for one in told] == ["dispute.open", "dispute.reject"]
    assert not any(WORDS in body or "张三" in body for body in bodies)
    assert len(told[0]["details"]["words"]) == 64


def test_a_holder_needs_a_slip_and_the_licence(office: DisputeWorld) -> None:
    issued, other = office.issue(), office.issue(index=2)
    licence, slip = issued.licence, office.slip()
    proof = {"document": issued.pdf}
    with pytest.raises(NotFound):
        office.disputes.open(office.wrong(licence.number), actor=None, proof=proof)
    for wrong in (None, {}, {"document": b"%PDF-"}, {"presentation": 7}, {"document": issued.pdf[:-1]}):
        with pytest.raises(NotPermitted):
            office.disputes.open(office.wrong(licence.number, slip=slip), actor=None, proof=wrong)
    with pytest.raises(NotPermitted, match="another licence"):
        office.disputes.open(
            office.wrong(licence.number, slip=slip), actor=None, proof={"document": other.pdf}
        )
    opened: Any = office.disputes.open(office.wrong(licence.number, slip=slip), actor=None, proof=proof)
    assert opened.dispute.opened_by.startswith("holder:slip-")
    with pytest.raises(Conflict, match="slip"):
        office.disputes.open(office.wrong(licence.number, slip=slip), actor=None, proof=proof)
    second = office.slip()
    office.shown["kb~", nonce_of(second)] = licence.identifier
    presented = {"presentation": "kb~"}
    assert office.disputes.open(office.wrong(licence.number, slip=second), actor=None, proof=presented)


def test_a_missing_licence_goes_to_its_agency(office: DisputeWorld) -> None:
    opened: Any = office.disputes.open(office.missing(slip=office.slip()), actor=None)
    assert (opened.dispute.kind, opened.dispute.licence) == (DisputeKind.MISSING, None)
    office.disputes.answer(opened.dispute.number, "accept", words="受理", actor=office.li)
    wrong_type = office.drafted(
        "办-9", type_code="business-licence", claims=samples.application("business-licence")
    )
    with pytest.raises(Conflict, match="another licence"):
        office.disputes.link(opened.dispute.number, wrong_type.id, actor=office.li)
    issued = office.approved("办-1")
    office.disputes.link(opened.dispute.number, issued.id, actor=office.li)
    made = office.desk.seal(issued.id, actor=office.li).licence
    assert (
        office.disputes.correct(opened.dispute.number, words="已补录", actor=office.li).result
        == made.identifier
    )


def test_a_foreign_licence_is_told_where_to_go(office: DisputeWorld) -> None:
    told = office.disputes.open(office.missing(agency=PROVINCE), actor=office.department)
    assert isinstance(told, Elsewhere)
    assert told.contact.where.en == "go to the province"
    unknown = office.disputes.open(office.missing(agency=samples.credit_code(99)), actor=office.department)
    assert isinstance(unknown, Elsewhere)
    assert unknown.contact.code == office.agency.credit_code
    with pytest.raises(NotFound, match="missing"):
        office.disputes.open(office.wrong("no such number"), actor=office.department)


def test_terms_are_working_days_from_the_receipt(office: DisputeWorld) -> None:
    dispute = office.disputed(office.sealed().licence.identifier)  # Friday, 20 November, noon in Beijing
    assert dispute.due_at.isoformat() == "2026-11-28T00:00:00+08:00"
    office.clock.advance(timedelta(days=5))
    accepted = office.disputes.answer(dispute.number, "accept", words="受理", actor=office.li)
    assert accepted.due_at.isoformat() == "2026-12-19T00:00:00+08:00"
    assert not accepted.is_overdue(office.now)
    office.clock.advance(timedelta(days=40))
    assert accepted.is_overdue(office.now)


def test_who_disputed_hands_it_on_when_nobody_answers(office: DisputeWorld) -> None:
    opened = office.opened(office.sealed().licence.identifier)
    number = opened.dispute.number
    with pytest.raises(Conflict, match="not overdue"):
        office.disputes.escalate(number, opened.secret, words="为何不答？")
    office.clock.advance(timedelta(days=9))
    office.disputes.escalate(number, opened.secret, words="为何不答？")
    assert office.disputes.answer(number, "answer", words="迟复致歉。", actor=office.li).state == "answered"
    with pytest.raises(Conflict):
        office.disputes.escalate(number, opened.secret, words="仍有异议")


def test_number_and_secret_or_nothing(office: DisputeWorld) -> None:
    first = office.opened(office.sealed("办-1").licence.identifier)
    second = office.opened(first.dispute.licence or "")
    for number, secret in (
        (first.dispute.number, second.secret),
        (first.dispute.number, ""),
        ("0" * 12, first.secret),
        ("'; DROP TABLE dispute --", "x"),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(NotFound, match="no dispute of this number and secret"):
            office.disputes.follow(number, secret)


def test_other_agencies_and_other_roles_find_nothing(office: DisputeWorld) -> None:
    number = office.disputed(office.sealed().licence.identifier).number
    eight = staff("clerk-8", agency=samples.credit_code(8))
    inspector = staff("inspector-sun", agency=office.agency.credit_code, roles=("inspector",))
    with pytest.raises(NotFound):
        office.disputes.one(number, actor=eight)
    for actor in (eight, inspector, office.department):
        with pytest.raises((NotFound, NotPermitted)):
            office.disputes.answer(number, "accept", words="x", actor=actor)
        with pytest.raises(NotPermitted):
            office.disputes.waiting(office.agency.credit_code, actor=actor)
    with pytest.raises(NotPermitted):
        office.disputes.open(office.missing(), actor=office.li)


@pytest.mark.parametrize(
    "words",
    ["", "   ", "字" * 2001, "a\x00b", "\x1b[31mred", "right\u202eleft", "x\u2028y", "\ud800", "tab\there"],
)
def test_words_that_cannot_be_shown_are_refused(words: str) -> None:
    with pytest.raises(InvalidClaims):
        Complaint(DisputeKind.WRONG, words, licence="n")


@pytest.mark.parametrize(
    "facts",
    [
        {"licence": ""},
        {"licence": "n" * 161},
        {"licence": "a\nb"},
        {"licence": "n", "fields": ("a b",)},
        {"licence": "n", "fields": ("x",) * 21},
        {"licence": "n", "slip": "\x00"},
    ],
)
def test_facts_that_cannot_be_meant_are_named(facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidClaims):
        Complaint(DisputeKind.WRONG, "写错了", **facts)


def test_a_flood_meets_a_limit(both: DisputeWorld) -> None:
    both.disputes._terms = Terms(open_of_holders=2, open_of_department=1)
    for _ in range(2):
        both.disputes.open(both.missing(slip=both.slip()), actor=None)
    with pytest.raises(TooManyRequests):
        both.disputes.open(both.missing(slip=both.slip()), actor=None)
    both.disputes.open(both.missing(), actor=both.department)  # holders' flood is not theirs
    with pytest.raises(TooManyRequests):
        both.disputes.open(both.missing(), actor=both.department)


def test_states_never_skip(office: DisputeWorld) -> None:
    number = office.disputed(office.sealed().licence.identifier).number

    def tried(step: str) -> str:
        try:
            return str(office.disputes.answer(number, step, words="x", actor=office.li).state)
        except Conflict:
            return "conflict"

    assert [tried(step) for step in ("answer", "escalate", "correct", "accept", "accept", "reject")] == [
        "conflict", "conflict", "conflict", "accepted", "conflict", "conflict",
    ]  # fmt: skip
    assert [tried(step) for step in ("escalate", "accept", "answer", "answer", "escalate")] == [
        "escalated", "conflict", "answered", "conflict", "conflict",
    ]  # fmt: skip


def test_of_two_clerks_one_answers(both: DisputeWorld) -> None:
    number = both.disputed(both.sealed().licence.identifier).number
    start, outcomes = threading.Barrier(2), []

    def answer(step: str, words: str, actor: Any) -> Callable[[], None]:
        def run() -> None:
            start.wait()
            try:
                outcomes.append(str(both.disputes.answer(number, step, words=words, actor=actor).state))
            except YinxinError as error:
                outcomes.append(error.code)

        return run

    people = [answer("accept", "受理", both.li), answer("reject", "不予受理", both.chen)]
    threads = [threading.Thread(target=one) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(outcomes) in {"accepted", "conflict"}
    assert sorted(outcomes).count("conflict") == 1
    kept = both.disputes.one(number, actor=both.li)
    assert len(kept.answers) == 1
    assert str(kept.state) in outcomes


def test_words_are_forgotten_and_the_rest_stays(both: DisputeWorld) -> None:
    opened = both.opened(both.sealed().licence.identifier)
    number = opened.dispute.number
    both.disputes.answer(number, "reject", words="不予受理", actor=both.li)
    both.clock.advance(timedelta(days=400))
    still = both.opened(opened.dispute.licence or "")
    assert both.disputes.forget(before=both.now - timedelta(days=365), actor=both.li) == 1
    assert both.disputes.forget(before=both.now - timedelta(days=365), actor=both.li) == 0
    assert both.disputes.follow(number, opened.secret).words == ""
    assert both.disputes.follow(still.dispute.number, still.secret).words == WORDS
    with both.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM dispute")).scalar_one() == 2
