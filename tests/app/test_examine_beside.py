"""`yinxin verify` and a signature in a file of its own: what it signs lies beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.desk import Desk
from world.pki import NOON
from world.signers import joined

from signing import detached
from signing.policy import Policy
from signing.reasons import Reason
from verify_api.documents import Snapshots
from yinxin.app.console import Console
from yinxin.app.examine import Examiner
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from pathlib import Path

    from signing.report import Report

CONTENT = b"minutes of a meeting"


class Beside:
    def __init__(self, folder: Path) -> None:
        self.desk, self.file = Desk(), folder / "minutes.docx"
        self.file.write_bytes(CONTENT)
        self.signature = folder / "minutes.docx.p7s"
        self.signature.write_bytes(
            detached.sign(CONTENT, self.desk.agency, now=NOON, timestamper=self.desk.tsa)
        )

    def sign_too(self) -> None:
        """A citizen signs in the same structure."""
        theirs = detached.sign(CONTENT, self.desk.citizen, now=NOON, timestamper=self.desk.tsa)
        self.signature.write_bytes(joined(self.signature.read_bytes(), theirs))

    def look(self) -> Report[Any]:
        now = NOON + timedelta(minutes=1)
        stands = Snapshots(self.desk.trust, self.desk.revocation(now), Policy.default())
        return Examiner(stands, clock=FixedClock(*now.timetuple()[:6])).examine(self.signature)


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path)


def test_it_is_found_beside_its_file(beside: Beside) -> None:
    found = beside.look()
    assert found.passed
    assert found.findings["usage"] == "seal"


def test_a_changed_file_fails(beside: Beside) -> None:
    beside.file.write_bytes(CONTENT + b".")
    assert Reason.HASH_FAILURE in beside.look().reasons


def test_without_its_file_it_says_what_is_missing(beside: Beside) -> None:
    beside.file.unlink()
    assert Reason.SIGNED_DATA_NOT_FOUND in beside.look().reasons
    assert not beside.look().passed


def test_noise_is_a_failed_report(beside: Beside) -> None:
    beside.signature.write_bytes(b"\x30\x82\x01")
    assert beside.look().reasons == {Reason.FORMAT_FAILURE}


def test_people_read_who_signed(beside: Beside, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(language="en", as_json=False)
    console.report("minutes.docx.p7s", beside.look())
    assert "signed by 津城市场监管局 Market Bureau" in capsys.readouterr().out
    beside.sign_too()
    console.report("minutes.docx.p7s", beside.look())
    said = capsys.readouterr().out
    assert all(f"signed by {name}" in said for name in ("津城市场监管局 Market Bureau", "张三 Zhang San"))


def test_several_signers_pass_together_or_not(beside: Beside) -> None:
    beside.sign_too()
    assert beside.look().passed
    assert {one["usage"] for one in beside.look().findings["signatures"]} == {"seal", "signature"}
    beside.file.write_bytes(CONTENT + b".")
    assert not beside.look().passed
