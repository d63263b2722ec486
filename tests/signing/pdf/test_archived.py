"""Documents kept for the long term (PAdES B-LTA): long after their signers and first stamps have ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.archive import stamp_again, with_store
from world.desk import Desk, plain_pdf
from world.pki import NOON, Pki, TestAuthority
from world.tsa import MemoryTsa

from signing import Policy, Reason, RevocationSnapshot, TrustStore
from signing.report import Indication

if TYPE_CHECKING:
    from signing import Report
    from signing.signers.file import FileSigner

DAY, YEAR = timedelta(days=1), timedelta(days=365)
PASSED, FAILED, UNSURE = Indication.PASSED, Indication.FAILED, Indication.INDETERMINATE
NOTHING = RevocationSnapshot()


class Archive:
    """An agency below one authority, and time-stamps by another one that lasts longer."""

    def __init__(self) -> None:
        self.pki, self.times = Pki(), TestAuthority("Time Root")
        self.agency = self.pki.issuing.issue("Market Bureau", not_after=NOON + 30 * DAY)
        self.first = self.authority("TSA One", NOON + YEAR)
        self.second = self.authority("TSA Two", NOON + 3 * YEAR)
        self.trust = TrustStore([self.pki.root.certificate, self.times.certificate])

    def authority(self, name: str, end: datetime, **more: Any) -> FileSigner:
        return self.times.issue(name, "timestamp", not_after=end, **more)

    def lists(self, at: datetime) -> list[bytes]:
        return [one.crl(at) for one in (self.pki.root, self.pki.issuing, self.times)]

    def sealed(self, at: datetime = NOON, *, stamped: bool = True) -> bytes:
        desk = Desk.__new__(Desk)
        desk.agency, desk.tsa = self.agency, MemoryTsa(self.first, at)
        return desk.seal(plain_pdf(), now=at, stamped=stamped)

    def kept(self, pdf: bytes, at: datetime, by: FileSigner | None = None) -> bytes:
        """With the evidence of that day, and stamped again."""
        return stamp_again(with_store(pdf, self.lists(at)), MemoryTsa(by or self.first, at))

    def ask(self, pdf: bytes, at: datetime, **asked: Any) -> Report[Any]:
        from signing.pdf import verify  # noqa: PLC0415 - heavy

        values: dict[str, Any] = {"revocation": NOTHING, "now": at, **asked}
        return verify(pdf, self.trust, **values)


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive()


@pytest.fixture(scope="module")
def kept(archive: Archive) -> bytes:
    """Sealed at noon, its evidence kept a minute later and stamped by the first authority."""
    return archive.kept(archive.sealed(), NOON + timedelta(minutes=1))


@pytest.fixture(scope="module")
def renewed(archive: Archive, kept: bytes) -> bytes:
    """And stamped again by the second authority, before the first one ended."""
    return archive.kept(kept, NOON + YEAR - DAY, archive.second)


def test_after_the_signers_end_and_without_any_other_evidence(archive: Archive, kept: bytes) -> None:
    report = archive.ask(kept, NOON + YEAR - DAY)
    assert (report.indication, report.then) == (PASSED, PASSED)
    assert report.require().signatures[0].proved_at == NOON
    assert report.findings["signatures"][0]["level"] == "B-LTA"


def test_after_the_stamps_end_only_what_was_stamped_again(
    archive: Archive, kept: bytes, renewed: bytes
) -> None:
    later = NOON + YEAR + DAY
    ended = archive.ask(kept, later)
    assert ended.indication is UNSURE
    assert ended.reasons >= {Reason.TIMESTAMP_NOT_TRUSTED, Reason.CERTIFICATE_EXPIRED}
    assert archive.ask(renewed, later).require().signatures[0].proved_at == NOON
    assert archive.ask(renewed, NOON + 3 * YEAR - DAY).passed
    assert not archive.ask(renewed, NOON + 3 * YEAR + DAY).passed
    believed = Policy(after_end="believed")
    assert archive.ask(kept, later, policy=believed).passed
