"""`yinxin seal certify | sign | joint | confirm | copy`, and what `yinxin verify` says of what they made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from world.desk import Desk, plain_pdf, png
from world.pki import NOON

from yinxin.app.cli import run
from yinxin.app.commands import seal_profiles, verify
from yinxin.app.console import ExitCode
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from pathlib import Path

    from signing.signers.file import FileSigner


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two keys, trust, lists, a letter and a face."""
    desk = Desk()
    desk.trust.save(tmp_path / "trust")
    for name, authority in (("root", desk.pki.root), ("issuing", desk.pki.issuing)):
        (tmp_path / f"{name}.crl").write_bytes(authority.crl(NOON))
    for name, signer in (("agency", desk.agency), ("citizen", desk.citizen)):
        save(signer, tmp_path, name)
    (tmp_path / "secret").write_text("correct horse battery", encoding="utf-8")
    (tmp_path / "letter.pdf").write_bytes(plain_pdf(pages=3))
    (tmp_path / "face.png").write_bytes(png(32, 32))
    for module in (seal_profiles, verify):
        monkeypatch.setattr(module, "SystemClock", lambda: FixedClock(*NOON.timetuple()[:6]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(signer: FileSigner, folder: Path, name: str) -> None:
    signer.save(folder / f"{name}.pem", passphrase="correct horse battery")
    (folder / f"{name}-chain.pem").write_bytes(b"".join(one.to_pem() for one in signer.chain))


def seal(verb: str, file: str, *more: str, key: str | None = "agency") -> int:
    keys = ["--key", f"file:{key}.pem?chain={key}-chain.pem", "--passphrase-file", "secret"] if key else []
    return run(["seal", verb, file, *keys, *more])


TRUST = ["--trust", "trust", "--crl", "root.crl", "--crl", "issuing.crl"]


def looked_at(file: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["--lang", "en", "verify", file, *TRUST]) == ExitCode.DONE
    return capsys.readouterr().out


def test_an_agency_certifies_with_a_straddle_seal(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--straddle", "--final", "--face", "face.png", "--reason", "Approved")
    assert seal("certify", "letter.pdf", *more) == ExitCode.DONE
    said = looked_at("letter.sealed.pdf", capsys)
    assert "straddle seal across 3 pages" in said
    assert "nothing may follow it" in said
    assert seal("sign", "letter.sealed.pdf", key="citizen") == ExitCode.ERROR
    assert seal("certify", "letter.pdf", "--straddle", "-o", "x.pdf") == ExitCode.USAGE  # no face
    assert not (place / "x.pdf").exists()


def test_a_citizen_signs_and_others_confirm(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--role", "director", "--reason", "agreed", "--at", "72", "72", "--page", "0", "-o", "a.pdf")
    assert seal("sign", "letter.pdf", *more, key="citizen") == ExitCode.DONE
    assert seal("confirm", "a.pdf", "--of", "Seal1", "--witness", "-o", "b.pdf") == ExitCode.DONE
    said = looked_at("b.pdf", capsys)
    assert "commits to approving the content" in said
    assert "claims to be: director" in said
    assert "witnesses Seal1" in said
    assert seal("confirm", "a.pdf", "--of", "Seal7") == ExitCode.ERROR


def test_several_sign_jointly(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = ("--field", "A@0:60:80", "--field", "B", "--leave-open", "Witness")
    assert seal("joint", "letter.pdf", *fields, "-o", "0.pdf", key=None) == ExitCode.DONE
    assert seal("sign", "0.pdf", "--turn", "B", "-o", "no.pdf") == ExitCode.ERROR
    assert seal("sign", "0.pdf", "--turn", "A", "-o", "1.pdf", key="citizen") == ExitCode.DONE
    capsys.readouterr()
    assert run(["--json", "seal", "joint", "1.pdf"]) == ExitCode.DONE
    found = json.loads(capsys.readouterr().out)
    assert found == [{"field": "A", "signed": True}, {"field": "B", "signed": False}]
    assert "still to sign: B" in looked_at("1.pdf", capsys)
    assert seal("sign", "1.pdf", "--turn", "B", "-o", "2.pdf") == ExitCode.DONE
    assert "order of the joint signing: A → B" in looked_at("2.pdf", capsys)
    more = ("--of", "B", "--witness", "--field", "Witness", "-o", "3.pdf")
    assert seal("confirm", "2.pdf", *more, key="citizen") == ExitCode.DONE
    assert "witnesses B" in looked_at("3.pdf", capsys)


def test_a_copy_is_made_of_what_passes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ("--maker", "津城市档案馆", "--purpose", "仅用于贷款申请", *TRUST)
    assert seal("copy", "letter.pdf", *said) == ExitCode.ERROR
    assert "verification_failed" in capsys.readouterr().err
    assert seal("certify", "letter.pdf", "--face", "face.png") == ExitCode.DONE
    assert seal("copy", "letter.sealed.pdf", *said) == ExitCode.DONE
    assert "copy by 津城市档案馆 on 2026-11-20 for 仅用于贷款申请; the original is inside" in looked_at(
        "letter.sealed.copy.pdf", capsys
    )
    assert seal("copy", "letter.sealed.pdf", "--named-only", "-o", "n.pdf", *said) == ExitCode.DONE
    assert (place / "n.pdf").stat().st_size < (place / "letter.sealed.copy.pdf").stat().st_size
    assert "the original is not inside" in looked_at("n.pdf", capsys)


@pytest.mark.parametrize(
    ("words", "name", "page", "at"),
    [
        ("A", "A", -1, None),
        ("A@0:60:80.5", "A", 0, (60, 80.5)),
        ("a@b@-1:0:0", "a@b", -1, (0, 0)),
        ("a@b", "a@b", -1, None),
        ("@0:1:2", "@0:1:2", -1, None),
        ("A@0:60", "A@0:60", -1, None),
    ],
)
def test_a_field_and_its_place(words: str, name: str, page: int, at: tuple[float, float] | None) -> None:
    found = seal_profiles._place(words)
    assert (found.name, found.page, found.at) == (name, page, at)


def test_a_key_has_to_be_named(place: Path) -> None:
    assert seal("sign", "letter.pdf", key=None) == ExitCode.USAGE
