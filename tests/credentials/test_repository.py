"""The licence repository on both databases: what it finds, and what it never lets happen."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from credentials import samples
from credentials.blind_index import BlindIndex
from credentials.licence import EndingKind, Event, EventKind, Licence
from credentials.repository import CredentialCopy, LicenceRepository, lineage
from credentials.standing import State
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from yinxin.base.database import Database

T0 = datetime(2026, 1, 10, 2, tzinfo=UTC)
LATER = T0 + timedelta(days=100)
INDEX, OTHER_INDEX = BlindIndex(b"i" * 32), BlindIndex(b"o" * 32)


def licence(serial: str = "A1", version: int = 1, **changes: object) -> Licence:
    identifier = LicenceIdentifier.make(
        "11100000900001017N002", samples.AGENCY.credit_code, serial, f"{version:03}"
    )
    facts: dict[str, object] = {
        "identifier": str(identifier),
        "number": f"JY{serial}",
        "type_code": "food-business-licence",
        "type_name": Text("食品经营许可证", "Food Business Licence"),
        "version": version,
        "agency": samples.AGENCY,
        "holder_name": "津城海河糕点有限公司",
        "holder_code": samples.credit_code(1),
        "claims": {"operator_name": "津城海河糕点有限公司", "business_items": ["热食", "冷食"]},
        "issued_at": T0,
        "recorded_at": T0,
        "valid_from": date(2026, 1, 10),
        "valid_until": date(2031, 1, 9),
        "pdf_sha256": f"{serial}{version}".ljust(64, "0").lower(),
        **changes,
    }
    return Licence(**facts)  # type: ignore[arg-type]


def successor(old: Licence, **changes: object) -> Licence:
    identifier = LicenceIdentifier.parse(old.identifier).with_version(old.version + 1)
    facts = {"identifier": str(identifier), "version": old.version + 1, "replaces": old.identifier, **changes}
    return replace(old, **facts)  # type: ignore[arg-type]


def event(kind: EndingKind | EventKind, at: datetime = LATER, replaced_by: str | None = None) -> Event:
    return Event(kind, at, at, "法律依据", "文号", "staff:clerk-17", replaced_by)


def add(database: Database, *licences: Licence) -> None:
    with database.transaction() as session:
        for one in licences:
            LicenceRepository(session).add(one)


def test_a_licence_comes_back_as_it_went_in(database: Database) -> None:
    one = licence(commitment_due=date(2026, 7, 1))
    add(database, one)
    with database.reading() as session:
        repository = LicenceRepository(session)
        assert repository.by_identifier(one.identifier) == one
        assert repository.by_number("JYA1") == one
        assert repository.by_pdf(one.pdf_sha256 or "") == one
        assert repository.find(f" {one.identifier.lower()} ") == one
        assert repository.find("JYA1") == one
        assert repository.find("JYA2") is None
        assert repository.by_identifier("1.2.3") is None
        assert repository.count() == 1


def test_a_holder_s_licences_newest_first(database: Database) -> None:
    old, new = licence("A1"), licence("B2", issued_at=LATER)
    other = licence("C3", holder_code=samples.credit_code(2))
    with database.transaction() as session:
        for one in (old, new, other):
            LicenceRepository(session, index=INDEX).add(one)
    with database.reading() as session:
        found = LicenceRepository(session, index=INDEX)
        assert found.of_holder(samples.credit_code(1)) == [new, old]
        assert found.of_holder(f" {samples.credit_code(1).lower()} ", limit=1) == [new]
        assert LicenceRepository(session, index=OTHER_INDEX).of_holder(samples.credit_code(1)) == []
        with pytest.raises(UsageError, match="with the key"):
            LicenceRepository(session).of_holder(samples.credit_code(1))


def test_licences_that_were_added_without_the_key_are_indexed_later(database: Database) -> None:
    several = [licence(f"A{number}") for number in range(5)]
    add(database, *several)
    with database.transaction() as session:
        found = LicenceRepository(session, index=INDEX)
        assert found.of_holder(samples.credit_code(1)) == []
        assert [found.index_holders(limit=3) for _ in range(3)] == [3, 2, 0]
        assert len(found.of_holder(samples.credit_code(1))) == 5
        with pytest.raises(UsageError, match="with the key"):
            LicenceRepository(session).index_holders()


def test_versions_are_linked_both_ways(database: Database) -> None:
    first = licence()
    second = successor(first)
    add(database, first, second)
    with database.reading() as session:
        repository = LicenceRepository(session)
        found = repository.versions(first.identifier)
        assert [one.version for one in found] == [1, 2]
        assert found[0].replaced_by == second.identifier
        assert found[1].replaces == first.identifier
        assert repository.by_number(first.number) == second, "the number leads to the current version"
        assert repository.versions(second.identifier) == found
        assert lineage(first.identifier) == lineage(second.identifier)


def test_the_same_version_or_number_is_never_added_twice(database: Database) -> None:
    one = licence()
    add(database, one)
    for again in (one, licence("B2", number=one.number), licence("A1", version=2)):
        with pytest.raises(Conflict):
            add(database, again)
    with database.reading() as session:
        assert LicenceRepository(session).count() == 1


def test_a_version_is_replaced_once(database: Database) -> None:
    first = licence()
    add(database, first, successor(first))
    with pytest.raises(Conflict, match="replaced already"):
        add(database, successor(first, identifier=licence("A1", version=3).identifier, version=3))


def test_the_same_number_of_two_types_needs_the_type(database: Database) -> None:
    add(database, licence("A1", number="7"), licence("B2", number="7", type_code="construction-permit"))
    with database.reading() as session:
        repository = LicenceRepository(session)
        with pytest.raises(Conflict, match="say which type"):
            repository.by_number("7")
        found = repository.by_number("7", type_code="construction-permit")
        assert found
        assert found.type_code == "construction-permit"


def test_events_come_back_in_order_and_make_the_standing(database: Database) -> None:
    one = licence()
    add(database, one)
    events = [event(EventKind.SUSPENDED), event(EventKind.RESUMED, LATER + timedelta(days=1))]
    with database.transaction() as session:
        for happened in events:
            LicenceRepository(session).add_event(one.identifier, happened)
    with database.reading() as session:
        repository = LicenceRepository(session)
        found = repository.events(one.identifier)
        assert found == [replace(item, sequence=n) for n, item in enumerate(events, 1)]
        found = repository.standing(
            one.identifier, as_of=LATER + timedelta(hours=1), known_at=LATER + timedelta(days=9)
        )
        assert found.state is State.SUSPENDED
        nowhere = repository.standing("1.2.3", as_of=LATER, known_at=LATER)
        assert nowhere.state is State.UNKNOWN


def test_nothing_follows_an_ending(database: Database) -> None:
    one = licence()
    add(database, one)
    with database.transaction() as session:
        LicenceRepository(session).add_event(one.identifier, event(EndingKind.REVOKED))
    for kind in (EndingKind.WITHDRAWN, EventKind.SUSPENDED):
        with pytest.raises(Conflict, match="revoked"), database.transaction() as session:
            LicenceRepository(session).add_event(one.identifier, event(kind))
    with pytest.raises(NotFound), database.transaction() as session:
        LicenceRepository(session).add_event("1.2.3", event(EndingKind.REVOKED))


def test_copies_are_remembered(database: Database) -> None:
    one = licence()
    copy = CredentialCopy("https://a/status/1", 7, one.identifier, "ab" * 32, "cd" * 32, T0)
    add(database, one)
    with database.transaction() as session:
        LicenceRepository(session).add_copy(copy)
    with database.reading() as session:
        assert LicenceRepository(session).copies(one.identifier) == [copy]
    with pytest.raises(Conflict), database.transaction() as session:
        LicenceRepository(session).add_copy(copy)


def test_serials_are_never_given_twice(database: Database) -> None:
    taken: list[int] = []

    def take() -> None:
        for _ in range(10):
            with database.transaction() as session:
                taken.extend(LicenceRepository(session).take_serials("food", "2026", count=3))

    together(take, take, take)
    assert sorted(taken) == list(range(1, 91))
    with database.transaction() as session:
        assert LicenceRepository(session).take_serials("food", "2027") == range(1, 2)


def together(*tasks: Callable[[], None]) -> list[Exception | None]:
    """Run tasks at the same moment, each in a thread; what each raised."""
    gate, answers = threading.Barrier(len(tasks)), list[Exception | None]([None] * len(tasks))

    def run(place: int) -> None:
        gate.wait()
        try:
            tasks[place]()
        except Exception as exc:  # noqa: BLE001 - handed to the test
            answers[place] = exc

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("round_", range(3))
def test_two_endings_at_once_leave_one(database: Database, round_: int) -> None:
    one = licence()
    add(database, one)

    def end(kind: EndingKind) -> Callable[[], None]:
        def run() -> None:
            with database.transaction() as session:
                LicenceRepository(session).add_event(one.identifier, event(kind))

        return run

    answers = together(end(EndingKind.REVOKED), end(EndingKind.WITHDRAWN), end(EndingKind.DEREGISTERED))
    assert [type(answer) for answer in answers].count(Conflict) == 2
    assert answers.count(None) == 1
    with database.reading() as session:
        assert len(LicenceRepository(session).events(one.identifier)) == 1


@pytest.mark.parametrize("round_", range(3))
def test_two_replacements_at_once_leave_one_current_version(database: Database, round_: int) -> None:
    first = licence()
    add(database, first)
    answers = together(*[lambda: add(database, successor(first))] * 3)
    assert answers.count(None) == 1
    assert [type(answer) for answer in answers].count(Conflict) == 2
    with database.reading() as session:
        assert LicenceRepository(session).count() == 1
        assert len(LicenceRepository(session).versions(first.identifier)) == 2
