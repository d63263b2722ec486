"""A seal key is lost on a known day: what was proved to be sealed before holds, and nothing else passes.

The authority revokes the certificate when it hears of it and states since when the key is not to be trusted
(RFC 5280, 5.3.2).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509 import ReasonFlags
from world.desk import Desk
from world.pki import NOON, Pki, TestAuthority
from world.tsa import MemoryTsa

from signing import cms
from signing.pdf import Seal
from signing.reasons import Reason
from signing.report import Indication
from signing.revocation import Crl, RevocationSnapshot

if TYPE_CHECKING:
    from datetime import datetime

    from signing.timestamp import Timestamper

LOST = NOON + timedelta(days=1)
HEARD = LOST + timedelta(days=3)
LATER = HEARD + timedelta(days=1)
MINUTE = timedelta(minutes=1)
PASSED, FAILED = Indication.PASSED, Indication.FAILED


class LostKey(Desk):
    """The agency's key was lost at `LOST`, which is heard at `HEARD` and known to who verifies at `LATER`."""

    def __init__(self) -> None:
        super().__init__(Pki())
        self.pki.issuing.revoke(self.agency.certificate, HEARD, ReasonFlags.key_compromise)

    def revocation(self, at: datetime = NOON, *more: TestAuthority) -> RevocationSnapshot:
        since = ((x509.InvalidityDate(LOST.replace(tzinfo=None)), False),)
        lists = [self.pki.root.crl(at), self.pki.issuing.crl(at, entry_extra=since)]
        return RevocationSnapshot(Crl.from_der(one) for one in [*lists, *(more_.crl(at) for more_ in more)])

    def sealed(self, pdf: bytes, at: datetime, *, claims: datetime | None = None) -> bytes:
        return self.seal(pdf, timestamper=MemoryTsa(self.tsa.signer, at), now=claims or at)


@pytest.fixture(scope="module")
def lost() -> LostKey:
    return LostKey()


def test_what_was_proved_before_the_loss_holds_then_and_now(lost: LostKey, pdf: bytes) -> None:
    report = lost.verify(lost.sealed(pdf, LOST - MINUTE), now=LATER)
    assert (report.then, report.indication) == (PASSED, PASSED)


@pytest.mark.parametrize(
    "at", [LOST, LOST + MINUTE, HEARD - MINUTE, HEARD, HEARD + MINUTE], ids=lambda at: f"{at:%d %H:%M}"
)
def test_what_was_sealed_from_the_loss_on_does_not(lost: LostKey, pdf: bytes, at: datetime) -> None:
    report = lost.verify(lost.sealed(pdf, at), now=LATER)
    assert (report.then, report.indication) == (FAILED, FAILED)
    assert report.reasons == {Reason.CERTIFICATE_REVOKED}


