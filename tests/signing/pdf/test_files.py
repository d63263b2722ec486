"""PDFs that stay on the disk are sealed, stamped and verified as those in memory are, with little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.pki import NOON

from signing.pdf import Seal, files, lasting, seal_as_agency
from signing.pdf.files import (
    archive_file,
    lasting_file,
    seal_file,
    sealing_file,
    stamp_file,
    verify_file,
)
from signing.policy.levels import Level
from yinxin.base.errors import Conflict, MalformedInput, NotFound, TooLarge, VerificationFailed

if TYPE_CHECKING:
    from signing.pdf import VerifiedDocument
    from signing.report import Report

FORM = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] >> >>"
GOOD = {
    "plain": plain_pdf(),
    "no end of line": plain_pdf().rstrip(),
    "with a form": append_revision(plain_pdf(), {1: FORM}),
    "with a form, no end of line": append_revision(plain_pdf(), {1: FORM}).rstrip(),
    "an older version": plain_pdf().replace(b"%PDF-1.7", b"%PDF-1.4"),
}


def judged(desk: Desk, path: Path) -> Report[VerifiedDocument]:
    return verify_file(path, desk.trust, revocation=desk.revocation(), now=NOON)


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("shown", [False, True])
def test_a_file_is_sealed_as_its_octets_are(desk: Desk, tmp_path: Path, name: str, shown: bool) -> None:  # noqa: FBT001 - drawn
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(GOOD[name])
    seal = Seal(desk.agency, face=red_face() if shown else None, timestamper=desk.tsa)
    seal_file(seal, source, target, now=NOON, reason="准予")
    sealed = target.read_bytes()
    assert sealed.startswith(GOOD[name])
    known = desk.revocation()
    report = verify_file(target, desk.trust, revocation=known, now=NOON)
    (signature,) = report.require().signatures
    assert (signature.reason, signature.proved_at, signature.covers_whole_file) == ("准予", NOON, True)
    assert report.to_dict() == desk.verify(sealed, revocation=known).to_dict()
    second = tmp_path / "second.pdf"
    seal_file(Seal(desk.citizen), target, second, now=NOON)
    assert len(judged(desk, second).require().signatures) == 2


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize("name", GOOD)
def test_the_time_stamp_follows(desk: Desk, tmp_path: Path, name: str) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(GOOD[name])
    seal_file(Seal(desk.agency, room_for_timestamp=True), source, target, now=NOON)
    stamp_file(target, desk.tsa)
    assert judged(desk, target).require().signatures[0].proved_at == NOON
    with pytest.raises(Conflict):
        stamp_file(target, desk.tsa)


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize("name", GOOD)
def test_a_token_larger_than_any_before_leaves_no_trace(desk: Desk, tmp_path: Path, name: str) -> None:
    source, target = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(GOOD[name])
    seal = Seal(desk.agency, timestamper=desk.tsa)
    seal._room = 2500
    seal_file(seal, source, target, now=NOON)
    assert judged(desk, target).passed
    assert target.read_bytes().count(b"/ByteRange") == 1


@pytest.mark.usefixtures("writer")
@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_archived_as_its_octets_are(desk: Desk, tmp_path: Path, name: str) -> None:
    sealed, kept, again = (tmp_path / one for one in ("sealed.pdf", "kept.pdf", "again.pdf"))
    sealed.write_bytes(desk.seal(GOOD[name], face=red_face()))
    asked = {"revocation": desk.revocation(), "now": NOON}
    archive_file(sealed, kept, desk.trust, timestamper=desk.tsa, **asked)
    archive_file(kept, again, desk.trust, timestamper=desk.tsa, **asked)
    assert kept.read_bytes().startswith(sealed.read_bytes())
    assert again.read_bytes().startswith(kept.read_bytes())
    for path in (kept, again):
        found = lasting_file(path, desk.trust, **asked)
        assert found == lasting(path.read_bytes(), desk.trust, **asked)
        assert found.level is Level.B_LTA
    with pytest.raises(Conflict):
        archive_file(sealed, kept, desk.trust, timestamper=desk.tsa, **asked)


def test_what_does_not_pass_is_not_archived(desk: Desk, tmp_path: Path) -> None:
    for content in (b"", plain_pdf(), desk.seal(plain_pdf()) + b"x"):
        (tmp_path / "in.pdf").write_bytes(content)
        asked = {"revocation": desk.revocation(), "now": NOON}
        with pytest.raises((VerificationFailed, MalformedInput)):
            archive_file(tmp_path / "in.pdf", tmp_path / "out.pdf", desk.trust, timestamper=desk.tsa, **asked)
        with pytest.raises(VerificationFailed):
            lasting_file(tmp_path / "in.pdf", desk.trust, **asked)
    final = seal_as_agency(Seal(desk.agency), plain_pdf(), now=NOON, is_final=True)
    (tmp_path / "in.pdf").write_bytes(final)
    with pytest.raises(Conflict, match="forbids"):
        archive_file(tmp_path / "in.pdf", tmp_path / "out.pdf", desk.trust, timestamper=desk.tsa, **asked)
    assert [one.name for one in tmp_path.iterdir()] == ["in.pdf"]


def test_what_cannot_be_sealed_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal, target = Seal(desk.agency), tmp_path / "out.pdf"
    for content in (b"", b"no PDF", plain_pdf()[:300]):
        (tmp_path / "in.pdf").write_bytes(content)
        with pytest.raises(MalformedInput):
            seal_file(seal, tmp_path / "in.pdf", target, now=NOON)
    for source in (tmp_path / "missing.pdf", tmp_path):
        with pytest.raises(NotFound):
            seal_file(seal, source, target, now=NOON)
    (tmp_path / "in.pdf").write_bytes(plain_pdf())
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    with pytest.raises(TooLarge):
        seal_file(seal, tmp_path / "in.pdf", target, now=NOON)
    assert [one.name for one in tmp_path.iterdir()] == ["in.pdf"]


def test_a_file_that_is_there_stays(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(plain_pdf())
    (tmp_path / "out.pdf").write_bytes(b"something")
    with pytest.raises(Conflict):
        seal_file(Seal(desk.agency), tmp_path / "in.pdf", tmp_path / "out.pdf", now=NOON)
    assert (tmp_path / "out.pdf").read_bytes() == b"something"
    seal_file(Seal(desk.agency), tmp_path / "in.pdf", tmp_path / "out.pdf", now=NOON, replace=True)
    assert judged(desk, tmp_path / "out.pdf").passed


def test_what_fails_in_hand_gets_no_name(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(plain_pdf())
    asked = (Seal(desk.agency), tmp_path / "in.pdf", tmp_path / "out.pdf")

    def refuse() -> None:
        with sealing_file(*asked, now=NOON) as sealed:
            assert sealed.read().startswith(plain_pdf())
            raise NotFound("no leave")

    with pytest.raises(NotFound, match="no leave"):
        refuse()
    assert not (tmp_path / "out.pdf").exists()


def test_a_changed_file_is_seen(desk: Desk, tmp_path: Path) -> None:
    sealed = bytearray(desk.seal(plain_pdf()))
    sealed[100] ^= 1
    (tmp_path / "out.pdf").write_bytes(sealed)
    assert not judged(desk, tmp_path / "out.pdf").passed
    (tmp_path / "empty.pdf").write_bytes(b"")
    assert not judged(desk, tmp_path / "empty.pdf").passed


CHILD = """
import json, resource, sys
from datetime import datetime, UTC
from pathlib import Path
from signing.pdf import Seal
from signing.pdf.files import seal_file, verify_file
from signing.revocation import RevocationSnapshot
from signing.signer import open_signer
from signing.trust import TrustStore

