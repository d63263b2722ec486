"""`yinxin verify` leaves a large PDF on the disk and says of it what it says of a small one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.desk import Desk, plain_pdf
from world.pki import NOON

from verify_api import documents
from verify_api.documents import Snapshots
from yinxin.app.examine import Examiner
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def told(desk: Desk, file: Path) -> dict[str, Any]:
    known = Snapshots(desk.trust, desk.revocation())
    return Examiner(known, clock=FixedClock(*NOON.timetuple()[:6])).examine(file).to_dict()


def test_a_large_file_is_judged_as_a_small_one(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = desk.seal(plain_pdf())
    changed = bytearray(sealed)
    changed[200] ^= 1
    for number, data in enumerate((sealed, bytes(changed), plain_pdf(), sealed + b"%")):
        file = tmp_path / f"{number}.pdf"
        file.write_bytes(data)
        small = told(desk, file)
        with monkeypatch.context() as patch:
            patch.setattr(documents, "MAX_DOCUMENT_BYTES", 100)
            large = told(desk, file)
        for name in ("indication", "then", "digest", "reasons"):
            assert large.get(name) == small.get(name), name
        assert large["findings"]["signatures"] == small["findings"]["signatures"]


def test_what_is_large_and_no_pdf_is_too_large(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 100)
    (tmp_path / "a.pdf").write_bytes(b"x" * 200)
    found = told(desk, tmp_path / "a.pdf")
    assert "too_large" in str(found)