class TestForgeries:
    """What the finder of the key makes after the loss, to look like the time before it."""

    def fails(self, lost: LostKey, forged: bytes, **asked: datetime) -> None:
        report = lost.verify(forged, now=LATER, **asked)
        assert not report.passed
        assert report.then is not PASSED
        assert report.indication is FAILED

    def test_a_claimed_time_from_before(self, lost: LostKey, pdf: bytes) -> None:
        forged = lost.seal(pdf, stamped=False, now=LOST - timedelta(days=1))
        self.fails(lost, forged)

    def test_a_claimed_time_and_a_question_about_that_day(self, lost: LostKey, pdf: bytes) -> None:
        forged = lost.seal(pdf, stamped=False, now=LOST - timedelta(days=1))
        for at in (LOST - timedelta(hours=12), LOST - MINUTE, LOST + MINUTE):
            self.fails(lost, forged, at=at)

    def test_a_claimed_time_before_a_true_time_stamp(self, lost: LostKey, pdf: bytes) -> None:
        self.fails(lost, lost.sealed(pdf, LOST + MINUTE, claims=LOST - timedelta(days=1)))

    def test_a_token_by_an_authority_that_nobody_trusts(self, lost: LostKey, pdf: bytes) -> None:
        own = Pki()
        forged = lost.seal(pdf, timestamper=MemoryTsa(own.signer("timestamp"), LOST - MINUTE))
        self.fails(lost, forged)
        self.fails(lost, forged, at=LOST - MINUTE)

    def test_a_token_by_a_key_that_is_trusted_for_something_else(self, lost: LostKey, pdf: bytes) -> None:
        for use in ("seal", "credential"):
            other = lost.pki.signer(use)
            self.fails(lost, lost.seal(pdf, timestamper=MemoryTsa(other, LOST - MINUTE)))

    def test_a_token_by_the_lost_key_itself(self, lost: LostKey, pdf: bytes) -> None:
        self.fails(lost, lost.seal(pdf, timestamper=MemoryTsa(lost.agency, LOST - MINUTE)))

    def test_a_token_over_other_bytes(self, lost: LostKey, pdf: bytes) -> None:
        """A genuine token of the time before, taken from a genuine document."""
        earlier = MemoryTsa(lost.tsa.signer, LOST - MINUTE)
        token = earlier.stamp(cms.hash_with("sha256", b"the signature of another document"))

        class Taken:
            def stamp(self, _digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
                del digest_algorithm
                return token

        taken: Timestamper = Taken()
        self.fails(lost, lost.seal(pdf, timestamper=taken))

    def test_a_false_token_beside_a_true_one_of_today(self, lost: LostKey, pdf: bytes) -> None:
        """A second seal with an early token does not speak for the first."""
        first = lost.seal(pdf, stamped=False, certify=False)
        both = lost.seal(
            first, timestamper=MemoryTsa(Pki().signer("timestamp"), LOST - MINUTE), certify=False
        )
        self.fails(lost, both)

    def test_a_genuine_document_with_a_page_of_the_finder(self, lost: LostKey, pdf: bytes) -> None:
        """Sealed once more behind a genuine seal from before: each signature answers for itself."""
        genuine = Seal(lost.agency, timestamper=MemoryTsa(lost.tsa.signer, LOST - MINUTE), certify=False)
        sealed = genuine.apply(pdf, now=LOST - MINUTE)
        assert lost.verify(sealed, now=LATER).passed
        self.fails(lost, lost.seal(sealed, stamped=False, now=LOST - MINUTE, certify=False))


class TestALostTimestampKey:
    """Whoever has the authority's key writes any time into a token (RFC 3161, 4.2)."""

    def test_its_tokens_prove_nothing_of_any_time(self, pdf: bytes) -> None:
        lost = LostKey()
        sealed = lost.sealed(pdf, LOST - MINUTE)
        assert lost.verify(sealed, now=LATER).passed
        lost.pki.issuing.revoke(lost.tsa.signer.certificate, HEARD, ReasonFlags.key_compromise)
        assert not lost.verify(sealed, now=LATER).passed

    def test_one_that_only_ended_its_work_is_still_believed(self, pdf: bytes) -> None:
        desk = Desk(Pki())
        sealed = desk.seal(pdf)
        desk.pki.issuing.revoke(desk.tsa.signer.certificate, LOST, ReasonFlags.cessation_of_operation)
        assert desk.verify(sealed, now=LATER).passed


def test_without_a_stated_day_a_revocation_counts_now(pdf: bytes) -> None:
    """Nobody says since when the key is bad: who verifies now is told that the certificate is revoked."""
    desk = Desk(Pki())
    desk.pki.issuing.revoke(desk.agency.certificate, LOST, ReasonFlags.key_compromise)
    report = desk.verify(desk.seal(pdf), now=LATER)
    assert (report.then, report.indication) == (PASSED, FAILED)


def test_who_was_told_nothing_yet_sees_what_was_known(pdf: bytes) -> None:
    """An auditor asks about a day before the loss, by what was known then; today more is known."""
    desk = Desk(Pki())
    early, bare = desk.revocation(NOON), desk.seal(pdf, stamped=False)
    desk.pki.issuing.revoke(desk.agency.certificate, HEARD, ReasonFlags.key_compromise)
    every = early.merged_with(desk.revocation(LATER))
    asked = {"now": LATER, "at": NOON + MINUTE, "revocation": every}
    assert desk.verify(bare, known_at=NOON + MINUTE, **asked).passed
    assert not desk.verify(bare, **asked).passed
