"""Any file with its signature beside it: made by us and read by OpenSSL, made by OpenSSL and judged by us."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from world.desk import Desk
from world.openssl import openssl
from world.pki import NOON, Pki

from signing import cms, detached
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from signing.revocation import OcspAnswer, RevocationSnapshot
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from yinxin.base.errors import Conflict, UsageError, VerificationFailed

if TYPE_CHECKING:
    from pathlib import Path

    from signing.report import Report

CONTENT = "关于核准海河糕点厂设立的决定\n".encode() * 50
LATER = NOON + timedelta(days=400 * 2)


class FileDesk(Desk):
    """The desk, for files of any kind."""

    def signed(self, *, stamped: bool = True, **options: Any) -> bytes:
        timestamper = self.tsa if stamped else None
        return detached.sign(CONTENT, self.agency, now=NOON, timestamper=timestamper, **options)

    def ask(self, signature: bytes, content: Any = CONTENT, **options: Any) -> Report[detached.VerifiedFile]:
        values: dict[str, Any] = {
            "revocation": self.revocation(),
            "now": NOON + timedelta(minutes=1),
            **options,
        }
        return detached.verify(signature, content, self.trust, **values)

    def extended(self) -> bytes:
        return detached.extend(
            self.signed(), CONTENT, self.trust, revocation=self.revocation(), now=NOON + timedelta(minutes=1)
        )


@pytest.fixture(scope="module")
def desk() -> FileDesk:
    return FileDesk()


def test_who_signed_what_and_when(desk: FileDesk) -> None:
    found = desk.ask(desk.signed()).require()
    assert found.certificate == desk.agency.certificate
    assert (found.usage, found.proved_at, found.claimed_at) == ("seal", NOON, NOON)
    assert found.content_digest == cms.hash_with("sha256", CONTENT).hex()


def test_a_file_is_read_in_pieces(desk: FileDesk) -> None:
    file = io.BytesIO(CONTENT)
    file.read(7)  # wherever it stands
    assert detached.sign(file, desk.agency, now=NOON)
    assert desk.ask(desk.signed(), file).passed


def test_the_content_may_be_carried_inside(desk: FileDesk) -> None:
    signature = desk.signed(inside=True)
    assert desk.ask(signature, None).passed
    assert desk.ask(signature).passed
    assert desk.ask(signature, b"another").reasons == {Reason.HASH_FAILURE}
    with pytest.raises(UsageError):
        detached.sign(bytes(2 << 20), desk.agency, now=NOON, inside=True)


def test_another_content_and_none(desk: FileDesk) -> None:
    assert Reason.HASH_FAILURE in desk.ask(desk.signed(), CONTENT + b" ").reasons
    missing = desk.ask(desk.signed(), None)
    assert Reason.SIGNED_DATA_NOT_FOUND in missing.reasons
    assert not missing.passed


def test_without_a_time_stamp_a_policy_may_refuse(desk: FileDesk) -> None:
    plain = desk.signed(stamped=False)
    assert desk.ask(plain).require().proved_at is None
    strict = Policy.default().with_changes(require_timestamp=True)
    assert desk.ask(plain, policy=strict).reasons == {Reason.TIMESTAMP_MISSING}


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "Ed25519", "RSA-2048"])
def test_every_kind_of_key(desk: FileDesk, kind: str) -> None:
    key = FileSigner.generate(kind)
    signer = desk.pki.issuing.issue("钱进", "seal", signer=key)
    assert desk.ask(detached.sign(CONTENT, signer, now=NOON)).passed


class TestLongTerm:
    """Level B-LT: after the lists, the certificates and everybody's patience have ended."""

    def test_it_is_judged_years_later_with_what_it_carries(self, desk: FileDesk) -> None:
        kept = desk.extended()
        nothing = RevocationSnapshot()
        assert desk.ask(kept, now=LATER, revocation=nothing).passed
        assert not desk.ask(desk.signed(), now=LATER, revocation=nothing).passed
        signed = cms.parse(kept)
        assert len(signed.crls) == 2

    def test_extending_again_changes_nothing(self, desk: FileDesk) -> None:
        options: dict[str, Any] = {"revocation": desk.revocation(), "now": NOON + timedelta(minutes=1)}
        once = detached.extend(desk.signed(), CONTENT, desk.trust, **options)
        assert detached.extend(once, CONTENT, desk.trust, **options) == once

    def test_answers_are_carried_too(self, desk: FileDesk) -> None:
        responder = desk.pki.issuing
        answer = OcspAnswer(responder.ocsp(desk.agency.certificate, NOON))
        evidence = desk.revocation().merged_with(RevocationSnapshot(ocsp=[answer]))
        kept = detached.extend(
            desk.signed(), CONTENT, desk.trust, revocation=evidence, now=NOON + timedelta(minutes=1)
        )
        assert cms.parse(kept).ocsp == (answer.der,)
        assert desk.ask(kept, now=LATER, revocation=RevocationSnapshot()).passed

    def test_what_does_not_pass_or_proves_no_time_is_not_extended(self, desk: FileDesk) -> None:
        options: dict[str, Any] = {"revocation": desk.revocation(), "now": NOON + timedelta(minutes=1)}
        with pytest.raises(VerificationFailed):
            detached.extend(desk.signed(), b"another", desk.trust, **options)
        with pytest.raises(Conflict):
            detached.extend(desk.signed(stamped=False), CONTENT, desk.trust, **options)

    def test_forged_evidence_clears_nobody(self, desk: FileDesk) -> None:
        stranger = Pki()
        forged = cms.with_evidence(
            desk.signed(),
            certificates=[],
            crls=[stranger.issuing.crl(NOON), stranger.root.crl(NOON)],
            ocsp=[],
        )
        found = desk.ask(forged, revocation=RevocationSnapshot())
        assert found.indication is not Indication.PASSED

    def test_evidence_cannot_hide_a_revocation_that_is_known(self) -> None:
        desk = FileDesk()
        kept = desk.extended()
        desk.pki.issuing.revoke(
            desk.agency.certificate, NOON - timedelta(hours=1), x509.ReasonFlags.key_compromise
        )
        known = desk.revocation(NOON + timedelta(days=1))
        assert (
            Reason.CERTIFICATE_REVOKED
            in desk.ask(kept, revocation=known, now=NOON + timedelta(days=1)).reasons
        )


