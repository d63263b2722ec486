"""`yinxin seal expiring`: what loses its proof soon is listed, and stamped again where that is asked for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.desk import Desk, plain_pdf
from world.pki import NOON, START
from world.tsa import MemoryTsa

from signing import RevocationSnapshot
from signing.pdf import archive, verify
from yinxin.app.cli import run
from yinxin.app.commands import seal_expiring, seal_tools
from yinxin.app.console import ExitCode
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unreachable

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://tsa.example/"


class Authority:
    """Stamps at once, unless it is down."""

    def __init__(self, desk: Desk) -> None:
        key = desk.pki.issuing.issue("Younger TSA", "timestamp", not_after=START + timedelta(days=3650))
        self.tsa, self.is_down, self.asked = MemoryTsa(key, NOON), False, 0

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        self.asked += 1
        if self.is_down:
            raise Unreachable("down")
        return self.tsa.stamp(digest, digest_algorithm=digest_algorithm)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder of letters, sealed with keys that end at different times."""
    desk = Desk()
    desk.trust.save(tmp_path / "trust")
    for name, authority in (("root", desk.pki.root), ("issuing", desk.pki.issuing)):
        (tmp_path / f"{name}.crl").write_bytes(authority.crl(NOON))
    folder = tmp_path / "letters"
    (folder / "sub").mkdir(parents=True)
    soon = desk.pki.issuing.issue("Soon", "seal", not_after=NOON + timedelta(days=100))
    (folder / "soon.pdf").write_bytes(desk.seal(plain_pdf(), signer=soon))
    (folder / "later.pdf").write_bytes(desk.seal(plain_pdf("later")))
    kept = archive(
        desk.seal(plain_pdf(), signer=soon),
        desk.trust,
        revocation=desk.revocation(),
        timestamper=desk.tsa,
        now=NOON,
    )
    (folder / "sub" / "kept.pdf").write_bytes(kept)
    return desk


@pytest.fixture
def authority(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(desk)
    for module in (seal_expiring, seal_tools):
        monkeypatch.setattr(module, "SystemClock", lambda: FixedClock(*NOON.timetuple()[:6]))
    monkeypatch.setattr(seal_tools, "HttpTimestamper", lambda *_: made)
    monkeypatch.setattr(seal_tools, "pause", lambda _: None)
    return made


def ask(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    known = ["--trust", folder / "trust", "--crl", folder / "root.crl", "--crl", folder / "issuing.crl"]
    command = ["--json", "seal", "expiring", folder / "letters", *known, *more]
    status = run(list(map(str, command)))
    told = capsys.readouterr().out
    return status, json.loads(told) if told else {}


def test_what_ends_within_a_year(
    desk: Desk, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = ask(tmp_path, capsys)
    assert status == ExitCode.DONE
    assert told["looked_at"] == 3
    (one,) = told["files"]
    assert (one["file"], one["level"], one["ends"]) == ("soon.pdf", "B-T", "Soon")
    assert one["until"].startswith((NOON + timedelta(days=100)).date().isoformat())
    _, told = ask(tmp_path, capsys, "--months", "1200")
    assert [one["file"] for one in told["files"]] == ["soon.pdf", "later.pdf", "sub/kept.pdf"]
    _, told = ask(tmp_path, capsys, "--months", "0")
    assert told["files"] == []


def test_what_proves_nothing_is_told(
    desk: Desk, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letters" / "bare.pdf").write_bytes(plain_pdf())
    (tmp_path / "letters" / "broken.pdf").write_bytes(b"")
    status, told = ask(tmp_path, capsys)
    assert status == ExitCode.FAILED
    faults = {one["file"]: one["fault"] for one in told["files"] if "fault" in one}
    assert set(faults) == {"bare.pdf", "broken.pdf"}
    assert "no_signature" in faults["bare.pdf"]


def test_renewed_in_a_batch(
    desk: Desk, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = ask(tmp_path, capsys, "--months", "1200", "--renew", "--tsa", URL)
    assert status == ExitCode.DONE
    target = tmp_path / "letters.renewed"
    assert [one["renewed"] for one in told["files"]] == [
        str(target / name) for name in ("soon.pdf", "later.pdf", "sub/kept.pdf")
    ]
    late = NOON + timedelta(days=3000)
    for name in ("soon.pdf", "later.pdf", "sub/kept.pdf"):
        renewed = (target / name).read_bytes()
        assert renewed.startswith((tmp_path / "letters" / name).read_bytes())
        assert verify(renewed, desk.trust, revocation=RevocationSnapshot(), now=late).passed
    asked = authority.asked
    assert ask(tmp_path, capsys, "--months", "1200", "--renew", "--tsa", URL)[0] == ExitCode.DONE
    assert authority.asked == asked  # what is there was renewed


def test_nobody_to_stamp(
    desk: Desk, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority.is_down = True
    assert ask(tmp_path, capsys, "--renew", "--tsa", URL)[0] == ExitCode.ERROR
    assert ask(tmp_path, capsys, "--renew")[0] == ExitCode.USAGE
    assert not list((tmp_path / "letters.renewed").rglob("*.pdf"))


def test_in_words(
    desk: Desk, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = ["--trust", tmp_path / "trust", "--crl", tmp_path / "root.crl", "--crl", tmp_path / "issuing.crl"]
    for language, words in (("zh", "将失去证明力"), ("en", "lose their proof")):
        command = ["--lang", language, "seal", "expiring", tmp_path / "letters", *known]
        assert run(list(map(str, command))) == ExitCode.DONE
        said = capsys.readouterr().out
        assert words in said
        assert "soon.pdf" in said
