"""A folder is prepared for a key that is elsewhere, and completed; the register hears of each use."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from world.desk import Desk, plain_pdf
from world.homes import make_home
from world.pki import NOON

from credentials import samples
from signing.pdf import load_pending
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.commands import seal_tools, seal_two_steps
from yinxin.app.console import ExitCode
from yinxin.app.seal_batches.elsewhere import read_signatures
from yinxin.base.audit.records import INBOX
from yinxin.base.clock import FixedClock, SystemClock
from yinxin.base.errors import MalformedInput, Unreachable

if TYPE_CHECKING:
    from pathlib import Path

    from signing.signer import Signer

FILES = ("a.pdf", "b/c.pdf")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in desk.agency.chain))
    for name in FILES:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(plain_pdf(name))
    for module in (seal_two_steps, seal_tools):
        monkeypatch.setattr(module, "SystemClock", lambda: FixedClock(*NOON.timetuple()[:6]))
    monkeypatch.setattr(seal_tools, "HttpTimestamper", lambda *_: desk.tsa)
    monkeypatch.chdir(tmp_path)
    return desk


def ask(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any]:
    status = run(["seal", *map(str, words), "--json"])
    said = capsys.readouterr().out
    return status, json.loads(said) if status in {ExitCode.DONE, ExitCode.FAILED} else {}


def sign_all(signer: Signer, listed: Path, target: Path) -> None:
    """What the other side does: it sees the list, and nothing else."""
    rows = json.loads(listed.read_bytes())
    made = {name: b64encode(signer.sign(b64decode(row["to_sign"]))).decode() for name, row in rows.items()}
    target.write_text(json.dumps(made))


def test_a_folder_is_prepared_signed_elsewhere_and_completed(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(capsys, "prepare", "in", "--certificate", "chain.pem", "--reason", "核准")[0] == 0
    sign_all(desk.agency, tmp_path / "in.pending" / "to-sign.json", tmp_path / "back.json")
    complete = ("complete", "in.pending", "--signatures", "back.json", "--tsa", "http://tsa.example/")
    for _ in range(2):  # again changes nothing
        status, answer = ask(capsys, *complete)
        assert (status, [one["file"] for one in answer["files"]]) == (0, list(FILES))
    for name in FILES:
        (signature,) = desk.verify((tmp_path / "in.sealed" / name).read_bytes()).require().signatures
        assert (signature.reason, signature.proved_at) == ("核准", NOON)


def test_what_does_not_come_back_keeps_nobody_else_waiting(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "bad.pdf").write_bytes(b"no PDF")
    status, answer = ask(capsys, "prepare", "in", "--certificate", "chain.pem")
    assert status == ExitCode.FAILED
    assert [one["file"] for one in answer["files"] if "fault" in one] == ["bad.pdf"]
    listed = tmp_path / "in.pending" / "to-sign.json"
    assert set(json.loads(listed.read_bytes())) == set(FILES)
    sign_all(desk.agency, listed, tmp_path / "back.json")
    back = json.loads((tmp_path / "back.json").read_bytes())
    back["a.pdf"], back["other.pdf"] = back["b/c.pdf"], "AA=="
    (tmp_path / "back.json").write_text(json.dumps(back))
    complete = ("complete", "in.pending", "--signatures", "back.json")
    status, answer = ask(capsys, *complete)
    assert status == ExitCode.FAILED
    assert [one["file"] for one in answer["files"] if "fault" in one] == ["a.pdf"]  # signed for another one
    assert not (tmp_path / "in.sealed" / "a.pdf").exists()
    assert desk.verify((tmp_path / "in.sealed" / "b/c.pdf").read_bytes()).passed
    sign_all(desk.agency, listed, tmp_path / "back.json")
    assert ask(capsys, *complete)[0] == 0
    assert desk.verify((tmp_path / "in.sealed" / "a.pdf").read_bytes()).passed


def test_another_file_of_the_name_is_told(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(capsys, "prepare", "in", "--certificate", "chain.pem")
    sign_all(desk.agency, tmp_path / "in.pending" / "to-sign.json", tmp_path / "back.json")
    (tmp_path / "in.sealed").mkdir()
    (tmp_path / "in.sealed" / "a.pdf").write_bytes(desk.seal(plain_pdf("a.pdf")))
    # One that looks like it, with a hole that nobody filled.
    (tmp_path / "in.sealed" / "b").mkdir()
    waiting = load_pending((tmp_path / "in.pending" / "b/c.pdf.pending").read_bytes())
    (tmp_path / "in.sealed" / "b/c.pdf").write_bytes(waiting.document)
    status, answer = ask(capsys, "complete", "in.pending", "--signatures", "back.json")
    assert status == ExitCode.FAILED
    assert [one["file"] for one in answer["files"] if "fault" in one] == ["a.pdf", "b/c.pdf"]


def test_no_authority_stops_all(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        def stamp(self, _digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
            raise Unreachable(digest_algorithm)

    ask(capsys, "prepare", "in", "--certificate", "chain.pem")
    sign_all(desk.agency, tmp_path / "in.pending" / "to-sign.json", tmp_path / "back.json")
    monkeypatch.setattr(seal_tools, "HttpTimestamper", lambda *_: Down())
    monkeypatch.setattr(seal_tools, "pause", lambda _: None)
    complete = ("complete", "in.pending", "--signatures", "back.json", "--tsa", "http://tsa.example/")
    assert ask(capsys, *complete)[0] == ExitCode.ERROR
    assert not (tmp_path / "in.sealed" / "a.pdf").exists()


@pytest.mark.parametrize("words", [(), ("--signature", "x"), ("--signatures", "back.json", "--cms", "x")])
@pytest.mark.usefixtures("desk")
def test_a_folder_takes_its_signatures_together(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(capsys, "complete", "in", *words)[0] == ExitCode.USAGE


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(), st.lists, max_leaves=4).map(json.dumps))
def test_whatever_comes_back_only_our_error_comes_out(
    tmp_path_factory: pytest.TempPathFactory, data: bytes | str
) -> None:
    place = tmp_path_factory.getbasetemp() / "back.json"
    place.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(MalformedInput):
        read_signatures(place)


def test_the_register_hears_of_a_use_of_a_key_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agency = samples.AGENCY
    home = make_home(
        tmp_path / "home", Plan(agency.name.zh, agency.name.en, agency.credit_code), clock=SystemClock()
    )
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in home.chain("seal")))
    (tmp_path / "letter.pdf").write_bytes(plain_pdf())
    assert ask(capsys, "prepare", tmp_path / "letter.pdf", "--certificate", tmp_path / "chain.pem")[0] == 0
    pending = load_pending((tmp_path / "letter.pending").read_bytes())
    (tmp_path / "value").write_bytes(home.signer("seal").sign(pending.to_sign))
    more = ("--signature", tmp_path / "value", "--home", tmp_path / "home")
    assert ask(capsys, "complete", tmp_path / "letter.pending", *more)[0] == 0
    with home.database.reading() as session:
        bodies = [json.loads(body) for body in session.execute(select(INBOX.c.body)).scalars()]
    (use,) = [body for body in bodies if body["action"] == "seal.use"]
    assert use["details"]["key"] == "elsewhere"