class TestAttackers:
    def test_a_signature_of_something_else(self, desk: FileDesk) -> None:
        token = desk.tsa.stamp(cms.hash_with("sha256", CONTENT))
        found = desk.ask(token)
        assert not found.passed
        assert Reason.FORMAT_FAILURE in found.reasons

    def test_two_signing_times_or_none(self, desk: FileDesk) -> None:
        digest = cms.hash_with("sha256", CONTENT)
        bare = cms.sign(desk.agency, digest)
        assert desk.ask(bare).reasons == {Reason.SIG_CONSTRAINTS_FAILURE}
        twice = [cms.attribute(cms.SIGNING_TIME, b"\x17\x0d261120040000Z", b"\x17\x0d261120040001Z")]
        assert desk.ask(cms.sign(desk.agency, digest, attributes=twice)).reasons == {
            Reason.SIG_CONSTRAINTS_FAILURE
        }

    def test_a_stranger_with_the_agencys_name(self, desk: FileDesk) -> None:
        stranger = Pki().signer("seal", "津城区行政审批局")
        found = desk.ask(detached.sign(CONTENT, stranger, now=NOON, timestamper=desk.tsa))
        assert not found.passed

    def test_a_revoked_key_with_an_old_claimed_time(self) -> None:
        desk = FileDesk()
        desk.pki.issuing.revoke(desk.agency.certificate, NOON, x509.ReasonFlags.key_compromise)
        back_dated = detached.sign(CONTENT, desk.agency, now=NOON - timedelta(days=30))
        found = desk.ask(back_dated, at=NOON - timedelta(days=29), now=NOON + timedelta(days=1))
        assert not found.passed

    @given(st.binary(max_size=300))
    def test_noise_is_a_failed_report(self, noise: bytes) -> None:
        found = detached.verify(noise, CONTENT, TrustStore([]), revocation=RevocationSnapshot(), now=NOON)
        assert not found.passed

    def test_no_flipped_bit_passes(self, desk: FileDesk) -> None:
        """Bits of a time-stamp may flip to no effect on the signature, but then they prove no time."""
        signature = desk.signed(stamped=False)
        for place in range(0, len(signature), 11):
            for bit in (1, 128):
                changed = bytearray(signature)
                changed[place] ^= bit
                found = desk.ask(bytes(changed))
                if found.passed:  # a byte outside of what is signed: the chain below our own certificate
                    assert found.require().certificate == desk.agency.certificate


class TestOpenssl:
    def files(self, desk: FileDesk, folder: Path) -> tuple[Path, Path]:
        content, root = folder / "decision.txt", folder / "root.pem"
        content.write_bytes(CONTENT)
        root.write_bytes(desk.pki.root.certificate.to_pem())
        return content, root

    @pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT"])
    def test_it_reads_what_we_make(self, desk: FileDesk, tmp_path: Path, level: str) -> None:
        content, root = self.files(desk, tmp_path)
        signature = desk.extended() if level == "B-LT" else desk.signed(stamped=level == "B-T")
        made = tmp_path / "decision.txt.p7s"
        made.write_bytes(signature)
        said = openssl(
            *("cms", "-verify", "-cades", "-inform", "DER", "-in", made, "-content", content, "-binary"),
            *("-CAfile", root, "-purpose", "any", "-out", tmp_path / "out"),
            *("-attime", str(int(NOON.timestamp()))),
        )
        assert "successful" in said.lower()

    def test_we_read_what_it_makes(self, desk: FileDesk, tmp_path: Path) -> None:
        content, _ = self.files(desk, tmp_path)
        key, certificate, chain = tmp_path / "key.pem", tmp_path / "own.pem", tmp_path / "chain.pem"
        desk.agency.save(key, passphrase="a passphrase")
        certificate.write_bytes(desk.agency.certificate.to_pem())
        chain.write_bytes(desk.pki.issuing.certificate.to_pem())
        openssl(
            *("cms", "-sign", "-cades", "-binary", "-in", content, "-signer", certificate, "-inkey", key),
            *("-passin", "pass:a passphrase", "-certfile", chain, "-outform", "DER"),
            *("-out", tmp_path / "made.p7s"),
        )
        found = desk.ask((tmp_path / "made.p7s").read_bytes())
        assert found.passed, found.to_dict()
        assert not desk.ask((tmp_path / "made.p7s").read_bytes(), CONTENT + b"!").passed


def test_a_time_beyond_the_calendar_is_no_question(desk: FileDesk) -> None:
    signature, last = detached.sign(b"x", desk.agency, now=NOON), datetime(9999, 12, 31, tzinfo=UTC)
    times: dict[str, datetime]
    for times in ({"known_at": last}, {"at": last}):
        with pytest.raises(UsageError, match="calendar"):
            detached.verify(signature, b"x", desk.trust, revocation=desk.revocation(), now=NOON, **times)
