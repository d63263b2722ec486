"""The office at work: one licence from the application to its end, and a file of them."""

from __future__ import annotations

import io
import json
import threading
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pikepdf
import pytest
from sqlalchemy import text
from world.databases import with_tables
from world.office import URL, WHY, Office

from credentials import samples
from credentials.documents import DocumentStore
from credentials.face.page import ATTACHMENT
from credentials.issuer import Issuer
from credentials.licence import EndingKind
from credentials.repository import LicenceRepository
from credentials.sd_jwt import SdJwt
from credentials.standing import State
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from signing.base64url import decode_base64url
from signing.jose import parse_jws
from signing.pdf import verify
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from yinxin.base.actor import Actor, ActorKind, system
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted, SignerUnavailable, UsageError
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from world.pki import Pki

    from credentials.issuer import IssuedLicence
    from yinxin.base.database import Database


@pytest.fixture
def office(pki: Pki, database: Database) -> Office:
    return Office(pki, database)


@pytest.fixture
def quick(pki: Pki) -> Iterator[Office]:
    """An office on a database in memory, for what does not depend on storage."""
    database = with_tables()
    yield Office(pki, database)
    database.close()


def status(office: Office, issued: IssuedLicence) -> int:
    """What the published list says of a licence's credential."""
    entry = SdJwt.parse(issued.credential).payload["status"]["status_list"]
    published = parse_jws(office.status.token(entry["uri"])).claims()["status_list"]
    data, bits, index = zlib.decompress(decode_base64url(published["lst"])), published["bits"], entry["idx"]
    return data[index * bits // 8] >> (index * bits % 8) & ((1 << bits) - 1)


def actions(office: Office) -> list[str]:
    with office.database.reading() as session:
        rows = session.execute(text("SELECT body FROM audit_inbox")).all()
    return [json.loads(row[0])["action"] for row in rows]


def test_a_licence_is_page_credential_row_and_entry(office: Office) -> None:
    issued = office.issue()
    licence = issued.licence
    identifier = LicenceIdentifier.parse(licence.identifier)
    assert (identifier.issuer, identifier.version, identifier.warnings) == (
        samples.AGENCY.credit_code,
        "001",
        (),
    )
    assert licence.number == "JY21201990000001"
    with office.database.reading() as session:
        repository = LicenceRepository(session)
        assert repository.by_identifier(licence.identifier) == licence
        (copy,) = repository.copies(licence.identifier)
    assert copy.holder_key == office.holder.public_key.fingerprint
    assert office.standing(licence.identifier).state is State.IN_FORCE
    assert status(office, issued) == VALID
    assert actions(office).count("licence.issue") == 1


def test_the_sealed_page_verifies_and_says_which_licence_it_is(quick: Office) -> None:
    issued = quick.issue("real-estate-certificate")
    at = quick.now + timedelta(hours=1)
    trust = TrustStore([quick.pki.root.certificate])
    lists = [Crl.from_der(authority.crl(at)) for authority in (quick.pki.root, quick.pki.issuing)]
    report = verify(issued.pdf, trust, revocation=RevocationSnapshot(lists), now=at)
    inside = report.findings["attachments"]
    assert set(inside) == {ATTACHMENT}
    assert not [check for check in report.checks if check.reason and "timestamp" not in check.reason.code], (
        report.to_json()
    )
    with pikepdf.open(io.BytesIO(issued.pdf)) as document:
        content = json.loads(document.attachments[ATTACHMENT].get_file().read_bytes())
    assert content["certificate_identifier"] == issued.licence.identifier


def test_the_credential_keeps_personal_data_back(quick: Office) -> None:
    issued = quick.issue("physician-certificate")
    parsed = SdJwt.parse(issued.credential)
    kind = quick.catalogue["physician-certificate"]
    assert parsed.issuer_jwt.header["typ"] == "dc+sd-jwt"
    assert parsed.payload["iss"] == URL
    assert parsed.payload["vct"] == kind.vct
    assert parsed.payload["cnf"]["jwk"] == quick.holder.public_key.to_jwk()
    assert parsed.payload["licence_identifier"] == issued.licence.identifier
    assert "exp" not in parsed.payload, "unlimited"
    shown = json.dumps(parsed.payload, ensure_ascii=False)
    for one in kind.fields:
        value = issued.licence.claims[one.name]
        assert (one.name in parsed.payload) is not one.personal or one.disclosable
        if one.personal and isinstance(value, str) and len(value) > 2:
            assert value not in shown
    assert parsed.claims["citizen_number"] == issued.licence.holder_code


def test_without_a_holder_s_key_there_is_no_credential(quick: Office) -> None:
    claims = samples.application("food-business-licence")
    issued = quick.issuer.issue("food-business-licence", claims, holder=None, actor=quick.clerk)
    assert issued.credential is None
    with quick.database.reading() as session:
        assert LicenceRepository(session).copies(issued.licence.identifier) == []


def test_a_fixed_term_and_a_commitment(quick: Office) -> None:
    licence = quick.issue("hygiene-licence-on-commitment").licence
    assert (str(licence.valid_from), str(licence.valid_until)) == ("2026-11-20", "2030-11-19")
    assert str(licence.commitment_due) == "2027-01-20"
    quick.clock.advance(timedelta(days=70))
    assert quick.standing(licence.identifier).commitment_is_overdue
    quick.issuer.meet_commitment(licence.identifier, actor=quick.clerk, **WHY)
    assert not quick.standing(licence.identifier).commitment_is_overdue
    with pytest.raises(Conflict):
        quick.issuer.meet_commitment(licence.identifier, actor=quick.clerk, **WHY)
    with pytest.raises(Conflict):
        quick.issuer.meet_commitment(quick.issue().licence.identifier, actor=quick.clerk, **WHY)


def test_a_faulty_application_leaves_nothing(office: Office) -> None:
    claims = {**samples.application("food-business-licence"), "credit_code": "1", "main_format": ""}
    with pytest.raises(InvalidClaims) as caught:
        office.issuer.issue("food-business-licence", claims, holder=None, actor=office.clerk)
    assert [name for name, _ in caught.value.faults] == ["credit_code", "main_format"]
    with office.database.reading() as session:
        assert LicenceRepository(session).count() == 0


def test_only_staff_issue(quick: Office) -> None:
    holder = Actor(ActorKind.HOLDER, "thumbprint")
    with pytest.raises(NotPermitted):
        quick.issuer.issue("food-business-licence", {}, holder=None, actor=holder)
    issued = quick.issue()
    for act in (quick.issuer.suspend, quick.issuer.resume, quick.issuer.meet_commitment):
        with pytest.raises(NotPermitted):
            act(issued.licence.identifier, actor=holder, **WHY)
    with pytest.raises(NotPermitted):
        quick.issuer.replace(issued.licence.identifier, {}, holder=None, actor=holder, **WHY)
    quick.issuer.suspend(issued.licence.identifier, actor=system("timer"), **WHY)


def test_suspended_then_resumed(office: Office) -> None:
    issued = office.issue()
    name = issued.licence.identifier
    office.clock.advance(timedelta(days=1))
    paused = office.now
    office.issuer.suspend(name, actor=office.clerk, **WHY)
    assert office.standing(name).state is State.SUSPENDED
    assert status(office, issued) == SUSPENDED
    with pytest.raises(Conflict):
        office.issuer.suspend(name, actor=office.clerk, **WHY)
    office.clock.advance(timedelta(days=2))
    office.issuer.resume(name, actor=office.clerk, **WHY)
    assert status(office, issued) == VALID
    assert office.standing(name).holds
    assert office.standing(name, as_of=paused).state is State.SUSPENDED
    assert office.standing(name, known_at=paused - timedelta(seconds=1), as_of=paused).holds
    with pytest.raises(Conflict):
        office.issuer.resume(name, actor=office.clerk, **WHY)
    assert [one for one in actions(office) if one in {"licence.suspended", "licence.resumed"}] == [
        "licence.suspended",
        "licence.resumed",
    ]


@pytest.mark.parametrize(
    "kind", [EndingKind.DEREGISTERED, EndingKind.ANNULLED, EndingKind.WITHDRAWN, EndingKind.REVOKED]
)
def test_a_licence_ends_by_its_legal_kind(quick: Office, kind: EndingKind) -> None:
    issued = quick.issue()
    name, before = issued.licence.identifier, quick.now
    quick.clock.advance(timedelta(days=30))
    since = quick.now - timedelta(days=10)
    quick.issuer.end(name, kind, effective_from=since, actor=quick.clerk, **WHY)
    assert quick.standing(name).state is State(kind)
    assert status(quick, issued) == INVALID
    earlier = State.ANNULLED if kind is EndingKind.ANNULLED else State.IN_FORCE
    assert quick.standing(name, as_of=since - timedelta(seconds=1)).state is earlier
    assert quick.standing(name, as_of=since, known_at=before).holds, "nobody knew it then"
    for act in (
        lambda: quick.issuer.end(name, EndingKind.REVOKED, actor=quick.clerk, **WHY),
        lambda: quick.issuer.suspend(name, actor=quick.clerk, **WHY),
        lambda: quick.issuer.replace(name, {}, holder=None, actor=quick.clerk, **WHY),
    ):
        with pytest.raises(Conflict):
            act()


def test_after_its_last_day(quick: Office) -> None:
    name = quick.issue().licence.identifier
    with pytest.raises(Conflict):
        quick.issuer.end(name, EndingKind.EXPIRED, actor=quick.clerk, **WHY)
    quick.clock.advance(timedelta(days=366 * 5))
    assert quick.standing(name).state is State.EXPIRED
    with pytest.raises(Conflict):
        quick.issuer.end(name, EndingKind.REVOKED, actor=quick.clerk, **WHY)
    with pytest.raises(Conflict):
        quick.issuer.suspend(name, actor=quick.clerk, **WHY)
    quick.issuer.end(name, EndingKind.DEREGISTERED, actor=quick.clerk, **WHY)
    assert quick.standing(name).state is State.DEREGISTERED


def test_an_event_needs_its_ground_and_a_time_that_has_come(quick: Office) -> None:
    name = quick.issue().licence.identifier
    with pytest.raises(UsageError):
        quick.issuer.suspend(name, ground=" ", document_number="7", actor=quick.clerk)
    with pytest.raises(UsageError):
        quick.issuer.suspend(name, ground="法", document_number="", actor=quick.clerk)
    with pytest.raises(UsageError):
        quick.issuer.suspend(name, effective_from=quick.now + timedelta(days=1), actor=quick.clerk, **WHY)
    with pytest.raises(UsageError):
        quick.issuer.end(
            name, EndingKind.REVOKED, effective_from=quick.now - timedelta(days=9), actor=quick.clerk, **WHY
        )
    with pytest.raises(UsageError):
        quick.issuer.end(name, EndingKind.SUPERSEDED, actor=quick.clerk, **WHY)
    with pytest.raises(NotFound):
        quick.issuer.suspend("1.2.3", actor=quick.clerk, **WHY)
    with pytest.raises(NotFound):
        quick.issuer.replace("1.2.3", {}, holder=None, actor=quick.clerk, **WHY)


def test_an_event_is_never_put_before_one_that_is_recorded(quick: Office) -> None:
    name = quick.issue().licence.identifier
    quick.clock.advance(timedelta(days=10))
    quick.issuer.suspend(name, actor=quick.clerk, **WHY)
    quick.clock.advance(timedelta(days=1))
    with pytest.raises(Conflict):
        quick.issuer.resume(name, effective_from=quick.now - timedelta(days=5), actor=quick.clerk, **WHY)


def test_a_replacement_keeps_the_number_and_links_both_ways(office: Office) -> None:
    first = office.issue()
    office.clock.advance(timedelta(days=40))
    moved = {**samples.application("food-business-licence", 1), "business_premises": "津城市津城区学苑路9号"}
    second = office.issuer.replace(
        first.licence.identifier, moved, holder=office.holder.public_key, actor=office.clerk, **WHY
    )
    old, new = first.licence, second.licence
    assert (new.number, new.version, new.replaces) == (old.number, 2, old.identifier)
    assert (new.valid_from, new.valid_until) == (old.valid_from, old.valid_until), "the term stays"
    assert new.identifier.rsplit(".", 2)[0] == old.identifier.rsplit(".", 2)[0]
    found = office.standing(old.identifier)
    assert found.state is State.SUPERSEDED
    assert found.superseded_by == new.identifier
    assert office.standing(new.identifier).holds
    assert office.standing(old.identifier, as_of=old.issued_at).holds
    assert (status(office, first), status(office, second)) == (INVALID, VALID)
    with office.database.reading() as session:
        repository = LicenceRepository(session)
        assert [one.replaced_by for one in repository.versions(old.identifier)] == [new.identifier, None]
        assert repository.by_number(old.number) == new
    with pytest.raises(Conflict):
        office.issuer.replace(old.identifier, moved, holder=None, actor=office.clerk, **WHY)
    done = [one for one in actions(office) if one.startswith("licence.")]
    assert done == ["licence.issue", "licence.superseded", "licence.replace"]


def test_a_renewal_begins_a_new_term(quick: Office) -> None:
    first = quick.issue()
    quick.clock.advance(timedelta(days=365 * 4))
    claims = samples.application("food-business-licence", 1)
    second = quick.issuer.renew(first.licence.identifier, claims, actor=quick.clerk, **WHY)
    assert str(second.licence.valid_from) == "2030-11-19"
    assert str(second.licence.valid_until) == "2035-11-18"


def test_a_replacement_and_an_ending_at_once_leave_one(office: Office) -> None:
    name = office.issue().licence.identifier
    claims = samples.application("food-business-licence", 1)
    gate, failed = threading.Barrier(2), []

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except Conflict as exc:
            failed.append(exc)

    def replace() -> object:
        return office.issuer.replace(name, claims, holder=None, actor=office.clerk, **WHY)

    def end() -> object:
        return office.issuer.end(name, EndingKind.REVOKED, actor=office.clerk, **WHY)

    threads = [threading.Thread(target=run, args=(act,)) for act in (replace, end)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 1
    with office.database.reading() as session:
        repository = LicenceRepository(session)
        ended = [event.kind for event in repository.events(name)]
        versions = repository.versions(name)
    assert len(ended) == 1
    assert len(versions) == (2 if ended == [EndingKind.SUPERSEDED] else 1)


def test_a_file_of_applications(office: Office) -> None:
    steps: list[tuple[int, int]] = []
    result = office.issuer.issue_rows(
        samples.applications_csv(),
        actor=office.clerk,
        holder_key=lambda _kind, _claims: office.holder.public_key,
        progress=lambda done, total: steps.append((done, total)),
        approval="case-1",
    )
    assert (result.total, len(result.issued)) == (48, 38)
    assert [(fault.row, fault.column) for fault in result.faults] == [
        (row, one) for row, one, _ in samples.FAULTS
    ]
    glyph = next(fault for fault in result.faults if fault.row == 35)
    assert "𠔻" in glyph.reason.zh
    assert steps[0] == (9, 48)
    assert steps[-1] == (48, 48)
    assert {issued.licence.type_code for issued in result.issued} == {kind.code for kind in office.catalogue}
    assert len({issued.licence.number for issued in result.issued}) == 38
    with office.database.reading() as session:
        assert LicenceRepository(session).count() == 38
    assert actions(office).count("licence.issue") == 38


def test_a_failing_key_stops_the_batch_and_keeps_what_was_done(
    quick: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise SignerUnavailable("the token was pulled out")

    monkeypatch.setattr(quick.issuer._production.seal, "apply", fail)
    with pytest.raises(SignerUnavailable):
        quick.issuer.issue_rows(samples.applications_csv(), actor=quick.clerk)
    with quick.database.reading() as session:
        assert LicenceRepository(session).count() == 0


def test_documents_are_kept(quick: Office, tmp_path: Path) -> None:
    store = DocumentStore(tmp_path, b"k" * 32)
    production = quick.issuer._production
    issuer = Issuer(
        URL,
        catalogue=quick.catalogue,
        database=quick.database,
        seal=production.seal,
        credential_signer=production.credential_signer,
        status=quick.status,
        authority=samples.AGENCY,
        clock=quick.clock,
        documents=store,
    )
    claims = samples.application("food-business-licence")
    issued = issuer.issue("food-business-licence", claims, holder=None, actor=quick.clerk)
    assert store.get(issued.licence.pdf_sha256 or "") == issued.pdf


def test_no_personal_data_in_the_audit_log(quick: Office) -> None:
    issued = quick.issue("physician-certificate", 5)
    with quick.database.reading() as session:
        rows = session.execute(text("SELECT body, subject FROM audit_inbox")).all()
    logged = "".join(str(one) for row in rows for one in row)
    assert issued.licence.holder_code not in logged
    assert issued.licence.holder_name not in logged
