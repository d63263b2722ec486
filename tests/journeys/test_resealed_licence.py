"""The agency's own seal on a stranger's letter: with a licence's data inside, it is still no licence."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pikepdf

from signing.pdf import attachments
from yinxin.app.cli import run
from yinxin.app.console import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from journeys.conftest import Played


def test_a_sealed_letter_with_a_licences_data_is_not_that_licence(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = {
        path: run(["verify", str(path), "--home", str(played.directory)]) for path in played.licences()[:6]
    }
    genuine = next(path for path, verdict in verdicts.items() if verdict == ExitCode.DONE)
    page, letter = pikepdf.new(), io.BytesIO()
    page.add_blank_page()
    page.attachments["licence.json"] = pikepdf.AttachedFileSpec(
        page, attachments(genuine.read_bytes())["licence.json"]
    )
    page.save(letter)
    source = tmp_path / "letter.pdf"
    source.write_bytes(letter.getvalue())
    assert run(["seal", str(source), "--home", str(played.directory)]) == ExitCode.DONE
    capsys.readouterr()
    sealed = tmp_path / "letter.sealed.pdf"
    assert run(["verify", str(sealed), "--home", str(played.directory), "--json"]) == ExitCode.FAILED
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert {reason["code"] for reason in report["reasons"]} == {"licence_differs"}


def test_a_later_signature_leaves_the_licence_what_it_is(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = {
        path: run(["verify", str(path), "--home", str(played.directory)]) for path in played.licences()[:6]
    }
    genuine = next(path for path, verdict in verdicts.items() if verdict == ExitCode.DONE)
    twice = tmp_path / "twice.pdf"
    assert (
        run(["seal", str(genuine), "-o", str(twice), "--home", str(played.directory), "--invisible"])
        == ExitCode.DONE
    )
    capsys.readouterr()
    assert run(["verify", str(twice), "--home", str(played.directory), "--json"]) == ExitCode.DONE
