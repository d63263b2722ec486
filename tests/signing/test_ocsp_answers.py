"""OCSP answers in the forms that responders give: light (RFC 5019), with a nonce, delegated, with memory."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags, ocsp
from world.pki import NOON, TestAuthority, digest_for

from signing import (
    Certificate,
    Crl,
    FileSigner,
    OcspAnswer,
    Policy,
    RevocationSnapshot,
    RevocationState,
    TrustStore,
    der,
    validate_path,
)
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput

DAY = timedelta(days=1)
GOOD, REVOKED, UNKNOWN = RevocationState.GOOD, RevocationState.REVOKED, RevocationState.UNKNOWN
ARCHIVE_CUTOFF, EXPIRED_KEPT = "1.3.6.1.5.5.7.48.1.6", "2.5.29.60"


class Office:
    """An authority, a certificate of its that ended yesterday, and one that is in time."""

    def __init__(self) -> None:
        self.authority = TestAuthority("Office CA")
        self.ended = self.authority.issue("ended", not_after=NOON - DAY).certificate
        self.leaf = self.authority.issue("bureau").certificate

    def state(self, *answers: bytes, of: Certificate | None = None, at: datetime = NOON, **more: Any) -> Any:
        snapshot = RevocationSnapshot(map(Crl, more.pop("crls", ())), map(OcspAnswer, answers))
        return snapshot.status(of or self.leaf, self.authority.certificate, at=at).state

    def answer(
        self,
        certificate: Certificate,
        *single_extensions: bytes,
        by: FileSigner | None = None,
        made: datetime = NOON,
        since: datetime = NOON,
    ) -> bytes:
        """An answer by hand: `cryptography` reads the clock, and writes no extensions of singles."""
        signer, issuer = by or self.authority.signer, self.authority.certificate
        identifier = der.sequence(
            der.sequence(der.oid("2.16.840.1.101.3.4.2.1")),
            der.octet_string(hashlib.sha256(certificate.issuer_der).digest()),
            der.octet_string(hashlib.sha256(issuer.public_key.bits).digest()),
            der.integer(certificate.serial),
        )
        times = der.generalized_time(since), der.explicit(0, der.generalized_time(NOON + DAY))
        extensions = der.explicit(1, der.sequence(*single_extensions)) if single_extensions else b""
        single = der.sequence(identifier, b"\x80\0", *times, extensions)
        responder = der.explicit(2, der.octet_string(signer.public_key.identifier))
        carried = [der.explicit(0, der.sequence(by.certificate.der))] if by else []
        tbs = der.sequence(responder, der.generalized_time(made), der.sequence(single))
        basic = der.sequence(tbs, signer.algorithm.identifier, der.bit_string(signer.sign(tbs)), *carried)
        inner = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1"), der.octet_string(basic))
        return der.sequence(der.tlv(der.ENUMERATED, b"\0"), der.explicit(0, inner))


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = [der.boolean(value=True)] if critical else []
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))


def kept_since(when: datetime) -> bytes:
    return extension(ARCHIVE_CUTOFF, der.generalized_time(when))


class TestWhatHasEnded:
    """A later answer says nothing of a certificate that ended, unless the responder remembers that long."""

    BEFORE = NOON - 2 * DAY

    def test_silence(self, office: Office) -> None:
        answer = office.answer(office.ended)
        assert office.state(answer, of=office.ended, at=self.BEFORE) is UNKNOWN

    def test_an_archive_cutoff(self, office: Office) -> None:
        for since, state in ((NOON - 100 * DAY, GOOD), (NOON - DAY, GOOD), (NOON - DAY / 2, UNKNOWN)):
            answer = office.answer(office.ended, kept_since(since))
            assert office.state(answer, of=office.ended, at=self.BEFORE) is state

    def test_a_list_that_keeps_them(self, office: Office) -> None:
        for since, state in ((NOON - 100 * DAY, GOOD), (NOON - DAY / 2, UNKNOWN)):
            kept = x509.UnrecognizedExtension(
                x509.ObjectIdentifier(EXPIRED_KEPT), der.generalized_time(since)
            )
            crl = office.authority.crl(extra=((kept, False),))
            assert office.state(of=office.ended, at=self.BEFORE, crls=[crl]) is state

    def test_what_is_no_date(self, office: Office) -> None:
        for value in (der.null(), b"", der.integer(1)):
            with pytest.raises(MalformedInput):
                OcspAnswer(office.answer(office.ended, extension(ARCHIVE_CUTOFF, value)))
            wrong = x509.UnrecognizedExtension(x509.ObjectIdentifier(EXPIRED_KEPT), value)
            with pytest.raises(MalformedInput):
                Crl(office.authority.crl(extra=((wrong, False),)))

    def test_what_must_be_understood_and_is_not(self, office: Office) -> None:
        with pytest.raises(MalformedInput):
            OcspAnswer(office.answer(office.ended, extension("1.2.3.4", b"", critical=True)))
        assert office.state(office.answer(office.leaf, extension("1.2.3.4", b""))) is GOOD


class TestWhoseKeyItWas:
    """A responder dates its answers itself, so what its key writes after its end has any earlier day."""

    EARLIER = NOON - 10 * DAY

    def test_a_responder_has_no_word_beyond_its_end(self, office: Office) -> None:
        checked = (x509.OCSPNoCheck(), False)
        ended = office.authority.issue("ended", "ocsp", not_after=NOON - 9 * DAY, extra=(checked,))
        for since in (NOON, self.EARLIER):
            answer = office.answer(office.leaf, by=ended, made=self.EARLIER, since=since)
            assert office.state(answer) is not GOOD
        assert office.state(answer, at=self.EARLIER) is GOOD

    @pytest.mark.parametrize("reason", [ReasonFlags.unspecified, ReasonFlags.superseded])
    def test_a_responder_that_was_revoked_later(self, reason: ReasonFlags) -> None:
        office = Office()
        lost = office.authority.issue("lost", "ocsp")
        office.authority.revoke(lost.certificate, NOON - 9 * DAY, reason)
        crl = office.authority.crl(NOON - 8 * DAY)
        answer = office.answer(office.leaf, by=lost, made=self.EARLIER, since=self.EARLIER)
        assert office.state(answer, crls=[crl]) is not GOOD


class TestAlgorithms:
    """A policy's algorithms bind lists and answers too; what they say of a revocation counts in any case."""

    def reasons(self, revocation: RevocationSnapshot, root: TestAuthority, leaf: Certificate) -> set[Reason]:
        policy = Policy(algorithms=frozenset({"ES384"}))
        trust = TrustStore([root.certificate])
        return set(
            validate_path(
                leaf, (), trust, at=NOON, usage="seal", revocation=revocation, policy=policy
            ).reasons
        )

    def test_an_answer_by_a_responder_with_another_algorithm_clears_nobody(self) -> None:
        office = Office()
        office.authority = root = TestAuthority("Root", key_kind="P-384")
        leaf, checked = root.issue("bureau").certificate, (x509.OCSPNoCheck(), False)
        for kind, wanted in (("P-256", {Reason.REVOCATION_UNKNOWN}), ("P-384", set())):
            responder = root.issue("responder", "ocsp", key_kind=kind, extra=(checked,))
            known = RevocationSnapshot(ocsp=[OcspAnswer(office.answer(leaf, by=responder))])
            assert self.reasons(known, root, leaf) == wanted

    def test_a_list_by_another_algorithm_revokes_and_clears_nobody(self) -> None:
        root = TestAuthority("Root", key_kind="P-384")
        leaf = root.issue("bureau").certificate
        for wanted in (Reason.REVOCATION_UNKNOWN, Reason.CERTIFICATE_REVOKED):
            plain = x509.load_der_x509_crl(root.crl())
            builder = x509.CertificateRevocationListBuilder(
                plain.issuer,
                plain.last_update_utc,
                plain.next_update_utc,
                list(plain.extensions),
                list(plain),
            )
            weaker = builder.sign(root.signer._private_key, hashes.SHA256()).public_bytes(Encoding.DER)
            assert self.reasons(RevocationSnapshot([Crl(weaker)]), root, leaf) == {wanted}
            root.revoke(leaf, NOON - DAY)


