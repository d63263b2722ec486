"""What another user of the machine finds in an office's folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from journeys.conftest import Played


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_licences_are_readable_for_their_owner_only(played: Played) -> None:
    """They hold citizen numbers, and a folder of them lies on a shared machine."""
    found = [*played.licences(), *(played.directory / "keys").glob("*.pem"), played.directory / "yinxin.db"]
    private = [path for path in found if not path.name.endswith(".chain.pem")]
    assert len(private) > 30
    assert {path.stat().st_mode & 0o077 for path in private} == {0}
