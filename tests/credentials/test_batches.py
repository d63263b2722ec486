"""A file of applications: each row leads to one licence, whatever happens meanwhile, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from world.office import Office
from world.rows import csv_of

from credentials import samples
from credentials.batches.repository import BatchRepository
from credentials.batches.work import STALE
from credentials.blind_index import BlindIndex
from credentials.documents import DocumentStore
from credentials.face.page import Page
from yinxin.base.errors import Conflict, NotFound, SignerUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from world.pki import Pki

    from credentials.batches.work import BatchResult
    from credentials.production import IssuedLicence
    from yinxin.base.database import Database

TYPE = "hygiene-licence-on-commitment"


def rows(*indexes: int, cases: Sequence[str] = ()) -> bytes:
    return csv_of(TYPE, indexes, cases=cases)


@pytest.fixture
def office(pki: Pki, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office with a document store, whose pages are set and sealed in no time."""
    store = DocumentStore(tmp_path / "documents", b"k" * 32)
    made = Office(pki, database, documents=store)
    monkeypatch.setattr(
        "credentials.face.page.Typesetter.typeset", lambda *_, **__: Page(b"%PDF-1.7 page", (100, 100))
    )
    stamps = iter(range(10_000))
    monkeypatch.setattr("signing.pdf.Seal.apply", lambda *_, **__: b"%%PDF-1.7 sealed %d" % next(stamps))
    return made


def issue(office: Office, data: bytes, *, resume: bool = False) -> BatchResult:
    return office.issuer.issue_rows(
        data,
        type_code=TYPE,
        actor=office.clerk,
        holder_key=lambda _kind, _claims: office.holder.public_key,
        resume=resume,
        workers=2,
    )


def count(office: Office, table: str) -> int:
    with office.database.reading() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - ours


def test_the_same_file_twice_is_refused_and_resuming_it_finds_nothing_to_do(office: Office) -> None:
    data = rows(*range(20))
    first = issue(office, data)
    assert (len(first.issued), first.before, first.total) == (20, (), 20)
    with pytest.raises(Conflict, match="20 of 20 rows led to a licence"):
        issue(office, data)
    again = issue(office, data, resume=True)
    assert (again.issued, again.faults, again.batch) == ((), (), first.batch)
    assert {one.licence for one in again.before} == {one.licence.identifier for one in first.issued}
    assert [one.row for one in again.before] == list(range(2, 22))
    assert count(office, "licence") == 20


def test_a_batch_that_a_failing_key_stopped_goes_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    data, sealed = rows(*range(40)), []
    apply = type(office.issuer._production.seal).apply

    def fail(*_: object, **__: object) -> bytes:
        sealed.append(1)
        if len(sealed) > 20:
            raise SignerUnavailable("the token was pulled out")
        return apply(office.issuer._production.seal, b"", now=office.now)

    with monkeypatch.context() as broken:
        broken.setattr("signing.pdf.Seal.apply", fail)
        with pytest.raises(SignerUnavailable):
            issue(office, data)
    assert count(office, "licence") == 16
    with office.database.reading() as session:
        (batch,) = BatchRepository(session).of_agency(samples.AGENCY.credit_code)
    assert (batch.total, batch.issued, batch.ended_at) == (40, 16, None)
    rest = issue(office, data, resume=True)
    assert (len(rest.issued), len(rest.before)) == (24, 16)
    assert count(office, "licence") == 40
    with office.database.reading() as session:
        found = BatchRepository(session).find(batch.id)
        numbers = session.execute(text("SELECT count(DISTINCT number) FROM licence")).scalar_one()
    assert found is not None
    assert (found.issued, found.ended_at, found.faulty) == (40, office.now, 0)
    assert numbers == 40
    assert count(office, "licence_draft") == 0


def test_a_case_number_leads_to_one_licence_in_any_file(office: Office) -> None:
    issue(office, rows(1, 2, cases=["C-1", "C-2"]))
    result = issue(office, rows(7, 8, 9, cases=["C-2", "C-3", "C-3"]))
    assert [one.row for one in result.before] == [2]
    assert len(result.issued) == 1
    assert [(fault.row, fault.reason.en) for fault in result.faults] == [(4, "has the case number of row 3")]
    assert count(office, "licence") == 3


def test_rows_that_say_the_same_are_two_where_their_cases_are(office: Office) -> None:
    result = issue(office, rows(5, 5, cases=["C-1", "C-2"]))
    assert (len(result.issued), result.faults) == (2, ())


def test_a_number_in_use_is_the_fault_of_its_row_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(("taken", "a", "taken", "b"))
    monkeypatch.setattr("credentials.production._number", lambda *_: next(numbers))
    office.issuer.issue(TYPE, samples.application(TYPE, 9), holder=None, actor=office.clerk)
    result = issue(office, rows(1, 2, 3))
    assert [(fault.row, fault.reason.en) for fault in result.faults] == [
        (3, "another licence has this number")
    ]
    assert [one.licence.number for one in result.issued] == ["a", "b"]
    assert count(office, "licence") == 3


def test_documents_that_a_killed_process_left_are_removed_later(office: Office) -> None:
    documents = office.issuer._production.documents
    assert documents is not None
    lost = documents.put(b"sealed by a process that was killed then")
    with office.database.transaction() as session:
        BatchRepository(session).add_drafts([lost], at=office.now)
    issue(office, rows(1))
    assert lost in documents  # perhaps somebody is at work on it
    office.clock.advance(STALE + timedelta(seconds=1))
    issue(office, rows(2))
    assert lost not in documents
    assert count(office, "licence_draft") == 0


def test_every_licence_is_told_when_it_is_recorded(office: Office) -> None:
    told: list[IssuedLicence] = []
    result = office.issuer.issue_rows(rows(1, 2, 3), type_code=TYPE, actor=office.clerk, each=told.append)
    assert told == list(result.issued)


def test_a_document_is_handed_out_by_its_licence(office: Office) -> None:
    (issued,) = issue(office, rows(1)).issued
    assert office.issuer.document(issued.licence.identifier) == issued.pdf
    with pytest.raises(NotFound):
        office.issuer.document("1.2.3")


def test_a_row_s_key_needs_the_key_of_the_index(pki: Pki, database: Database, office: Office) -> None:
    issue(office, rows(1))
    other = Office(pki, database)
    object.__setattr__(other.issuer._production, "index", BlindIndex(b"x" * 32))
    assert issue(other, rows(1), resume=True).before == ()
    with pytest.raises(UsageError):
        BlindIndex(b"short")