class TestForms:
    def built(self, office: Office, *extensions: Any, **more: Any) -> bytes:
        signer = office.authority.signer
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=office.leaf.x509,
            issuer=office.authority.certificate.x509,
            algorithm=more.get("digest", hashes.SHA1()),  # noqa: S303 - RFC 5019, 2.1.1: names, no security
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=NOON,
            next_update=NOON + DAY,
            revocation_time=None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate.x509)
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(signer._private_key, digest_for(signer)).public_bytes(Encoding.DER)

    def test_a_light_answer(self, office: Office) -> None:
        """Made beforehand: named by SHA-1, one answer, a next update, no nonce, no certificates."""
        answer = OcspAnswer(self.built(office))
        assert (len(answer.singles), answer.certificates) == (1, ())
        assert office.state(answer.der) is GOOD
        assert office.state(answer.der, at=NOON + DAY / 2) is GOOD
        assert office.state(answer.der, at=NOON + 2 * DAY) is RevocationState.STALE

    def test_an_answer_with_a_nonce(self, office: Office) -> None:
        """It tells who asked that the answer is fresh; what is kept is judged by its dates."""
        for critical in (True, False):
            assert office.state(self.built(office, (x509.OCSPNonce(b"12345678"), critical))) is GOOD

    @pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
    def test_names_by_other_hashes(self, office: Office, digest: hashes.HashAlgorithm) -> None:
        assert office.state(self.built(office, digest=digest)) is GOOD

    def test_an_extension_that_must_be_understood_and_is_not(self, office: Office) -> None:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")
        with pytest.raises(MalformedInput):
            OcspAnswer(self.built(office, (unknown, True)))
        assert office.state(self.built(office, (unknown, False))) is GOOD


class TestDelegates:
    """A responder's key that was lost later writes answers of any earlier day."""

    @pytest.mark.parametrize(
        ("reason", "state"),
        [
            (ReasonFlags.key_compromise, UNKNOWN),
            (ReasonFlags.cessation_of_operation, GOOD),
            (ReasonFlags.superseded, GOOD),
        ],
    )
    def test_revoked_after_it_answered(self, reason: ReasonFlags, state: RevocationState) -> None:
        office = Office()
        responder = office.authority.issue("responder", "ocsp")
        answer = OcspAnswer(office.answer(office.leaf, by=responder))
        office.authority.revoke(responder.certificate, NOON + DAY, reason)
        known = RevocationSnapshot([Crl(office.authority.crl(NOON + 2 * DAY))], [answer])
        # The list clears the leaf in any case; what counts is whether the answer still does.
        words = known._words(office.leaf, office.authority.certificate, lambda _: ())
        kinds = {word.source.partition(":")[0] for word, *_ in words}
        assert kinds == ({"crl", "ocsp"} if state is GOOD else {"crl"})

    def test_a_delegate_of_a_namesake(self, office: Office) -> None:
        namesake = TestAuthority("Office CA")
        responder = namesake.issue("responder", "ocsp", extra=((x509.OCSPNoCheck(), False),))
        assert office.state(office.answer(office.leaf, by=responder)) is UNKNOWN
