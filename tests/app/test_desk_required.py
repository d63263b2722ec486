"""Where an office demands its desk, no command makes, changes or ends a licence by one person."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import click
import pytest

from yinxin.app.cli import run
from yinxin.app.commands import licence
from yinxin.app.console import ExitCode
from yinxin.app.home import Home
from yinxin.base.clock import SystemClock
from yinxin.base.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

# These read, or do what no case of the desk is about: hand out a copy, note that a promise was kept.
FOR_ONE = {"history", "meet", "offer", "show", "types"}
CHANGES = sorted(set(licence.command.commands) - FOR_ONE)
WORDS = {"kind": "revoked", "sequence": "1"}


def test_both_kinds_of_commands_are_there() -> None:
    assert set(licence.command.commands) >= FOR_ONE
    assert {"issue", "correct", "end", "suspend", "undo", "merge"} <= set(CHANGES)


def words_for(name: str, file: Path) -> list[str]:
    """The least that a command takes."""
    found = ["licence", name]
    for one in licence.command.commands[name].params:
        word = WORDS.get(one.name or "", "x")
        if isinstance(one.type, click.Path):
            word = str(file if one.type.file_okay else file.parent)
        if isinstance(one, click.Argument):
            found += [word] * max(one.nargs, 2 if one.nargs < 0 else 1)
        elif one.required:
            found += [one.opts[0], word]
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_it_is_done_at_the_desk(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "claims.json"
    file.write_text("{}")
    place = SimpleNamespace(
        settings=Settings(desk_required=True), clock=SystemClock(), document_key=lambda: bytes(32)
    )
    monkeypatch.setattr(Home, "open", lambda *_, **__: place)
    assert run(words_for(name, file)) == ExitCode.ERROR
    assert "desk_required" in capsys.readouterr().err
