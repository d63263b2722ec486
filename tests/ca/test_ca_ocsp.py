"""OCSP: good is what was issued and holds, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from world.authority import REGISTRAR, Office

from ca.ocsp import OcspResponder, ResponseStatus, failure
from signing import der
from signing.revocation import OcspAnswer, RevocationSnapshot
from signing.signers.file import FileSigner
from yinxin.base.actor import system
from yinxin.base.errors import SignerUnavailable

if TYPE_CHECKING:
    from signing.certificates import Certificate

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


def request_for(
    office: Office, certificate: Certificate, *, nonce: bytes | None = None, sha256: bool = False
) -> bytes:
    chosen = hashes.SHA256() if sha256 else hashes.SHA1()  # noqa: S303 - what clients send
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate.x509, office.authority.certificate.x509, chosen
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def answer(responder: OcspResponder, request: bytes) -> ocsp.OCSPResponse:
    response = ocsp.load_der_ocsp_response(responder.respond(request))
    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    (certificate,) = response.certificates
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    return response


@pytest.mark.parametrize("sha256", [False, True])
def test_a_certificate_is_good_until_it_is_revoked(stored_office: Office, sha256: bool) -> None:  # noqa: FBT001 - a parameter
    office = stored_office
    certificate, responder = office.issue(), office.ocsp()
    request = request_for(office, certificate, sha256=sha256)
    good = answer(responder, request)
    assert (good.certificate_status, good.serial_number) == (GOOD, certificate.serial)
    office.authority.revoke(certificate.serial, reason="key_compromise", actor=REGISTRAR)
    revoked = answer(responder, request)
    assert revoked.certificate_status is REVOKED
    assert revoked.revocation_time_utc == office.clock.now()
    assert revoked.revocation_reason is x509.ReasonFlags.key_compromise


def test_a_hold_shows_and_ends(office: Office) -> None:
    certificate, responder = office.issue(), office.ocsp()
    request = request_for(office, certificate)
    office.authority.revoke(certificate.serial, reason="certificate_hold", actor=REGISTRAR)
    assert answer(responder, request).revocation_reason is x509.ReasonFlags.certificate_hold
    office.authority.release(certificate.serial, actor=REGISTRAR)
    assert answer(responder, request).certificate_status is GOOD


def test_what_was_never_issued_is_unknown(office: Office) -> None:
    asked = ocsp.load_der_ocsp_request(request_for(office, office.issue()))
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        asked.issuer_name_hash, asked.issuer_key_hash, 4711, asked.hash_algorithm
    )
    request = builder.build().public_bytes(Encoding.DER)
    assert answer(office.ocsp(), request).certificate_status is UNKNOWN


def test_an_intent_is_unknown_and_what_was_given_up_is_revoked(office: Office) -> None:
    responder, certificate = office.ocsp(), office.issue()
    template = ocsp.load_der_ocsp_request(request_for(office, certificate))

    class Dead(FileSigner):
        def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the interface
            raise SignerUnavailable("gone")

    office.authority._signer = Dead(office.signer._private_key, office.authority.chain)
    with pytest.raises(SignerUnavailable):
        office.issue(common="lost")
    (lost,) = [row.serial for row in office.authority.issued() if row.state == "intended"]
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        template.issuer_name_hash, template.issuer_key_hash, lost, template.hash_algorithm
    )
    request = builder.build().public_bytes(Encoding.DER)
    assert answer(responder, request).certificate_status is UNKNOWN
    office.clock.advance(timedelta(hours=1))
    office.authority.reconcile(actor=system("reconciler"))
    assert answer(responder, request).certificate_status is REVOKED


def test_a_nonce_comes_back_and_is_signed(office: Office) -> None:
    certificate, responder = office.issue(), office.ocsp()
    for nonce in (b"n", b"\0" * 32, b"x" * 128):
        response = answer(responder, request_for(office, certificate, nonce=nonce))
        assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    for nonce in (b"", b"x" * 129):
        assert responder.respond(request_for(office, certificate, nonce=nonce)) == failure(
            ResponseStatus.MALFORMED_REQUEST
        )


def test_an_unchanged_answer_is_signed_once_for_a_while(office: Office) -> None:
    certificate, responder = office.issue(), office.ocsp(valid_for=timedelta(hours=2))
    request = request_for(office, certificate)
    first = responder.respond(request)
    assert responder.respond(request) == first
    office.clock.advance(timedelta(hours=1))
    second = answer(responder, request)
    assert second.this_update_utc == office.clock.now()
    assert second.next_update_utc == office.clock.now() + timedelta(hours=2)


def test_another_authoritys_certificates_are_not_ours_to_judge(office: Office) -> None:
    other = ocsp.OCSPRequestBuilder().add_certificate(
        office.authority.certificate.x509, office.root.certificate.x509, hashes.SHA256()
    )
    request = other.build().public_bytes(Encoding.DER)
    assert office.ocsp().respond(request) == failure(ResponseStatus.UNAUTHORIZED)


def test_several_certificates_in_one_request(office: Office) -> None:
    certificates, responder = [office.issue() for _ in range(3)], office.ocsp()
    office.authority.revoke(certificates[1].serial, reason="superseded", actor=REGISTRAR)
    single = [der.read_exactly(request_for(office, each), der.SEQUENCE) for each in certificates]
    requests = [next(der.children(next(der.children(next(der.children(each)))))).encoded for each in single]
    request = der.sequence(der.sequence(der.sequence(*requests)))
    response = ocsp.load_der_ocsp_response(office.ocsp().respond(request))
    assert [each.certificate_status for each in response.responses] == [GOOD, REVOKED, GOOD]
    many = der.sequence(der.sequence(der.sequence(*requests * 4)))
    assert responder.respond(many) == failure(ResponseStatus.MALFORMED_REQUEST)


def test_a_responder_needs_its_own_certificate_of_this_authority(office: Office) -> None:
    for profile in ("status", "timestamp"):
        with pytest.raises(SignerUnavailable, match="OCSP"):
            OcspResponder(office.authority, office.signer_for(profile), office.clock)
    with pytest.raises(SignerUnavailable, match="not of this authority"):
        OcspResponder(office.root, office.signer_for("ocsp"), office.clock)
    with pytest.raises(SignerUnavailable):
        OcspResponder(office.authority, office.signer.with_chain(office.authority.chain), office.clock)


def test_a_responder_that_is_out_of_date_says_try_later(office: Office) -> None:
    certificate, responder = office.issue(), office.ocsp()
    request = request_for(office, certificate)
    office.clock.advance(timedelta(days=91))
    assert responder.respond(request) == failure(ResponseStatus.TRY_LATER)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"0" * 5000,
        der.sequence(der.sequence()),
        der.sequence(der.sequence(der.sequence())),
        der.sequence(der.sequence(der.explicit(0, der.integer(1)), der.sequence())),
        der.sequence(der.null(), der.null()),
    ],
)
def test_nonsense_is_malformed(office: Office, broken: bytes) -> None:
    assert office.ocsp().respond(broken) == failure(ResponseStatus.MALFORMED_REQUEST)


@pytest.mark.parametrize("extensions", [
    [(b"\x06\x03\x2a\x03\x04", True, b"\x05\x00")],  # critical and unknown
    [(b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02", False, b"\x04\x01a")] * 2,  # a doubled nonce
    [(b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02", False, b"raw")],
])  # fmt: skip
def test_odd_extensions_are_malformed(office: Office, extensions: list[tuple[bytes, bool, bytes]]) -> None:
    asked = der.read_exactly(request_for(office, office.issue()), der.SEQUENCE)
    (requests,) = der.children(next(der.children(asked)))
    encoded = [
        der.sequence(oid, *([der.boolean(value=True)] if critical else []), der.octet_string(value))
        for oid, critical, value in extensions
    ]
    request = der.sequence(der.sequence(requests.encoded, der.explicit(2, der.sequence(*encoded))))
    assert office.ocsp().respond(request) == failure(ResponseStatus.MALFORMED_REQUEST)


def test_since_when_a_key_is_bad_stands_in_the_answer(stored_office: Office) -> None:
    """Who asks for answers instead of lists hears the same (RFC 6960, 4.4.5)."""
    office = stored_office
    certificate, since = office.issue(), office.clock.now() - timedelta(days=3)
    office.authority.revoke(certificate.serial, reason="key_compromise", actor=REGISTRAR, invalid_since=since)
    found = OcspAnswer.from_der(office.ocsp().respond(request_for(office, certificate)))
    (single,) = found.singles
    assert (single.status, single.invalid_since) == ("revoked", since)
    snapshot = RevocationSnapshot(ocsp=[found])
    status = snapshot.status(certificate, office.authority.certificate, at=since)
    assert (status.state, status.since_is_stated) == ("revoked", True)
    before = snapshot.status(certificate, office.authority.certificate, at=since - timedelta(seconds=1))
    assert before.state == "good"
