"""A licence type changes: proposed, approved by somebody else, in force on its day; and old ones stay."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.audit import sequencer
from world.types import EMAIL, FOOD, TODAY, next_version, with_email

from credentials import samples
from credentials.licence_type import InvalidCatalogue
from credentials.office import WorkKind
from credentials.office.types import ChangeState
from credentials.office.types.records import TypeChangeRecord
from credentials.office.types.repository import TypeRepository
from credentials.repository import LicenceRepository
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog
from yinxin.base.errors import (
    Conflict,
    InvalidClaims,
    IssuanceRefused,
    NotFound,
    NotPermitted,
    UnknownLicenceType,
    UsageError,
    YinxinError,
)

if TYPE_CHECKING:
    from world.types import TypesWorld

    from credentials.office.types import TypeChange

TOMORROW = TODAY + timedelta(days=1)


def test_a_version_begins_on_its_day_and_in_every_process(office: TypesWorld) -> None:
    other = office.worker()
    assert other[FOOD].version == 1
    office.activate(with_email(day=TOMORROW))
    assert office.catalogue[FOOD].version == 1
    assert office.catalogue.at(TOMORROW)[FOOD].version == 2
    office.pass_days(1)
    assert (office.catalogue[FOOD].version, other[FOOD].version) == (2, 2)
    assert other.at(TODAY)[FOOD].version == 1


def test_another_process_sees_an_approval_of_today_within_seconds(office: TypesWorld) -> None:
    other = office.worker()
    assert other[FOOD].version == 1
    office.activate(with_email())
    assert office.catalogue[FOOD].version == 2
    office.clock.advance(timedelta(seconds=5))
    assert other[FOOD].version == 2


def test_old_licences_keep_the_version_that_they_were_issued_under(office: TypesWorld) -> None:
    old = office.issue().licence
    office.activate(with_email())
    with pytest.raises(InvalidClaims) as missing:
        office.issue(index=2)
    assert [name for name, _ in missing.value.faults] == ["email"]
    claims = {**samples.application(FOOD, 2), "email": "shop@example.com"}
    new = office.issuer.issue(FOOD, claims, holder=office.holder.public_key, actor=office.clerk).licence
    with office.database.reading() as session:
        stored = [LicenceRepository(session).by_identifier(one.identifier) for one in (old, new)]
    assert [one.type_version for one in stored if one] == [1, 2]
    kinds = [office.catalogue.of(one) for one in stored if one]
    assert [len(one.fields) for one in kinds] == [9, 10]
    assert [office.catalogue.by_vct(one.vct).version for one in kinds] == [1, 2]
    assert office.catalogue.vcts(FOOD) == (f"urn:yinxin:licence:{FOOD}:2", f"urn:yinxin:licence:{FOOD}:1")
    assert office.standing(old.identifier).state == "in_force"


def test_people_agreed_to_a_case_under_the_version_of_that_day(office: TypesWorld) -> None:
    """A new version of the type begins between the approval and the seal: it is agreed to again."""
    case = office.approved()
    office.activate(with_email())
    with pytest.raises(Conflict, match="changed meanwhile"):
        office.desk.seal(case.id, actor=office.li)
    more = office.work(claims={**samples.application(FOOD, 1), "email": "office@example.com"})
    edited = office.desk.edit(case.id, more, actor=office.li)
    assert (edited.work.type_version, edited.consents) == (2, ())


def test_a_request_that_comes_again_after_the_type_changed_is_the_same_case(office: TypesWorld) -> None:
    work = office.work()
    case = office.desk.draft("办-9", work, actor=office.li)
    office.activate(with_email())  # what was asked for lacks the field that is required now
    again = office.desk.open("办-9", work, actor=office.li)
    assert (again.case.id, again.is_new) == (case.id, False)
    with pytest.raises(Conflict, match="something else"):
        office.desk.open("办-9", office.work(index=2), actor=office.li)
    more = office.work(claims={**samples.application(FOOD, 3), "email": "office@example.com"})
    new = office.desk.draft("办-10", more, actor=office.li)
    assert (office.desk.draft("办-10", more, actor=office.li).id, new.work.type_version) == (new.id, 2)


def test_the_log_says_who_agreed_to_what(office: TypesWorld) -> None:
    change = office.activate(with_email())
    sequencer(office.database).run_once()
    found = [one.content() or {} for one in AuditLog(office.database).entries()]
    entries = [one for one in found if one["action"].startswith("type.")]
    assert [(one["action"], one["actor"]["id"]) for one in entries] == [
        ("type.propose", "clerk-li"),
        ("type.approve", "approver-zhao"),
    ]
    assert {one["details"]["digest"] for one in entries} == {change.digest.hex()}


class TestAbolition:
    def test_nothing_new_is_issued_and_all_that_is_stays(self, office: TypesWorld) -> None:
        old = office.issue().licence
        office.abolish(last_day=TODAY)
        office.issue(index=2)  # the last day is a day of issuing
        office.pass_days(1)
        with pytest.raises(IssuanceRefused, match="abolished"):
            office.issue(index=3)
        assert office.standing(old.identifier).state == "in_force"
        assert office.catalogue.of(old).field("operator_name").label.zh == "经营者名称"
        assert FOOD not in [one.code for one in office.catalogue.issuable(TOMORROW)]

    def test_the_desk_drafts_none_and_renews_none(self, office: TypesWorld) -> None:
        old = office.issue().licence
        office.abolish(last_day=TODAY)
        office.drafted()
        office.pass_days(1)
        with pytest.raises(IssuanceRefused, match="abolished"):
            office.drafted("办-2")
        why: dict[str, Any] = {"ground": "x", "document_number": "y"}
        with pytest.raises(IssuanceRefused, match="abolished"):
            office.drafted("办-3", kind=WorkKind.RENEW, licence=old.identifier, **why)
        with pytest.raises(IssuanceRefused, match="abolished"):
            office.issuer.renew(old.identifier, old.claims, actor=office.clerk, **why)

    def test_what_was_issued_may_be_put_right(self, office: TypesWorld) -> None:
        old = office.issue().licence
        office.abolish(last_day=TODAY)
        office.pass_days(1)
        why: dict[str, Any] = {"ground": "《行政许可法》第四十九条", "document_number": "津城更〔2026〕3号"}
        claims = {**old.claims, "complaint_line": "12345"}
        new = office.issuer.replace(old.identifier, claims, holder=None, actor=office.clerk, **why).licence
        assert (new.version, new.claims["complaint_line"]) == (2, "12345")

    def test_a_new_version_begins_it_again(self, office: TypesWorld) -> None:
        office.abolish(last_day=TODAY)
        office.activate(next_version(day=TODAY + timedelta(days=30)))
        office.pass_days(29)
        assert office.catalogue[FOOD].is_abolished(TODAY + timedelta(days=29))
        office.pass_days(1)
        assert not office.catalogue[FOOD].is_abolished(TODAY + timedelta(days=30))
        office.issue()

    def test_it_needs_a_ground_and_a_day_to_come(self, office: TypesWorld) -> None:
        facts: dict[str, Any] = {"ground": "x", "document_number": "y", "actor": office.li}
        for wrong in ({"ground": " "}, {"document_number": ""}, {"document_number": "9" * 121}):
            with pytest.raises(UsageError):
                office.types.abolish(FOOD, last_day=TODAY, **{**facts, **wrong})
        with pytest.raises(UsageError, match="past"):
            office.types.abolish(FOOD, last_day=TODAY - timedelta(days=1), **facts)
        with pytest.raises(UnknownLicenceType):
            office.types.abolish("no-such", last_day=TODAY, **facts)


class TestTwoPeople:
    def test_nobody_approves_their_own(self, office: TypesWorld) -> None:
        both = office.person("clerk-li", "clerk", "approver")
        change = office.types.propose(with_email(), actor=office.li)
        with pytest.raises(NotPermitted, match="another person"):
            office.types.approve(change.id, proof=office.agreement(change, both), actor=both)

    def test_roles_and_proofs_are_asked_for(self, office: TypesWorld) -> None:
        with pytest.raises(NotPermitted):
            office.types.propose(with_email(), actor=office.wang)
        change = office.types.propose(with_email(), actor=office.li)
        other = office.types.propose(next_version(), actor=office.li)
        for actor, proof in (
            (office.wang, office.agreement(change, office.wang)),
            (office.zhao, office.agreement(other, office.zhao)),
            (office.zhao, office.agreement(change, office.wang)),
            (office.zhao, {}),
        ):
            with pytest.raises(NotPermitted):
                office.types.approve(change.id, proof=proof, actor=actor)
        assert office.catalogue[FOOD].version == 1

    def test_another_agencys_changes_are_not_there(self, office: TypesWorld) -> None:
        change = office.types.propose(with_email(), actor=office.li)
        stranger = staff("clerk-li", agency="12120116MB1U92841T", roles=("clerk", "approver"))
        for step in (
            lambda: office.types.propose(next_version(), actor=stranger),
            lambda: office.types.change(change.id, actor=stranger),
            lambda: office.types.changes(actor=stranger),
            lambda: office.types.preview(change.id, actor=stranger),
            lambda: office.types.approve(change.id, proof={}, actor=stranger),
            lambda: office.types.withdraw(change.id, note="x", actor=stranger),
        ):
            with pytest.raises((NotPermitted, NotFound)):
                step()

    def test_of_two_that_follow_on_the_same_one_is_approved(self, office: TypesWorld) -> None:
        first, second = (office.types.propose(with_email(), actor=office.li) for _ in range(2))
        office.approve(first)
        with pytest.raises(Conflict, match="propose it again"):
            office.approve(second)
        with pytest.raises(Conflict):
            office.approve(first)

    def test_of_two_who_approve_at_once_one_wins(self, office: TypesWorld) -> None:
        changes = [office.types.propose(with_email(), actor=office.li) for _ in range(2)]
        outcomes: list[str] = []

        def attempt(change: TypeChange) -> None:
            try:
                outcomes.append(str(office.approve(change).state))
            except YinxinError as error:
                outcomes.append(error.code)

        threads = [threading.Thread(target=attempt, args=(one,)) for one in [*changes, *changes]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["approved", "conflict", "conflict", "conflict"]
        with office.database.reading() as session:
            assert TypeRepository(session, agency=office.agency.credit_code).approved_count() == 1

    def test_a_day_that_passed_before_anybody_agreed_is_none(self, office: TypesWorld) -> None:
        change = office.types.propose(with_email(), actor=office.li)
        office.pass_days(1)
        with pytest.raises(Conflict, match="passed"):
            office.approve(change)

    def test_a_withdrawn_proposal_stays_so(self, office: TypesWorld) -> None:
        change = office.types.propose(with_email(), actor=office.li)
        assert (
            office.types.withdraw(change.id, note="改写后再报", actor=office.li).state
            is ChangeState.WITHDRAWN
        )
        with pytest.raises(Conflict):
            office.approve(change)
        with pytest.raises(Conflict):
            office.types.withdraw(change.id, note="x", actor=office.zhao)


def test_a_row_that_is_not_what_was_agreed_to_stops_the_catalogue(office: TypesWorld) -> None:
    """Somebody with the database in hand changes an approved file."""
    change = office.activate(with_email())
    with office.database.transaction() as session:
        row = session.get(TypeChangeRecord, change.id)
        assert row
        row.file = row.file.replace(b"required", b"requested") + b"\n# easier\n"
        session.add(row)
    with pytest.raises(InvalidCatalogue, match="not what was agreed to"):
        office.worker()[FOOD]


@pytest.mark.parametrize(
    ("file", "place", "says"),
    [
        (next_version(version=3), "version", "must be 2"),
        (next_version(day=date(2026, 11, 19)), "from_day", "past"),
        (with_email(vct="urn:yinxin:licence:food-business-licence:1"), "vct", "another vct"),
        (with_email(vct="urn:yinxin:licence:business-licence:1"), "vct", "the same as of business-licence"),
        (next_version(changes={"017N002": "017N001"}), "number", "stays the same"),
        (next_version(more="until_day = 2027-01-01"), "fields[complaint_line].until_day", "no such key"),
        (
            next_version(changes={'field = "domicile"': 'field = "home"'}),
            "fields[domicile].source",
            "no field 'home'",
        ),
        (
            next_version(changes={'field = "domicile"': 'field = "registered_capital"'}),
            "fields[domicile].source",
            "another kind",
        ),
        (
            next_version(more=EMAIL.replace('"text"', '"text"\nrequired = false\npattern = "[0-9]+"')),
            "fields[email].example",
            "example",
        ),
        (b"code = ", "", "not TOML"),
        (b"\xff", "", "UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_says_where_and_what(
    drafting: TypesWorld, file: bytes, place: str, says: str
) -> None:
    with pytest.raises(InvalidCatalogue) as wrong:
        drafting.types.propose(file, actor=drafting.li)
    said = [(where, what.en) for where, what in wrong.value.faults]
    assert any(place in where and says in what for where, what in said), said


def test_a_type_that_others_take_a_datum_from_keeps_it(drafting: TypesWorld) -> None:
    file = next_version(
        "business-licence", changes={'name = "legal_representative"': 'name = "legal_person"'}
    )
    file = file.replace(b'"legal_representative"', b'"legal_person"')
    with pytest.raises(InvalidCatalogue, match="has its source here"):
        drafting.types.propose(file, actor=drafting.li)
