"""Every fault of a certificate with every fault of a structure: peers agree, or for a reason that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import cms_faults as faults
from world import stamp_faults as stamps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.peer, pytest.mark.campaign]


def test_signatures(tmp_path: Path, rounds: Callable[[int, int], int]) -> None:
    some = faults.CROSSED[:: rounds(23, 1)]
    only_ours, only_theirs = faults.differences(some, tmp_path, peer=faults.openssl_says, with_status=True)
    assert faults.explained(only_ours, faults.NOT_OPENSSL)
    assert faults.explained(only_theirs, faults.ONLY_OPENSSL)
    only_ours, only_theirs = faults.differences(some, tmp_path, peer=faults.gnutls_says, with_status=False)
    assert not only_ours
    assert faults.explained(only_theirs, faults.ONLY_GNUTLS)


def test_stamps(tmp_path: Path, rounds: Callable[[int, int], int]) -> None:
    some = stamps.CROSSED[:: rounds(13, 1)]
    only_ours, only_theirs = stamps.differences(some, tmp_path)
    assert not only_ours
    assert faults.explained(only_theirs, stamps.ONLY_OPENSSL)
