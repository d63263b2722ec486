"""A verdict on a licence is archived with what the register said, and made again without a register."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credentials.samples import AGENCY
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.decisions import archive
from yinxin.app.decisions.decision import REGISTER, replay
from yinxin.app.decisions.register_facts import ArchivedRegister

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Played


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Any:
    def ask(*arguments: str | Path) -> tuple[int, Any]:
        capsys.readouterr()
        status = run([*map(str, arguments), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return ask


def test_licences_of_the_demo_and_a_receipt(played: Played, tmp_path: Path, ask: Any) -> None:
    files = [*played.licences()[:8], played.directory / "receipts" / "pdf.jwt"]
    for number, file in enumerate(files):
        place = tmp_path / f"{number}.zip"
        status, answer = ask("verify", file, "--home", played.directory, "--archive", place)
        said = answer["reports"][0]
        again, outcome = ask("verify", "--replay", place)
        assert (again, outcome["same"]) == (ExitCode.DONE, True), outcome["differs"]
        assert outcome["report"]["indication"] == said["indication"]
        assert status in {ExitCode.DONE, ExitCode.FAILED}
        decision = archive.read(place)
        kept = [one["sha256"] for one in decision.record["inputs"] if one["role"] == REGISTER]
        if file.suffix != ".pdf":
            assert not kept
            continue
        register = ArchivedRegister.from_json(decision.inputs[kept[0]])
        assert register.entry is not None
        assert register.entry.versions[0].licence.agency.credit_code == AGENCY.credit_code
        assert register.to_json() == decision.inputs[kept[0]]
        assert replay(decision).report.snapshots["register"] == register.entry.snapshot_id
