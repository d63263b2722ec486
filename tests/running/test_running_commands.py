"""Backup, restore and doctor at the command line, and the files that production is run with."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from world.node import PASSPHRASE, Node

from yinxin.app.backup import manifest as papers
from yinxin.app.cli import cli, run
from yinxin.app.console import ExitCode
from yinxin.app.doctor import State, examine
from yinxin.app.network import Fetched
from yinxin.app.serve import running
from yinxin.app.shelf import Shelf
from yinxin.base.clock import FixedClock
from yinxin.base.errors import NotFound, Unreachable
from yinxin.base.settings import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).parents[2] / "docs" / "how-to" / "deploy"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Node]:
    made = Node.make(tmp_path / "home", "sqlite:///yinxin.db")
    yield made
    made.close()


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command with the passphrase: its exit status, and what it said as JSON or as an error."""
    file = tmp_path / "typed"
    file.write_text(PASSPHRASE)

    def run_it(*words: object) -> tuple[int, Any]:
        capsys.readouterr()
        status = run([*map(str, words), "--passphrase-file", str(file), "--json"])
        out, err = capsys.readouterr()
        # A server of another test may answer meanwhile: its lines in the log do not begin as an error does.
        error = [line for line in err.splitlines() if line.startswith("{")]
        return status, json.loads(out or error[-1])

    return run_it


def test_from_a_backup_to_a_released_node(small: Node, say: Any, tmp_path: Path) -> None:
    home, again, backup = small.home.directory, tmp_path / "again", tmp_path / "backup"
    small.publish_log()
    note = tmp_path / "checkpoint.txt"
    assert run(["audit", "checkpoint", "--home", str(home), "-o", str(note)]) == ExitCode.DONE
    status, made = say("backup", backup, "--home", home)
    assert (status, made["left_out"]) == (ExitCode.DONE, [])
    assert say("backup", backup, "--home", home)[0] == ExitCode.ERROR

    wrong = say("restore", backup, "--into", again, "--log-key", "x+00000000+AA", "--actor", "op-1")
    assert wrong[0] == ExitCode.ERROR
    assert not again.exists()
    status, restored = say(
        "restore",
        backup,
        "--into",
        again,
        "--checkpoint",
        note,
        "--log-key",
        made["log_key"],
        "--actor",
        "op-1",
    )
    assert (status, restored["notice"], restored["lost_entries"]) == (ExitCode.DONE, None, 0)
    assert restored["serials_skipped"] == 1000

    status, refused = say("serve", "--role", "ca", "--home", again)
    assert (status, refused["error"]["code"]) == (ExitCode.ERROR, "conflict")
    status, found = say("doctor", "--home", again)
    assert status == ExitCode.FAILED
    assert [one["state"] for one in found["findings"] if one["subject"] == "quarantine"] == ["fault"]

    status, refused = say("restore", "--release", "--into", again, "--actor", "Op-1")
    assert (status, refused["error"]["code"]) == (ExitCode.ERROR, "not_permitted")
    status, refused = say("restore", "--release", "--into", again, "--actor", "op-2")
    assert (status, refused["error"]["code"]) == (ExitCode.ERROR, "conflict")  # ten minutes have not passed


def test_a_database_that_was_put_back_by_other_means_is_quarantined_in_place(small: Node, say: Any) -> None:
    status, made = say("restore", "--in-place", "--into", small.home.directory, "--actor", "op-1")
    assert status == ExitCode.DONE
    assert made["notice"].startswith("yinxin log fork\n")
    assert (small.home.directory / "fork-notice.txt").read_text() == made["notice"]
    assert say("serve", "--role", "ca", "--home", small.home.directory)[0] == ExitCode.ERROR


def test_one_thing_at_a_time_is_asked_of_restore(small: Node, say: Any, tmp_path: Path) -> None:
    for words in ((), ("--release", "--in-place"), (str(tmp_path), "--release")):
        status, _ = say("restore", *words, "--into", small.home.directory)
        assert status == ExitCode.USAGE


def test_the_passphrase_of_a_demo_stays_out_of_its_backup(small: Node, say: Any, tmp_path: Path) -> None:
    (small.home.directory / "passphrase").write_text(PASSPHRASE)
    assert say("backup", tmp_path / "backup", "--home", small.home.directory)[0] == ExitCode.DONE
    files = papers.files_of(tmp_path / "backup", papers.read(tmp_path / "backup"))
    assert not any(Path(file.path).name == "passphrase" for file in files)
    for path in (tmp_path / "backup").rglob("*"):
        assert path.is_dir() or PASSPHRASE.encode() not in path.read_bytes()


def test_doctor_asks_the_services_that_run(small: Node) -> None:
    def services() -> dict[str, State]:
        found = examine(small.home, clock=small.clock)
        return {one.subject: one.state for one in found if one.subject.startswith(("service", "trust"))}

    before = services()
    assert before.pop("trust") is State.GOOD
    assert set(before) >= {"service ca", "service issuer", "service verifier", "service wallet"}
    assert set(before.values()) == {State.NOTE}
    with running(small.home, ["ca"]):
        assert services()["service ca"] is State.GOOD


def test_lists_pass_over_a_shelf_whole(tmp_path: Path) -> None:
    now = FixedClock(2026, 11, 20).now()
    ours, theirs = Shelf(tmp_path), Shelf(tmp_path)
    with pytest.raises(NotFound):
        theirs.get("http://a", 10)
    ours.put("http://a", Fetched(b"one", now))
    ours.publish()
    assert theirs.get("http://a", 10) == Fetched(b"one", now)
    with pytest.raises(Unreachable):
        theirs.get("http://b", 10)
    ours.put("http://a", Fetched(b"two", now))
    assert theirs.get("http://a", 10).body == b"one"  # not published yet
    ours.publish()
    assert theirs.get("http://a", 10).body == b"two"
    ours.publish()
    assert len(list(tmp_path.iterdir())) == 2  # the index and what it names: nothing gathers


def test_deploy_files_name_what_there_is() -> None:
    """Commands, options and settings in the units and the compose file are those of this version."""
    known = {row.variable for row in describe()} | {"YINXIN_HOME"}
    text = "\n".join(path.read_text() for path in sorted(DEPLOY.iterdir()))
    assert set(re.findall(r"YINXIN_[A-Z_]+", text)) <= known
    lines = [
        line
        for line in re.findall(r"(?:bin/yinxin|command:) (.*)", text)
        if "serve" in line or "backup" in line
    ]
    assert len(lines) >= 6
    for line in lines:
        words = json.loads(line) if line.startswith("[") else shlex.split(line.rstrip("'"))
        command = cli.get_command(click.Context(cli), words[0])
        assert command is not None
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
