"""What a hostile user types, or names a file: the terminal is not steered, and nothing half is left."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from yinxin.app import wiring
from yinxin.app.cli import run
from yinxin.app.console import Console, ExitCode, readable
from yinxin.app.home import Home
from yinxin.base.actor import Actor, ActorKind, staff
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

# A colour, a title of the window, the 8-bit introducer, a bell, an override of direction.
STEERING = "\x1b[31m\x1b]0;owned\x07\x9b2J\u202e[red]x[/red]"


def unsteered(said: str) -> bool:
    return not any(character in said for character in "\x1b\x07\x9b\u202e")


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", f"/nowhere/{STEERING}"],
        [STEERING],
        ["verify", "--at", STEERING, "x"],
        ["licence", "types", STEERING],
        ["licence", "show", STEERING, "--home", f"/nowhere/{STEERING}"],
    ],
)
def test_what_was_typed_does_not_steer_the_terminal(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) in {ExitCode.USAGE, ExitCode.ERROR}
    said = capsys.readouterr()
    assert unsteered(said.out + said.err)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
@pytest.mark.parametrize("name", [STEERING.encode().replace(b"/", b"") + b".pdf", b"\xff\xfe.pdf"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_files_name_does_not_steer_the_terminal(
    name: bytes, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = os.fsencode(tmp_path) + b"/" + name
    with open(file, "wb") as made:  # noqa: PTH123 - a name that is no text
        made.write(b"no document")
    assert run([*options, "verify", os.fsdecode(file)]) == ExitCode.FAILED
    assert unsteered(capsys.readouterr().out)


def test_a_name_from_a_register_is_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(language="en", as_json=False)
    console.say(STEERING, STEERING)
    console.table([("名称", "name")], [[STEERING]], title="[red]t")
    said = capsys.readouterr().out
    assert unsteered(said)
    assert said.count("[red]x[/red]") == 2
    assert readable("津城\u3000一行\n二行") == "津城\u3000一行\n二行"


@pytest.mark.parametrize("moment", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_the_calendar_are_a_usage_error(
    moment: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["verify", "--at", moment, str(tmp_path / "none.pdf")])
    assert status in {ExitCode.USAGE, ExitCode.ERROR}
    assert "--debug" not in capsys.readouterr().err, "a fault of ours"


@pytest.mark.parametrize("again", ["Mallory", " mallory ", "MALLORY", "ｍａｌｌｏｒｙ", "mallory\u3000"])
def test_another_spelling_is_not_a_second_person(again: str) -> None:
    assert staff(again) == staff("mallory")
    assert str(staff(again)) == "staff:mallory"


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "mal\u200blory", "\u202eyrollam", "x" * 201])
def test_an_identifier_that_nobody_can_read_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        staff(name)


def test_the_name_of_a_department_stays_as_it_is() -> None:
    assert Actor(ActorKind.DEPARTMENT, "https://a.example/App").identifier == "https://a.example/App"


INIT = ["--code", "1112010090000201XF", "--people", "chen", "wang", "zhao", "--agency-en", "A Bureau"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--agency", 'evil"\nagency_code = "x'],
        ["--agency", "\x1b[31m某局"],
        ["--agency", "某\x7f局"],
        ["--agency", "某\udcff局"],
        ["--agency", "长" * 29],
        ["--agency", "某局", "--agency-en", "A\nBureau"],
        ["--agency", "某局", "--base-url", "file:///etc"],
        ["--agency", "某局", "--base-url", "http://a.example/\n— evil"],
        ["--agency", "某局", "--ca-url", "http://user:word@a.example"],
        ["--agency", "某局", "--verify-url", "http://a.example/?x#y"],
        ["--agency", "某局", "--verify-url", ""],
        ["--agency", "某局", "--people", "chen", "Chen", " chen"],
        ["--agency", "某局", "--people", "chen", "wang", "ｗａｎｇ"],
    ],
    ids=repr,
)
def test_a_home_is_not_begun_with_what_it_cannot_hold(
    wrong: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was found out halfway, and left a folder that holds a home and is none."""
    monkeypatch.setenv("YINXIN_PASSPHRASE", "a passphrase")
    home = tmp_path / "home"
    assert run(["ca", "init", str(home), *INIT, *wrong]) == ExitCode.USAGE
    assert not home.exists()


def test_text_that_a_typesetter_would_run_is_only_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YINXIN_PASSPHRASE", "a passphrase")
    name = '#read("/etc/passwd")*局*\\'
    assert run(["ca", "init", str(tmp_path / "home"), *INIT, "--agency", name]) == ExitCode.DONE
    home = Home.open(tmp_path / "home", passphrase="a passphrase")
    assert home.settings.agency_name == name
    assert wiring.seal(home).face is not None
