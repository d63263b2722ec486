"""`yinxin seal prepare` and `yinxin seal complete`: a PDF is sealed by a key that is elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from world.desk import Desk, plain_pdf, png
from world.pki import NOON

from signing import cms
from signing.pdf import load_pending
from yinxin.app.cli import run
from yinxin.app.commands import seal_tools, seal_two_steps
from yinxin.app.console import ExitCode
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in desk.agency.chain))
    (tmp_path / "letter.pdf").write_bytes(plain_pdf())
    for module in (seal_two_steps, seal_tools):
        monkeypatch.setattr(module, "SystemClock", lambda: FixedClock(*NOON.timetuple()[:6]))
    monkeypatch.setattr(seal_tools, "HttpTimestamper", lambda *_: desk.tsa)
    return desk


def ask(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    status = run(["seal", *map(str, words), "--json"])
    said = capsys.readouterr().out
    return status, json.loads(said) if status == 0 else {}


def test_prepared_signed_elsewhere_and_completed(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "face.png").write_bytes(png())
    more = ("--certificate", tmp_path / "chain.pem", "--face", tmp_path / "face.png", "--reason", "核准")
    status, answer = ask(capsys, "prepare", tmp_path / "letter.pdf", *more)
    assert (status, answer["algorithm"]) == (0, "ES256")
    waiting = load_pending((tmp_path / "letter.pending").read_bytes())
    assert bytes.fromhex(answer["hash"]) == waiting.hash_to_sign
    (tmp_path / "value").write_bytes(desk.agency.sign(waiting.to_sign))
    asked = ("--signature", tmp_path / "value", "--tsa", "http://tsa.example/")
    assert ask(capsys, "complete", tmp_path / "letter.pending", *asked)[0] == 0
    (signature,) = desk.verify((tmp_path / "letter.sealed.pdf").read_bytes()).require().signatures
    assert (signature.reason, signature.proved_at) == ("核准", NOON)


def test_the_certificate_comes_late(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = ask(capsys, "prepare", tmp_path / "letter.pdf")
    assert (status, "hash" in answer) == (0, False)
    late = ("prepare", tmp_path / "letter.pending")
    assert ask(capsys, *late)[0] == ExitCode.USAGE
    status, answer = ask(capsys, *late, "--certificate", tmp_path / "chain.pem")
    assert (status, "hash" in answer) == (0, True)
    known = tmp_path / "letter.known.pending"
    (tmp_path / "value").write_bytes(desk.agency.sign(load_pending(known.read_bytes()).to_sign))
    assert ask(capsys, "complete", known, "--signature", tmp_path / "value")[0] == 0
    assert desk.verify((tmp_path / "letter.sealed.pdf").read_bytes()).passed


def test_a_whole_structure_made_elsewhere(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, answer = ask(capsys, "prepare", tmp_path / "letter.pdf")
    (tmp_path / "made").write_bytes(cms.sign(desk.agency, bytes.fromhex(answer["document_hash"])))
    complete = ("complete", tmp_path / "letter.pending")
    assert ask(capsys, *complete)[0] == ExitCode.USAGE
    assert ask(capsys, *complete, "--cms", tmp_path / "made")[0] == 0
    assert desk.verify((tmp_path / "letter.sealed.pdf").read_bytes()).passed


def test_a_prepared_file_that_was_changed(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, "prepare", tmp_path / "letter.pdf", "--certificate", tmp_path / "chain.pem")
    kept = (tmp_path / "letter.pending").read_bytes()
    (tmp_path / "value").write_bytes(desk.agency.sign(load_pending(kept).to_sign))
    (tmp_path / "letter.pending").write_bytes(kept.replace(b"Licence 001", b"Licence 002"))
    asked = ("complete", tmp_path / "letter.pending", "--signature", tmp_path / "value")
    assert ask(capsys, *asked)[0] == ExitCode.ERROR
    assert not (tmp_path / "letter.sealed.pdf").exists()
