"""Documents kept for the long term (PAdES B-LTA): long after their signers and first stamps have ended."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import datetime, timedelta
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509 import ReasonFlags
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from world.archive import stamp_again, with_store
from world.desk import Desk, append_revision, plain_pdf
from world.pki import NOON, Pki, TestAuthority
from world.tsa import MemoryTsa

from signing import Crl, Policy, Reason, RevocationSnapshot, TrustStore
from signing.pdf import archive as keep
from signing.pdf import extend, extend_file, verify
from signing.pdf.reading import Reading
from signing.report import Indication
from yinxin.base.errors import Conflict, VerificationFailed

if TYPE_CHECKING:
    from pathlib import Path

    from signing import Certificate, Report
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


def test_the_evidence_may_be_answers_and_the_authorities_may_be_in_the_store(archive: Archive) -> None:
    """A signature that brings its own certificate only, and a file that keeps the rest."""
    lonely = archive.agency.with_chain((archive.agency.certificate,))
    desk = Desk.__new__(Desk)
    desk.agency, desk.tsa = lonely, MemoryTsa(archive.first.with_chain((archive.first.certificate,)))
    sealed = desk.seal(plain_pdf())
    at, later = NOON + timedelta(minutes=1), NOON + 60 * DAY
    answers = [
        archive.pki.issuing.ocsp(archive.agency.certificate, at),
        archive.pki.root.ocsp(archive.pki.issuing.certificate, at),
        archive.times.ocsp(archive.first.certificate, at),
    ]
    kept = with_store(sealed, ocsp=answers, certificates=[archive.pki.issuing.certificate])
    assert archive.ask(kept, later).passed
    assert not archive.ask(with_store(sealed, ocsp=answers), later).passed


def test_findings_say_until_when_it_is_provable(archive: Archive, renewed: bytes) -> None:
    found = archive.ask(renewed, NOON + YEAR).findings["signatures"]
    times = [(one["authority"], one["renew_before"][:10]) for one in found[0]["timestamps"]]
    assert times == [("TSA One", "2027-11-20"), ("TSA One", "2027-11-20"), ("TSA Two", "2029-11-19")]
    assert [one["usage"] for one in found] == ["seal", "timestamp", "timestamp"]


def test_many_renewals(archive: Archive) -> None:
    """Twelve, each shortly before the former authority ends."""
    pdf, at = archive.sealed(), NOON
    for number in range(12):
        at = NOON + number * 100 * DAY
        end = NOON + (number + 1) * 100 * DAY + DAY
        pdf = archive.kept(pdf, at, archive.authority(f"TSA {number}", end, not_before=at - DAY))
    report = archive.ask(pdf, at + 50 * DAY)
    assert report.require().signatures[0].proved_at == NOON


@pytest.fixture(scope="module")
def lost() -> Archive:
    """The agency's certificate was revoked before it sealed, and later the issuer lost its key."""
    archive = Archive()
    archive.pki.issuing.revoke(archive.agency.certificate, NOON - DAY)
    return archive


