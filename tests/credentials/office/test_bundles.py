"""One file, one agreement, one run of the seal: what becomes of each row, and who can stop or bend it."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.audit import sequencer
from world.bundles import BundleWorld, as_csv, as_lines, as_workbook, rows_of
from world.databases import with_tables
from world.desks import FOOD

from credentials import samples
from credentials.office import CaseState, KeyProofs
from credentials.office.bundles.repository import BundleRepository
from credentials.office.records import CaseRecord
from signing.signers.file import FileSigner
from yinxin.base.audit import AuditLog
from yinxin.base.errors import (
    Conflict,
    IssuanceRefused,
    NotFound,
    NotPermitted,
    UsageError,
    YinxinError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from world.pki import Pki

    from credentials.office.bundles import Bundle
    from yinxin.base.database import Database


@pytest.fixture
def office(pki: Pki, database: Database) -> BundleWorld:
    return BundleWorld(pki, database)


@pytest.fixture
def light(pki: Pki) -> Iterator[BundleWorld]:
    database = with_tables()
    yield BundleWorld(pki, database)
    database.close()


def test_a_file_is_agreed_to_once_and_sealed_together(office: BundleWorld) -> None:
    bundle = office.agreed(3)
    assert [(one.role, one.by) for one in bundle.consents] == [
        ("reviewer", "reviewer-wang"),
        ("approver", "approver-zhao"),
    ]
    done = office.bundles.seal(bundle.id, actor=office.li)
    assert (done.bundle.state, done.left, len(done.licences), done.faults) == (CaseState.SEALED, 0, 3, ())
    cases = office.bundles.cases(bundle.id, actor=office.li)
    assert [(one.number, one.state, one.place) for one in cases] == [
        (f"办-{row - 1}", CaseState.SEALED, row) for row in (2, 3, 4)
    ]
    assert {office.standing(one.sealed_as or "").state for one in cases} == {"in_force"}
    assert office.desk.waiting(actor=office.li) == []
    with pytest.raises(Conflict):
        office.bundles.seal(bundle.id, actor=office.li)


def test_the_log_joins_each_licence_to_its_case_and_bundle(light: BundleWorld) -> None:
    bundle = light.agreed(2)
    light.bundles.seal(bundle.id, actor=light.li)
    sequencer(light.database).run_once()
    found = [one.content() or {} for one in AuditLog(light.database).entries()]
    steps = [one["action"] for one in found if one["action"].startswith("bundle.")]
    assert steps == ["bundle.draft", "bundle.submit", "bundle.review", "bundle.approve", "bundle.seal"]
    assert {one["details"]["bundle"] for one in found if one["action"] == "case.seal"} == {bundle.id}
    issued = [one["details"]["approval"] for one in found if one["action"] == "licence.issue"]
    assert issued == [f"bundle:{bundle.id}"] * 2


class TestFiles:
    def test_three_kinds_of_files_make_the_same_cases(self, light: BundleWorld) -> None:
        rows = rows_of(3)
        files = {"csv": as_csv(rows), "xlsx": as_workbook(rows), "lines": as_lines(3)}
        made = {}
        for name, data in files.items():
            renamed = data.replace("办-".encode(), f"{name}-".encode()) if name != "xlsx" else data
            bundle = light.bundles.open(f"批-{name}", renamed, actor=light.li, type_code=FOOD).bundle
            assert (bundle.total, bundle.faults) == (3, ())
            made[name] = [one.work for one in light.bundles.cases(bundle.id, actor=light.li)]
        assert made["csv"] == made["xlsx"] == made["lines"]

    def test_each_row_is_a_case_or_has_its_reason(self, light: BundleWorld) -> None:
        light.desk.draft("办-3", light.work(3), actor=light.li)
        rows = rows_of(4)
        rows[1]["credit_code"] = "111201010000518601"
        rows[3]["operator_name"] = "=1+1"
        rows.append({**rows[0], "case": "x" * 70})
        bundle = light.opened(data=as_csv(rows)).bundle
        assert [case.place for case in light.bundles.cases(bundle.id, actor=light.li)] == [2]
        told = {(one.row, one.column): one.reason.en for one in bundle.faults}
        assert set(told) == {(3, "credit_code"), (4, "case"), (5, "operator_name"), (6, "case")}
        assert (bundle.total, bundle.faulty) == (5, 4)
        assert told[4, "case"] == "this case number is taken"

    def test_rows_without_numbers_are_numbered_by_the_bundle(self, light: BundleWorld) -> None:
        rows = [{name: text for name, text in row.items() if name != "case"} for row in rows_of(2)]
        bundle = light.opened(data=as_csv(rows)).bundle
        numbers = [one.number for one in light.bundles.cases(bundle.id, actor=light.li)]
        assert numbers == ["批-1/2", "批-1/3"]

    def test_one_number_is_one_file(self, light: BundleWorld) -> None:
        first, again = light.opened(2), light.opened(2)
        assert (first.is_new, again.is_new, again.bundle.id) == (True, False, first.bundle.id)
        with pytest.raises(Conflict, match="another file"):
            light.opened(3)

    def test_a_key_in_a_line_binds_the_credential(self, light: BundleWorld) -> None:
        jwk = FileSigner.generate().public_key.to_jwk()
        bundle = light.agreed(data=as_lines(1, holder_key=jwk))
        assert light.bundles.cases(bundle.id, actor=light.li)[0].work.holder_key == jwk
        assert light.bundles.seal(bundle.id, actor=light.li).left == 0

    def test_a_bundle_without_a_case_goes_nowhere(self, light: BundleWorld) -> None:
        bundle = light.opened(data=as_csv([{**rows_of(1)[0], "credit_code": "x"}])).bundle
        with pytest.raises(Conflict, match="no case"):
            light.bundles.submit(bundle.id, actor=light.li)


class TestAgreement:
    def test_nobody_agrees_to_their_own(self, light: BundleWorld) -> None:
        li = light.person("clerk-li", "clerk", "reviewer", "approver")
        wang = light.person("reviewer-wang", "reviewer", "approver")
        bundle = light.to_review()
        with pytest.raises(NotPermitted, match="what they wrote"):
            light.bundles.review(bundle.id, proof=light.agreement(bundle, li), actor=li)
        bundle = light.bundles.review(bundle.id, proof=light.agreement(bundle, wang), actor=wang)
        with pytest.raises(NotPermitted, match="what they reviewed"):
            light.bundles.approve(bundle.id, proof=light.agreement(bundle, wang), actor=wang)

    def test_who_edited_one_row_wrote_the_bundle(self, light: BundleWorld) -> None:
        chen = light.person("clerk-chen", "clerk", "reviewer")
        opened = light.opened().bundle
        case = light.bundles.cases(opened.id, actor=chen)[1]
        light.desk.edit(case.id, light.work(9), actor=chen)
        bundle = light.bundles.submit(opened.id, actor=light.li)
        assert bundle.digest != opened.digest
        with pytest.raises(NotPermitted, match="what they wrote"):
            light.bundles.review(bundle.id, proof=light.agreement(bundle, chen), actor=chen)

    def test_an_agreement_is_to_all_rows_as_they_are(self, light: BundleWorld) -> None:
        opened = light.opened().bundle
        case = light.bundles.cases(opened.id, actor=light.li)[0]
        light.desk.edit(case.id, light.work(9), actor=light.li)
        bundle = light.bundles.submit(opened.id, actor=light.li)
        for proof in (light.agreement(opened, light.wang), light.proof(case, light.wang), {}):
            with pytest.raises(NotPermitted):
                light.bundles.review(bundle.id, proof=proof, actor=light.wang)

    def test_a_case_of_a_bundle_goes_its_way_alone_only_out_of_it(self, light: BundleWorld) -> None:
        bundle = light.to_review()
        first, second, _ = light.bundles.cases(bundle.id, actor=light.li)
        proof = light.proof(first, light.wang)
        alone: list[Callable[[], Any]] = [
            lambda: light.desk.submit(first.id, actor=light.li),
            lambda: light.desk.review(first.id, proof=proof, actor=light.wang),
            lambda: light.desk.send_back(first.id, note="x", actor=light.wang),
            lambda: light.desk.edit(first.id, light.work(9), actor=light.li),
            lambda: light.desk.seal(first.id, actor=light.li),
        ]
        for step in alone:
            with pytest.raises(Conflict, match="bundle"):
                step()
        light.desk.withdraw(second.id, note="申请人撤回", actor=light.li)
        agreed = light.bundles.review(bundle.id, proof=light.agreement(bundle, light.wang), actor=light.wang)
        agreed = light.bundles.approve(bundle.id, proof=light.agreement(bundle, light.zhao), actor=light.zhao)
        done = light.bundles.seal(agreed.id, actor=light.li)
        assert (len(done.licences), done.bundle.state) == (2, CaseState.SEALED)
        assert light.desk.case(second.id, actor=light.li).sealed_as is None

    def test_what_was_sent_back_begins_again(self, light: BundleWorld) -> None:
        bundle = light.to_approval()
        back = light.bundles.send_back(bundle.id, note="第 3 行地址不全", actor=light.zhao)
        assert (back.state, back.consents, back.counts) == (CaseState.DRAFT, (), {CaseState.DRAFT: 3})
        case = light.bundles.cases(bundle.id, actor=light.li)[1]
        light.desk.edit(case.id, light.work(9), actor=light.li)
        again = light.bundles.submit(bundle.id, actor=light.li)
        assert (again.note, again.digest != bundle.digest) == ("", True)

    def test_a_changed_row_in_the_database_is_not_sealed(self, light: BundleWorld) -> None:
        bundle = light.agreed()
        case = light.bundles.cases(bundle.id, actor=light.li)[2]
        with light.database.transaction() as session:
            row = session.get(CaseRecord, case.id)
            assert row
            row.work = {**row.work, "claims": samples.application(FOOD, 40)}
            session.add(row)
        with pytest.raises(IssuanceRefused) as refused:
            light.bundles.seal(bundle.id, actor=light.li)
        assert any("reviewer" in reason for reason in refused.value.reasons)

    def test_an_agreement_of_who_left_does_not_hold(self, light: BundleWorld) -> None:
        bundle = light.agreed()
        del light.keys["approver-zhao"]
        with pytest.raises(IssuanceRefused):
            light.bundles.seal(bundle.id, actor=light.li)


class TestSealing:
    def test_it_goes_on_where_it_was_stopped(self, office: BundleWorld) -> None:
        bundle = office.agreed(5)

        class Killed(Exception):
            """The process ends here."""

        def stop(done: int, _total: int) -> None:
            if done:
                raise Killed

        first = office.bundles.seal(bundle.id, actor=office.li, at_most=2)
        assert (len(first.licences), first.left, first.bundle.state) == (2, 3, CaseState.APPROVED)
        with pytest.raises(Killed):
            office.bundles.seal(bundle.id, actor=office.li, at_most=2, progress=stop)
        last = office.bundles.seal(bundle.id, actor=office.li)
        assert (last.left, last.bundle.state) == (0, CaseState.SEALED)
        cases = office.bundles.cases(bundle.id, actor=office.li)
        assert len({one.sealed_as for one in cases}) == 5

    def test_two_who_seal_at_once_make_each_licence_once(self, office: BundleWorld) -> None:
        bundle, outcomes = office.agreed(4), []

        def seal() -> None:
            try:
                outcomes.append(len(office.bundles.seal(bundle.id, actor=office.li).licences))
            except Conflict:
                outcomes.append(0)

        _together(seal, seal)
        assert sum(outcomes) == 4
        found = office.bundles.bundle(bundle.id, actor=office.li)
        assert (found.state, found.counts) == (CaseState.SEALED, {CaseState.SEALED: 4})

    def test_a_case_that_cannot_be_sealed_waits_with_its_reason(self, light: BundleWorld) -> None:
        bundle = light.agreed(2)
        case = light.bundles.cases(bundle.id, actor=light.li)[0]
        original = light.bundles._rows

        def withdrawn_meanwhile(cases: Any) -> Any:
            rows = original(cases)
            light.desk.withdraw(case.id, note="申请人撤回", actor=light.li)
            return rows

        light.bundles._rows = withdrawn_meanwhile  # type: ignore[method-assign]
        done = light.bundles.seal(bundle.id, actor=light.li)
        assert (len(done.licences), [one.row for one in done.faults]) == (1, [2])
        assert light.desk.case(case.id, actor=light.li).state is CaseState.WITHDRAWN
        assert done.bundle.state is CaseState.SEALED


class TestAtOnce:
    def test_of_two_reviewers_one_is_told_of_the_other(self, office: BundleWorld) -> None:
        second = office.person("reviewer-wu", "reviewer")
        bundle = office.to_review()

        def review(actor: Any) -> Callable[[], Bundle]:
            proof = office.agreement(bundle, actor)
            return lambda: office.bundles.review(bundle.id, proof=proof, actor=actor)

        faults = _together(review(office.wang), review(second))
        assert [type(one) for one in faults] == [Conflict]
        assert len(office.bundles.bundle(bundle.id, actor=office.li).consents) == 1

    def test_an_edit_and_a_handing_over_do_not_both_win_unseen(self, office: BundleWorld) -> None:
        opened = office.opened().bundle
        case = office.bundles.cases(opened.id, actor=office.li)[0]
        faults = _together(
            lambda: office.desk.edit(case.id, office.work(9), actor=office.li),
            lambda: office.bundles.submit(opened.id, actor=office.li),
        )
        assert all(isinstance(one, Conflict) for one in faults)
        found = office.bundles.bundle(opened.id, actor=office.li)
        if found.state is CaseState.IN_REVIEW:
            stored = office.bundles._digest(found, office.bundles._cases(opened.id)).hex()
            assert found.digest == stored

    def test_the_same_file_twice_at_once_is_one_bundle(self, office: BundleWorld) -> None:
        found: list[Any] = []
        faults = _together(lambda: found.append(office.opened(2)), lambda: found.append(office.opened(2)))
        assert all(isinstance(one, Conflict) for one in faults)
        assert len({one.bundle.id for one in found}) == 1


def test_another_agencys_bundles_are_not_there(pki: Pki, light: BundleWorld) -> None:
    agency = replace(samples.AGENCY, credit_code="111201020000518889")
    other, bundle = BundleWorld(pki, light.database, agency=agency), light.to_review()
    steps: list[Callable[[], Any]] = [
        lambda: other.bundles.bundle(bundle.id, actor=other.li),
        lambda: other.bundles.cases(bundle.id, actor=other.li),
        lambda: other.bundles.withdraw(bundle.id, note="x", actor=other.li),
        lambda: other.bundles.seal(bundle.id, actor=other.li),
        lambda: other.bundles.review(bundle.id, proof={}, actor=other.wang),
    ]
    for step in steps:
        with pytest.raises(NotFound):
            step()
    for step in (
        lambda: light.bundles.open("批-9", as_lines(1), actor=other.li),
        lambda: light.bundles.bundle(bundle.id, actor=other.li),
        lambda: light.bundles.submit(bundle.id, actor=light.wang),
        lambda: light.bundles.review(bundle.id, proof={}, actor=light.zhao),
    ):
        with pytest.raises(NotPermitted):
            step()
    assert other.bundles.latest(actor=other.li) == []
    for number in ("", "x" * 59, "a\nb", " x"):
        with pytest.raises(UsageError):
            light.opened(number=number)


def test_a_restored_node_asks_for_all_agreements_again(light: BundleWorld) -> None:
    bundle = light.agreed()
    from credentials.office.repository import CaseRepository  # noqa: PLC0415 - a door of restoration

    with light.database.transaction() as session:
        assert CaseRepository(session).reopen("restored", at=light.now) == 3
    found = light.bundles.bundle(bundle.id, actor=light.li)
    assert (found.state, found.consents) == (CaseState.DRAFT, ())
    with light.database.reading() as session:
        assert len(BundleRepository(session).cases(bundle.id)) == 3


def _together(*steps: Callable[[], Any]) -> list[YinxinError]:
    faults: list[YinxinError] = []

    def run(step: Callable[[], Any]) -> None:
        try:
            step()
        except YinxinError as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return faults


def test_digests_are_of_every_row(light: BundleWorld) -> None:
    proof = KeyProofs.make(b"x" * 32, light.wang, light.keys["reviewer-wang"])
    bundle = light.to_review()
    with pytest.raises(NotPermitted):
        light.bundles.review(bundle.id, proof=proof, actor=light.wang)


PLACES = itertools.count(1)
STEPS = ("submit", "review", "approve", "send_back", "edit", "withdraw one", "seal", "seal some")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=12))
def test_no_order_of_steps_seals_a_row_that_nobody_agreed_to(light: BundleWorld, steps: list[str]) -> None:
    place = 10 * next(PLACES)
    file = as_csv(rows_of(2, start=place))
    bundle_id = light.opened(number=f"批-{place}", data=file).bundle.id
    for count, step in enumerate(steps):
        bundle = light.bundles.bundle(bundle_id, actor=light.li)
        agreed = {one.role for one in bundle.consents if one.digest == bundle.digest}
        with suppress(YinxinError):
            take(light, bundle, step, count)
            assert not step.startswith("seal") or agreed == {"reviewer", "approver"}
        now = light.bundles.bundle(bundle_id, actor=light.li)
        states = set(now.counts) - {CaseState.WITHDRAWN, CaseState.SEALED}
        assert states <= {now.state}  # all that is open goes with the bundle
        assert now.state is not CaseState.SEALED or not states


def take(office: BundleWorld, bundle: Bundle, step: str, count: int) -> None:
    bundles, li = office.bundles, office.li
    case = bundles.cases(bundle.id, actor=li)[count % 2]
    steps: dict[str, Callable[[], Any]] = {
        "submit": lambda: bundles.submit(bundle.id, actor=li),
        "review": lambda: bundles.review(
            bundle.id, proof=office.agreement(bundle, office.wang), actor=office.wang
        ),
        "approve": lambda: bundles.approve(
            bundle.id, proof=office.agreement(bundle, office.zhao), actor=office.zhao
        ),
        "send_back": lambda: bundles.send_back(bundle.id, note="补正", actor=office.wang),
        "edit": lambda: office.desk.edit(case.id, office.work(count + 5), actor=li),
        "withdraw one": lambda: office.desk.withdraw(case.id, note="x", actor=li),
        "seal": lambda: bundles.seal(bundle.id, actor=li),
        "seal some": lambda: bundles.seal(bundle.id, actor=li, at_most=1),
    }
    steps[step]()
