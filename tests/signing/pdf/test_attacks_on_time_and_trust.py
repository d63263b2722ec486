"""Seals that were stamped, signed or judged wrongly: time-stamps, authorities, uses, revocation, policies."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags
from world.desk import Desk, plain_pdf
from world.pdf_bytes import contents_of, with_contents
from world.pki import NOON, Pki, TestAuthority
from world.tsa import MemoryTsa

from signing import cms, der
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from signing.revocation import RevocationSnapshot
from signing.trust import TrustAnchor, TrustStore

FAILED, UNSURE, PASSED = Indication.FAILED, Indication.INDETERMINATE, Indication.PASSED


def resized(element: der.Element, without: bytes) -> bytes:
    """The element without some encoding deep in it, all lengths set right."""
    if element.encoded == without:
        return b""
    if not element.tag & 0x20 or without not in element.encoded:
        return element.encoded
    return der.tlv(element.tag, *(resized(child, without) for child in der.children(element)))


def replaced(element: der.Element, old: bytes, new: bytes) -> bytes:
    if element.encoded == old:
        return new
    if not element.tag & 0x20 or old not in element.encoded:
        return element.encoded
    return der.tlv(element.tag, *(replaced(child, old, new) for child in der.children(element)))


def test_stripped_time_stamp(desk: Desk, sealed: bytes) -> None:
    contents = contents_of(sealed)
    outer, _ = der.read(contents)
    token = cms.parse(contents, padded=True).unsigned[cms.TIMESTAMP_TOKEN][0]
    group = der.tlv(0xA1, cms.attribute(cms.TIMESTAMP_TOKEN, token))
    bare = resized(outer, group)
    demanding = Policy(require_timestamp=True)
    assert desk.verify(sealed, policy=demanding).passed
    report = desk.verify(with_contents(sealed, bare), policy=demanding)
    assert report.indication is UNSURE
    assert report.reasons == {Reason.TIMESTAMP_MISSING}
    # Without a demand the seal still holds today, but nothing proves when it was put on.
    assert desk.verify(with_contents(sealed, bare)).require().signatures[0].proved_at is None


def test_time_stamp_of_another_signature(desk: Desk, sealed: bytes) -> None:
    class Replayed:
        def stamp(self, _digest: bytes, **_: str) -> bytes:
            return desk.tsa.stamp(bytes(32))

    report = desk.verify(desk.seal(plain_pdf(), timestamper=Replayed()))
    assert report.reasons == {Reason.TIMESTAMP_INVALID}


def test_time_stamp_of_an_unknown_authority(desk: Desk, pdf: bytes) -> None:
    stranger = MemoryTsa(Pki().signer("timestamp"))
    report = desk.verify(desk.seal(pdf, timestamper=stranger))
    assert report.indication is UNSURE
    assert report.reasons == {Reason.TIMESTAMP_NOT_TRUSTED}
    assert report.findings["signatures"][0]["proved_time"] is None


def test_time_stamp_from_tomorrow(desk: Desk, pdf: bytes) -> None:
    early = MemoryTsa(desk.tsa.signer, at=NOON + timedelta(days=1))
    report = desk.verify(desk.seal(pdf, timestamper=early))
    assert report.reasons == {Reason.TIMESTAMP_INVALID}


def test_an_unknown_authority_cannot_move_a_seal_back_in_time(desk: Desk, pdf: bytes) -> None:
    agency = desk.pki.issuing.issue("失效机关", "seal", not_after=NOON - timedelta(days=1))
    backdated = MemoryTsa(Pki().signer("timestamp"), at=NOON - timedelta(days=2))
    report = desk.verify(desk.seal(pdf, signer=agency, timestamper=backdated))
    assert report.indication is UNSURE
    assert report.reasons == {Reason.TIMESTAMP_NOT_TRUSTED, Reason.CERTIFICATE_EXPIRED}


def test_a_self_made_chain_with_the_same_names(desk: Desk, pdf: bytes) -> None:
    twin = Pki()
    forged = desk.seal(pdf, signer=twin.signer("seal", "津城市场监管局 Market Bureau"), stamped=False)
    report = desk.verify(forged)
    assert report.indication is UNSURE
    assert report.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_a_seal_by_nobody_s_authority(desk: Desk, pdf: bytes) -> None:
    lone = TestAuthority("自签 Self-made")
    report = desk.verify(desk.seal(pdf, signer=lone.issue("Anyone", "seal"), stamped=False))
    assert report.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_expired_certificate(desk: Desk, pdf: bytes) -> None:
    agency = desk.pki.issuing.issue("过期机关", "seal", not_after=NOON - timedelta(days=1))
    report = desk.verify(desk.seal(pdf, signer=agency, stamped=False))
    assert report.indication is UNSURE
    assert report.reasons == {Reason.CERTIFICATE_EXPIRED}


def test_a_time_stamp_carries_a_seal_past_its_certificate(desk: Desk, pdf: bytes) -> None:
    agency = desk.pki.issuing.issue("到期机关", "seal", not_after=NOON + timedelta(days=1))
    stamped, bare = desk.seal(pdf, signer=agency), desk.seal(pdf, signer=agency, stamped=False)
    archived = desk.revocation(NOON)
    later = NOON + timedelta(days=40)
    assert desk.verify(stamped, now=later, revocation=archived).passed
    assert Reason.CERTIFICATE_EXPIRED in desk.verify(bare, now=later).reasons


def test_revoked_before_sealing(desk: Desk, pdf: bytes) -> None:
    pki = Pki()
    own = Desk(pki)
    pki.issuing.revoke(own.agency.certificate, NOON - timedelta(days=1))
    for stamped in (True, False):
        report = own.verify(own.seal(pdf, stamped=stamped))
        assert report.indication is report.then is FAILED
        assert report.reasons == {Reason.CERTIFICATE_REVOKED}


def test_revoked_after_a_proved_time(pdf: bytes) -> None:
    pki = Pki()
    own = Desk(pki)
    stamped, bare = own.seal(pdf), own.seal(pdf, stamped=False)
    pki.issuing.revoke(own.agency.certificate, NOON + timedelta(days=1), ReasonFlags.key_compromise)
    later = NOON + timedelta(days=2)
    report = own.verify(stamped, now=later)
    assert (report.then, report.indication) == (PASSED, FAILED)
    assert report.reasons == {Reason.CERTIFICATE_REVOKED}
    # Asked about the day before the revocation, or told of nothing later, it holds.
    assert own.verify(stamped, now=later, at=NOON + timedelta(hours=1)).passed
    unproved = own.verify(bare, now=later)
    assert unproved.then is unproved.indication is FAILED


def test_a_certificate_for_another_use(desk: Desk, pdf: bytes) -> None:
    for use in ("credential", "timestamp", "client"):
        report = desk.verify(desk.seal(pdf, signer=desk.pki.signer(use), stamped=False))
        assert report.indication is FAILED
        assert report.reasons == {Reason.WRONG_KEY_USAGE}


def test_an_anchor_that_is_trusted_for_another_use(desk: Desk, sealed: bytes) -> None:
    narrow = TrustStore([TrustAnchor(desk.pki.root.certificate, frozenset({"credential", "timestamp"}))])
    assert not desk.verify(sealed, trust=narrow).passed


def test_revocation_not_known(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(sealed, revocation=RevocationSnapshot())
    assert report.indication is UNSURE
    lax = Policy(revocation="if_available")
    assert desk.verify(sealed, revocation=RevocationSnapshot(), policy=lax).passed


def test_an_algorithm_that_the_policy_does_not_allow(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(sealed, policy=Policy(algorithms=frozenset({"RS256"})))
    assert Reason.ALGORITHM_NOT_ALLOWED in report.reasons


def test_a_certificate_swapped_for_another_of_the_same_key(desk: Desk, pdf: bytes) -> None:
    """The certificate reference binds the signature to one certificate (RFC 5035, 1)."""
    sealed = desk.seal(pdf, stamped=False)
    contents = contents_of(sealed)
    own = desk.agency.certificate
    twin = x509.CertificateBuilder(
        issuer_name=own.x509.issuer,
        subject_name=own.x509.subject,
        public_key=own.x509.public_key(),
        serial_number=own.serial,
        not_valid_before=own.not_before,
        not_valid_after=own.not_after,
        extensions=list(own.x509.extensions),
    ).sign(desk.pki.issuing.signer._private_key, own.x509.signature_hash_algorithm)
    swapped = replaced(der.read(contents)[0], own.der, twin.public_bytes(Encoding.DER))
    report = desk.verify(with_contents(sealed, swapped))
    assert report.reasons == {Reason.SIGNING_CERTIFICATE_MISSING}


def test_a_document_signed_by_a_stranger_too_is_not_settled(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(desk.seal(sealed, signer=Pki().signer("signature"), stamped=False))
    assert report.indication is UNSURE
    # What the stranger put behind the seal stands on nobody whom we know.
    assert [item["indication"] for item in report.findings["signatures"]] == ["indeterminate"] * 2