class TestOurOwn:
    """`signing.pdf.archive` does it: evidence into the store, and a document time-stamp over all."""

    def made(self, archive: Archive, pdf: bytes, at: datetime, by: FileSigner) -> bytes:
        known = RevocationSnapshot(map(Crl.from_der, archive.lists(at)))
        return keep(pdf, archive.trust, revocation=known, timestamper=MemoryTsa(by, at), now=at)

    def test_it_lasts_and_is_renewed(self, archive: Archive) -> None:
        sealed = archive.sealed()
        once = self.made(archive, sealed, NOON + DAY, archive.first)
        assert once.startswith(sealed)
        assert archive.ask(once, NOON + YEAR - DAY).findings["signatures"][0]["level"] == "B-LTA"
        again = self.made(archive, once, NOON + YEAR - DAY, archive.second)
        assert archive.ask(again, NOON + 3 * YEAR - DAY).require().signatures[0].proved_at == NOON
        assert not archive.ask(once, NOON + YEAR + DAY).passed
        stored = Reading(again).store()
        assert (len(stored.certificates), len(set(stored.crls))) == (5, len(stored.crls))

    def test_evidence_alone_lasts_as_long_as_the_time_stamp(self, archive: Archive, tmp_path: Path) -> None:
        sealed, at = archive.sealed(), NOON + DAY
        known = RevocationSnapshot(map(Crl.from_der, archive.lists(at)))
        asked: Any = {"revocation": known, "now": at}
        once = extend(sealed, archive.trust, **asked)
        assert once.startswith(sealed)
        assert archive.ask(once, NOON + YEAR - DAY).findings["signatures"][0]["level"] == "B-LT"
        assert archive.ask(once, NOON + YEAR - DAY).require().signatures[0].proved_at == NOON
        assert not archive.ask(once, NOON + YEAR + DAY).passed
        assert extend(once, archive.trust, **asked) == once
        (tmp_path / "sealed.pdf").write_bytes(sealed)
        extend_file(tmp_path / "sealed.pdf", tmp_path / "kept.pdf", archive.trust, **asked)
        assert (tmp_path / "kept.pdf").read_bytes() == once
        with pytest.raises(Conflict):
            extend(archive.sealed(stamped=False), archive.trust, **asked)
        with pytest.raises(VerificationFailed):
            extend(plain_pdf(), archive.trust, **asked)

    def test_what_does_not_pass_or_may_not_grow(self, archive: Archive) -> None:
        with pytest.raises(VerificationFailed):
            self.made(archive, plain_pdf(), NOON, archive.first)
        with pytest.raises(VerificationFailed):
            self.made(archive, archive.sealed(stamped=False), NOON + 31 * DAY, archive.first)

    def test_a_token_that_needs_more_room(self, archive: Archive) -> None:
        chained = archive.first.with_chain((*archive.first.chain, *_many(archive)))
        kept = self.made(archive, archive.sealed(), NOON + DAY, chained)
        assert archive.ask(kept, NOON + 2 * DAY).passed

    @pytest.mark.peer
    def test_other_programs_agree(self, archive: Archive, tmp_path: Path) -> None:
        kept = self.made(archive, archive.sealed(), NOON + DAY, archive.first)
        (tmp_path / "kept.pdf").write_bytes(kept)
        roots = [asn1_x509.Certificate.load(one.certificate.der) for one in (archive.pki.root, archive.times)]
        reader = PdfFileReader(io.BytesIO(kept))
        context = ValidationContext(trust_roots=roots, moment=NOON + DAY, allow_fetching=False)
        for embedded in reader.embedded_regular_signatures:
            assert validate_pdf_signature(embedded, context, context).bottom_line
        for embedded in reader.embedded_timestamp_signatures:
            assert validate_pdf_timestamp(embedded, context).trusted
        assert len(DocumentSecurityStore.read_dss(reader).certs) == 5
        for command in (["qpdf", "--check"], ["pdfsig", "-nocert"]):
            if which(command[0]):
                ran = subprocess.run([*command, tmp_path / "kept.pdf"], capture_output=True, check=False)
                assert ran.returncode == 0, ran.stdout


def _many(archive: Archive) -> list[Certificate]:
    """Certificates that a token may carry and nobody needs."""
    return [archive.times.issue(f"Other {number}").certificate for number in range(15)]