folder, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
signer = open_signer(f"file:{folder}/seal.pem?chain={folder}/chain.pem", secret="x")
trust = TrustStore([signer.chain[-1]])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
seal_file(Seal(signer), folder / "in.pdf", folder / "out.pdf", now=now)
sealed = peak()
report = verify_file(folder / "out.pdf", trust, revocation=RevocationSnapshot(), now=now)
coverage = [one["coverage"] for one in report.findings["signatures"]]
print(json.dumps([before, sealed, peak(), coverage, sorted(one.code for one in report.reasons)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory in kilobytes is Linux's")
@pytest.mark.parametrize("name", ["plain", "with a form"])
def test_forty_megabytes_take_little_memory(desk: Desk, tmp_path: Path, name: str) -> None:
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (4 << 20, bytes(4 << 20))
    large = append_revision(plain_pdf(), {20 + number: stream for number in range(10)})
    objects = {1: FORM} if name == "with a form" else {}
    if objects:
        large = append_revision(large, objects)
    (tmp_path / "in.pdf").write_bytes(large)
    desk.agency.save(tmp_path / "seal.pem", passphrase="x")
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in desk.agency.chain))
    command = [sys.executable, "-c", CHILD, str(tmp_path), NOON.isoformat()]
    root = Path(__file__).parents[3]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout
    before, sealed, verified, coverage, reasons = json.loads(said)
    assert sealed - before < 25, "megabytes"
    assert verified - before < 25, "megabytes"
    assert coverage == ["whole_file"]
    assert reasons == ["revocation_unknown"]
