"""`yinxin seal stamp`: a sealed document is kept provable at the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world.desk import Desk, plain_pdf
from world.pki import NOON
from world.tsa import MemoryTsa

from signing import RevocationSnapshot, detached
from signing.pdf import verify
from yinxin.app.cli import run
from yinxin.app.commands import seal_stamp, seal_tools
from yinxin.app.console import ExitCode
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unreachable

if TYPE_CHECKING:
    from pathlib import Path

AT, LATER = NOON + timedelta(minutes=5), NOON + timedelta(days=3000)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose trust and lists lie in the folder, and whose authority answers at once."""
    desk = Desk()
    desk.trust.save(tmp_path / "trust")
    for name, authority in (("root", desk.pki.root), ("issuing", desk.pki.issuing)):
        (tmp_path / f"{name}.crl").write_bytes(authority.crl(NOON))
    for module in (seal_stamp, seal_tools):
        monkeypatch.setattr(module, "SystemClock", lambda: FixedClock(*AT.timetuple()[:6]))
    monkeypatch.setattr(seal_tools, "HttpTimestamper", lambda *_: MemoryTsa(desk.tsa.signer, AT))
    return desk


def stamp(folder: Path, name: str, *more: str, tsa: bool = True) -> int:
    options = ["--trust", folder / "trust", "--crl", folder / "root.crl", "--crl", folder / "issuing.crl"]
    authority = ["--tsa", "http://tsa.example/"] if tsa else []
    command = ["seal", "stamp", folder / name, *authority, *more, *options]
    return run(list(map(str, command)))


def test_a_sealed_pdf(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(desk.seal(plain_pdf()))
    assert stamp(tmp_path, "letter.pdf") == 0
    kept = (tmp_path / "letter.stamped.pdf").read_bytes()
    report = verify(kept, desk.trust, revocation=RevocationSnapshot(), now=LATER)
    assert report.require().signatures[0].proved_at == NOON
    assert not verify(
        (tmp_path / "letter.pdf").read_bytes(), desk.trust, revocation=RevocationSnapshot(), now=LATER
    ).passed


def test_a_file_with_its_signature_beside_it(desk: Desk, tmp_path: Path) -> None:
    content = b"a decision"
    (tmp_path / "decision.txt").write_bytes(content)
    signature = detached.sign(content, desk.agency, now=NOON, timestamper=desk.tsa)
    (tmp_path / "decision.txt.p7s").write_bytes(signature)
    assert stamp(tmp_path, "decision.txt.p7s") == 0
    kept = (tmp_path / "decision.txt.stamped.p7s").read_bytes()
    assert detached.verify(kept, content, desk.trust, revocation=RevocationSnapshot(), now=LATER).passed


def test_evidence_alone_asks_no_authority(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.pdf").write_bytes(desk.seal(plain_pdf()))
    content = b"a decision"
    (tmp_path / "decision.txt").write_bytes(content)
    signature = detached.sign(content, desk.agency, now=NOON, timestamper=desk.tsa)
    (tmp_path / "decision.txt.p7s").write_bytes(signature)
    before = len(desk.tsa.answered)
    for name in ("letter.pdf", "decision.txt.p7s"):
        assert stamp(tmp_path, name, "--level", "B-LT", tsa=False) == 0
    assert len(desk.tsa.answered) == before
    nothing = RevocationSnapshot()
    kept = (tmp_path / "letter.extended.pdf").read_bytes()
    beside = (tmp_path / "decision.txt.extended.p7s").read_bytes()
    report = verify(kept, desk.trust, revocation=nothing, now=LATER)
    assert (report.passed, report.findings["signatures"][0]["level"]) == (True, "B-LT")
    assert detached.verify(beside, content, desk.trust, revocation=nothing, now=LATER).passed
    assert stamp(tmp_path, "letter.pdf", tsa=False) == ExitCode.USAGE
    assert "--tsa" in capsys.readouterr().err


def test_what_does_not_pass_is_not_stamped(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.pdf").write_bytes(plain_pdf())
    (tmp_path / "decision.txt.p7s").write_bytes(detached.sign(b"x", desk.agency, now=NOON))
    for name in ("letter.pdf", "decision.txt.p7s"):
        assert stamp(tmp_path, name) == ExitCode.ERROR
        assert "verification_failed" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.stamped.*"))


class _Down:
    def stamp(self, *_: object, **__: object) -> bytes:
        raise Unreachable("down")


def test_the_next_authority_is_asked_when_the_first_is_down(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = MemoryTsa(desk.tsa.signer, AT)
    monkeypatch.setattr(
        seal_tools, "HttpTimestamper", lambda url, _: good if url == "http://other.example/" else _Down()
    )
    (tmp_path / "letter.pdf").write_bytes(desk.seal(plain_pdf()))
    assert stamp(tmp_path, "letter.pdf", "--tsa", "http://other.example/") == 0
    assert len(good.answered) == 1