class TestAttackers:
    """Who has an authority's key on day 40 makes evidence that bears an earlier date."""

    LOST = NOON + 40 * DAY

    def known(self, archive: Archive) -> RevocationSnapshot:
        """What is known on the last day: only that the issuer's key is lost, and since when."""
        root = archive.pki.root
        root.revoke(archive.pki.issuing.certificate, self.LOST + DAY, ReasonFlags.key_compromise)
        since = ((x509.InvalidityDate(self.LOST.replace(tzinfo=None)), False),)
        now = root.crl(self.LOST + 2 * DAY, entry_extra=since)
        root.revoked.clear()
        lists = [now, root.crl(NOON), archive.times.crl(NOON), archive.times.crl(self.LOST + 2 * DAY)]
        return RevocationSnapshot(map(Crl.from_der, lists))

    def forged(self, archive: Archive) -> bytes:
        """A list of that noon, made with the lost key, that names nobody."""
        revoked = dict(archive.pki.issuing.revoked)
        archive.pki.issuing.revoked.clear()
        forged = archive.pki.issuing.crl(NOON)
        archive.pki.issuing.revoked.update(revoked)
        return forged

    def ask(self, archive: Archive, pdf: bytes) -> Report[Any]:
        return archive.ask(pdf, self.LOST + 2 * DAY, revocation=self.known(archive))

    def test_a_list_put_into_the_store_later(self, lost: Archive) -> None:
        pdf = with_store(stamp_again(lost.sealed(), MemoryTsa(lost.first, NOON)), [self.forged(lost)])
        report = self.ask(lost, pdf)
        assert report.then is UNSURE
        assert Reason.AUTHORITY_REVOKED_WITHOUT_PROOF in report.reasons

    def test_a_list_stamped_too_late(self, lost: Archive) -> None:
        pdf = with_store(lost.sealed(), [self.forged(lost)])
        report = self.ask(lost, stamp_again(pdf, MemoryTsa(lost.second, self.LOST + timedelta(hours=1))))
        assert report.then is UNSURE
        assert Reason.AUTHORITY_REVOKED_WITHOUT_PROOF in report.reasons

    @pytest.mark.parametrize("place", ["empty", "missing", "behind the end"])
    def test_a_place_kept_free_for_a_list_that_is_made_later(self, lost: Archive, place: str) -> None:
        """A store that was stamped in time names an object that is written only afterwards."""
        sealed, forged = lost.sealed(), self.forged(lost)
        number = 900
        root = _catalogue(sealed, b"/DSS << /CRLs [%d 0 R] >>" % number)
        objects = {root[0]: root[1], **({number: b"null"} if place == "empty" else {})}
        waiting = append_revision(sealed, objects, root=root[0])
        if place == "behind the end":
            waiting = _with_dangling_entry(sealed, root, number)
        stamped = stamp_again(waiting, MemoryTsa(lost.first, NOON + timedelta(minutes=1)))
        body = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(forged), forged)
        filled = append_revision(stamped, {number: body}, root=root[0])
        report = self.ask(lost, filled)
        assert report.then is not PASSED, report.to_json()
        assert not report.passed
        if place == "empty":
            assert Reason.AUTHORITY_REVOKED_WITHOUT_PROOF in report.reasons

    def test_what_was_kept_honestly_holds(self) -> None:
        """The same loss; the agency was never revoked, and its evidence was stamped in time."""
        archive = Archive()
        kept = archive.kept(archive.sealed(), NOON + timedelta(minutes=1))
        report = self.ask(archive, kept)
        assert (report.then, report.indication) == (PASSED, PASSED)

    def test_a_store_of_noise_says_nothing(self, archive: Archive) -> None:
        sealed = archive.sealed()
        root = _catalogue(sealed, b"/DSS << /CRLs [901 0 R 902 0 R 5 (text)] /OCSPs 7 /Certs [901 0 R] >>")
        noise = {901: b"<< /Length 4 >>\nstream\nnope\nendstream", 902: b"[1 2 3]", root[0]: root[1]}
        report = archive.ask(append_revision(sealed, noise, root=root[0]), NOON)
        assert Reason.REVOCATION_UNKNOWN in report.reasons

    def test_a_store_without_end(self, archive: Archive) -> None:
        sealed = archive.sealed()
        root = _catalogue(sealed, b"/DSS << /CRLs [%s] >>" % (b"901 0 R " * 300))
        many = {901: b"<< /Length 4 >>\nstream\nnope\nendstream", root[0]: root[1]}
        report = archive.ask(append_revision(sealed, many, root=root[0]), NOON)
        assert Reason.TOO_LARGE in report.reasons


class TestTheOrderOfTimes:
    def test_a_stamp_from_before_what_it_covers(self, archive: Archive) -> None:
        """Two trusted authorities contradict each other: one of their clocks is wrong."""
        evidence = RevocationSnapshot(map(Crl.from_der, archive.lists(NOON + DAY)))
        inner = archive.sealed(NOON + timedelta(hours=2))
        for early, passes in ((NOON, False), (NOON + timedelta(hours=2, minutes=-4), True)):
            pdf = stamp_again(inner, MemoryTsa(archive.second, early))
            report = archive.ask(pdf, NOON + DAY, revocation=evidence)
            assert report.passed == passes
            assert (Reason.TIMESTAMP_ORDER in report.reasons) != passes

    def test_two_stamps_of_the_document(self, archive: Archive) -> None:
        pdf = archive.sealed()
        for at in (NOON + timedelta(hours=3), NOON + timedelta(hours=1)):
            pdf = archive.kept(pdf, at, archive.second)
        assert Reason.TIMESTAMP_ORDER in archive.ask(pdf, NOON + 2 * DAY).reasons


def _catalogue(pdf: bytes, more: bytes) -> tuple[int, bytes]:
    """The number of the document's catalogue, and its newest form with a further entry."""
    number = int(re.findall(rb"/Root (\d+) 0 R", pdf)[-1])
    body = re.findall(rb"\n%d 0 obj\n(.*?)\nendobj" % number, pdf, re.DOTALL)[-1]
    return number, body.rstrip()[:-2] + more + b" >>"


def _with_dangling_entry(pdf: bytes, root: tuple[int, bytes], number: int) -> bytes:
    """As `append_revision`, and the table says that an object stands where nothing does yet."""
    once = append_revision(pdf, {root[0]: root[1], number: b"null"}, root=root[0])
    place = once.rindex(b"%d 1\n" % number) + len(b"%d 1\n" % number)
    beyond = len(once) + 14_000 * 2
    return once[:place] + b"%010d" % beyond + once[place + 10 :]
