"""A company applies, staff proof it, a second person approves: nobody gets a certificate alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography import x509
from sqlmodel import select
from world.authority import (
    CLERK,
    COMPANY,
    COMPANY_CODE,
    EVIDENCE,
    REGISTRAR,
    REVIEWER,
    Office,
    company_name,
    csr,
    name,
)

from ca.issuance import Application, Authority
from ca.names import SubjectName
from ca.proofing import Proofing, ProofingMethod
from ca.records import ApprovalRecord
from ca.registration import Registration
from ca.repository import ApplicationRepository
from signing.certificates import Certificate
from signing.signers.file import FileSigner
from yinxin.base.actor import Actor, ActorKind, staff
from yinxin.base.audit.records import INBOX
from yinxin.base.errors import (
    Conflict,
    InvalidClaims,
    IssuanceRefused,
    MalformedInput,
    NotFound,
    NotPermitted,
    SignerUnavailable,
    UnknownProfile,
    UsageError,
    YinxinError,
)

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND_REVIEWER = staff("reviewer-4", roles=("reviewer",))


def applied(office: Office, *, signer: FileSigner | None = None, proofed: bool = True) -> str:
    request = csr(signer or FileSigner.generate())
    identifier = office.registration.apply("organisation-seal", company_name(), csr=request, actor=COMPANY)
    if proofed:
        office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    return identifier


def test_a_company_gets_its_certificate(stored_office: Office) -> None:
    office, signer = stored_office, FileSigner.generate()
    identifier = office.registration.apply(
        "organisation-seal",
        SubjectName(common_name="津城面包坊有限公司", organisation="津城面包坊有限公司"),
        credit_code=str(COMPANY_CODE),
        csr=csr(signer),
        actor=COMPANY,
    )
    assert [row.identifier for row in office.registration.list(state="applied")] == [identifier]
    office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    certificate = office.registration.approve(identifier, REVIEWER)
    row = office.registration.get(identifier)
    assert (row.state, row.serial, row.applicant) == ("issued", certificate.serial, "holder:company-8")
    assert certificate.public_key == signer.public_key
    assert office.authority.find(certificate.serial) == certificate
    actions = [
        "authority", "application.apply", "application.proof", "application.approve", "certificate.intend",
        "certificate.issue", "application.issue",
    ]  # fmt: skip
    with office.database.reading() as session:
        bodies = "".join(session.scalars(select(INBOX.c.body).order_by(INBOX.c.number)))
    places = [bodies.index(f'"action":"{action}"') for action in actions[1:2] + actions[2:4]]
    assert places == sorted(places)
    assert all(f'"action":"{action}"' in bodies for action in actions[1:])
    assert "面包坊" not in bodies  # the log holds no names


def test_a_request_gives_its_key_and_nothing_else(office: Office) -> None:
    signer = FileSigner.generate()
    request = csr(
        signer,
        "津城根 Root",
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.SubjectAlternativeName([x509.DNSName("bank.example")]), False),
        (x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.3")]), False),
    )
    identifier = office.registration.apply("organisation-seal", company_name(), csr=request, actor=COMPANY)
    office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    certificate = office.registration.approve(identifier, REVIEWER)
    assert certificate.common_name == "津城面包坊有限公司"
    extensions = certificate.x509.extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert not [each for each in extensions if isinstance(each.value, x509.SubjectAlternativeName)]
    assert b"bank.example" not in certificate.der


def test_a_request_of_somebody_elses_key_proves_nothing(office: Office) -> None:
    mine, theirs = csr(FileSigner.generate()), csr(FileSigner.generate())
    der = [x509.load_pem_x509_csr(each) for each in (mine, theirs)]
    forged = der[0].tbs_certrequest_bytes + b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
    forged += b"\x03" + bytes((len(der[1].signature) + 1,)) + b"\0" + der[1].signature
    forged = b"\x30\x82" + len(forged).to_bytes(2, "big") + forged
    for wrong in (forged, b"", b"\x30\x00", mine[:-40], b"x" * 20_000, mine + mine):
        with pytest.raises(MalformedInput):
            office.registration.apply("organisation-seal", company_name(), csr=wrong, actor=COMPANY)


def test_nobody_approves_what_they_had_a_hand_in(office: Office) -> None:
    everything = staff("clerk-17", roles=("clerk", "reviewer"))
    identifier = applied(office)
    with pytest.raises(NotPermitted, match="does not approve"):
        office.registration.approve(identifier, everything)  # the one who proofed
    with pytest.raises(NotPermitted, match="no member of staff"):
        office.registration.approve(identifier, COMPANY)
    with pytest.raises(NotPermitted, match="lacks the role"):
        office.registration.approve(identifier, staff("clerk-18"))
    with pytest.raises(NotPermitted, match="own people"):
        office.registration.approve(identifier, staff("boss", agency=str(COMPANY_CODE), roles=("reviewer",)))
    office.registration.amend(identifier, subject=company_name("津城新面包坊有限公司"), actor=SECOND_REVIEWER)
    office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    with pytest.raises(NotPermitted, match="does not approve"):
        office.registration.approve(identifier, SECOND_REVIEWER)  # the one who edited
    own = office.registration.apply(
        "department-client", company_name(), csr=csr(FileSigner.generate()), actor=REVIEWER
    )
    with pytest.raises(NotPermitted, match="does not approve"):
        office.registration.approve(own, REVIEWER)
    assert office.registration.approve(own, REGISTRAR)


def test_an_applicant_cannot_proof_itself(office: Office) -> None:
    identifier = office.registration.apply(
        "organisation-seal", company_name(), csr=csr(FileSigner.generate()), actor=CLERK
    )
    for prover in (COMPANY, CLERK):
        with pytest.raises(NotPermitted):
            office.registration.record_proofing(identifier, EVIDENCE, actor=prover)


def test_without_proofing_that_is_in_force_there_is_no_approval(office: Office) -> None:
    identifier = applied(office, proofed=False)
    with pytest.raises(IssuanceRefused, match="identity"):
        office.registration.approve(identifier, REVIEWER)
    office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    with pytest.raises(Conflict):
        office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    office.clock.advance(timedelta(days=30))
    with pytest.raises(IssuanceRefused, match="identity"):
        office.registration.approve(identifier, REVIEWER)
    assert office.registration.get(identifier).state == "applied"


def test_an_edit_voids_what_was_said_of_the_old_content(office: Office) -> None:
    identifier = applied(office)
    seen = office.registration.get(identifier).revision
    office.registration.amend(identifier, csr=csr(FileSigner.generate()), actor=COMPANY)
    with pytest.raises(Conflict, match="edited since"):
        office.registration.approve(identifier, REVIEWER, revision=seen)
    with pytest.raises(IssuanceRefused, match="identity"):
        office.registration.approve(identifier, REVIEWER)
    office.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
    assert office.registration.approve(identifier, REVIEWER, revision=seen + 1)
    with pytest.raises(Conflict):
        office.registration.amend(identifier, subject=company_name("晚了"), actor=COMPANY)


def test_an_edit_voids_an_approval_that_was_not_used_yet(office: Office) -> None:
    identifier = applied(office)
    with pytest.raises(SignerUnavailable):
        _without_key(office).approve(identifier, REVIEWER)
    assert office.registration.get(identifier).state == "approved"
    office.registration.amend(identifier, subject=company_name("津城新面包坊有限公司"), actor=COMPANY)
    assert office.registration.get(identifier).state == "applied"
    with pytest.raises(Conflict):
        office.registration.complete(identifier, REVIEWER)


def test_an_approval_stands_while_the_key_is_away(stored_office: Office) -> None:
    identifier = applied(stored_office)
    with pytest.raises(SignerUnavailable):
        _without_key(stored_office).approve(identifier, REVIEWER)
    with pytest.raises(Conflict):
        stored_office.registration.approve(identifier, SECOND_REVIEWER)
    certificate = stored_office.registration.complete(identifier, SECOND_REVIEWER)
    assert stored_office.registration.get(identifier).serial == certificate.serial
    with pytest.raises(Conflict):
        stored_office.registration.complete(identifier, SECOND_REVIEWER)


def test_two_who_approve_at_once_make_one_certificate(stored_office: Office) -> None:
    office = stored_office
    reviewers = [staff(f"reviewer-{number}", roles=("reviewer",)) for number in range(4)]
    for _ in range(5):
        identifier = applied(office)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(partial(_try, office, identifier), reviewers))
        assert sum(isinstance(answer, Certificate) for answer in answers) == 1, answers
        assert {type(answer) for answer in answers} == {Certificate, Conflict}
    assert len(office.authority.issued()) == 5


def test_a_crash_while_issuing_is_put_right(office: Office) -> None:
    class Gone(BaseException):
        pass

    first, second = applied(office), applied(office)
    _, third = office.company_seal()

    def die_before(*_: object, **__: object) -> None:
        raise Gone

    registration = office.registration
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(office.authority, "issue", die_before)
        with pytest.raises(Gone):
            registration.approve(first, REVIEWER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registration, "_settle", die_before)
        with pytest.raises(Gone):
            registration.approve(second, REVIEWER)

    assert set(office.registration.reconcile(actor=REGISTRAR)) == {first, second}
    assert office.registration.get(first).state == "approved"
    assert office.registration.get(second).state == "issued"
    assert office.registration.complete(first, REVIEWER) != third


def test_rejected_and_withdrawn_are_ends(office: Office) -> None:
    rejected, withdrawn = applied(office), applied(office)
    with pytest.raises(NotPermitted):
        office.registration.reject(rejected, reason="no", actor=COMPANY)
    with pytest.raises(UsageError):
        office.registration.reject(rejected, reason="", actor=REVIEWER)
    office.registration.reject(rejected, reason="营业执照已吊销", actor=REVIEWER)
    assert office.registration.get(rejected).note == "营业执照已吊销"
    with pytest.raises(NotPermitted):
        office.registration.withdraw(withdrawn, actor=Actor(ActorKind.HOLDER, "company-9"))
    office.registration.withdraw(withdrawn, actor=COMPANY)
    for identifier in (rejected, withdrawn):
        for step in (
            lambda each: office.registration.approve(each, REVIEWER),
            lambda each: office.registration.record_proofing(each, EVIDENCE, actor=CLERK),
            lambda each: office.registration.withdraw(each, actor=COMPANY),
            lambda each: office.registration.amend(each, subject=company_name("x"), actor=COMPANY),
        ):
            with pytest.raises(Conflict):
                step(identifier)


def test_an_application_that_makes_no_sense_is_refused_at_once(office: Office) -> None:
    apply, key = office.registration.apply, FileSigner.generate().public_key
    with pytest.raises(UnknownProfile):
        apply("sealing", company_name(), public_key=key, actor=REGISTRAR)
    with pytest.raises(UsageError, match="created"):
        apply("issuing", company_name(), public_key=key, actor=REGISTRAR)
    with pytest.raises(InvalidClaims, match="lacks credit_code"):
        apply("organisation-seal", name("x"), public_key=key, actor=REGISTRAR)
    with pytest.raises(InvalidClaims, match="differs"):
        apply(
            "organisation-seal", company_name(), credit_code="91350100M000100Y43", public_key=key,
            actor=REGISTRAR,
        )  # fmt: skip
    with pytest.raises(MalformedInput):
        apply("organisation-seal", name("x"), credit_code="9111", public_key=key, actor=REGISTRAR)
    with pytest.raises(UsageError):
        apply("organisation-seal", company_name(), actor=REGISTRAR)
    with pytest.raises(UsageError):
        apply("organisation-seal", company_name(), public_key=key, csr=b"x", actor=REGISTRAR)
    with pytest.raises(NotPermitted, match="proof of possession"):
        apply("organisation-seal", company_name(), public_key=key, actor=COMPANY)
    with pytest.raises(NotFound):
        office.registration.approve("nothing", REVIEWER)
    assert office.registration.list() == []


def test_only_the_applicant_and_staff_edit(office: Office) -> None:
    identifier = applied(office)
    with pytest.raises(NotPermitted):
        office.registration.amend(
            identifier, subject=company_name("x"), actor=Actor(ActorKind.HOLDER, "other")
        )
    with pytest.raises(InvalidClaims):
        office.registration.amend(identifier, subject=name("x"), actor=COMPANY)


@pytest.mark.parametrize(
    "change", [{"source": ""}, {"evidence_digest": "ab"}, {"valid_for": timedelta(0)}, {"source": "a\nb"}]
)
def test_proofing_is_of_something(change: dict[str, object]) -> None:
    with pytest.raises(InvalidClaims):
        replace(Proofing(ProofingMethod.COUNTER, "窗口 3", "00" * 32), **change)  # type: ignore[arg-type]


def _without_key(office: Office) -> Registration:
    closed = Authority.open(
        "enterprise", database=office.database, signer=None, clock=office.clock, base_url=None
    )
    return Registration(office.database, closed, office.clock)


def _try(office: Office, identifier: str, actor: Actor) -> Certificate | YinxinError:
    try:
        return office.registration.approve(identifier, actor)
    except YinxinError as exc:
        return exc


@pytest.mark.parametrize("change", [
    {"approver": str(COMPANY)}, {"approver": str(CLERK)}, {"voided_at": START}, {"revision": 2},
    {"approved_at": START + timedelta(days=40)},
])  # fmt: skip
def test_the_authority_itself_looks_at_the_approval(office: Office, change: dict[str, object]) -> None:
    """Rows that registration would never write: the last door does not depend on the first one."""
    identifier, content = applied(office), office.registration.get
    row = content(identifier)
    with office.database.transaction() as session:
        repository = ApplicationRepository(session)
        repository.move(repository.get(identifier), to="issuing", at=START)
        values = {"application": identifier, "revision": 1, "approver": str(REVIEWER), "approved_at": START}
        repository.add(ApprovalRecord.model_validate({**values, **change}))
    application = Application(row.subject, row.public_key)
    with pytest.raises(IssuanceRefused, match=r"approval|identity"):
        office.authority.issue("organisation-seal", application, actor=REGISTRAR, approval=identifier)


def test_an_approval_is_for_one_authority(office: Office) -> None:
    other = office.create("other", FileSigner.generate(), name("津城另一 CA"), issuer=office.root)
    identifier = applied(office)
    asked: list[IssuanceRefused] = []

    def elsewhere(profile: str, application: Application, **options: object) -> Certificate:
        try:
            return other.issue(profile, application, **options)  # type: ignore[arg-type]
        except IssuanceRefused as exc:
            asked.append(exc)
            raise

    with pytest.MonkeyPatch.context() as patch:
        registration = office.registration
        patch.setattr(office.authority, "issue", elsewhere)
        with pytest.raises(IssuanceRefused, match="no application"):
            registration.approve(identifier, REVIEWER)
    assert len(asked) == 1
