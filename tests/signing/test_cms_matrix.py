"""Signatures and time-stamps with one fault each: OpenSSL and GnuTLS agree with us, or a table says why not.

Pairs of faults are crossed in `tests/campaign/test_cms_pairs.py`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from world import cms_faults as faults
from world import stamp_faults as stamps
from world.cms_faults import Recipe
from world.stamp_faults import Stamp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer


def test_only_what_is_without_a_fault_passes() -> None:
    passed = {recipe for recipe in faults.CROSSED if faults.we_say(recipe, with_status=True)}
    assert passed == {Recipe(*pair) for pair in itertools.product(faults.SOUND, faults.GOOD)}


def test_openssl_agrees_or_the_difference_is_explained(tmp_path: Path) -> None:
    only_ours, only_theirs = faults.differences(
        faults.ALONE, tmp_path, peer=faults.openssl_says, with_status=True
    )
    assert faults.explained(only_ours, faults.NOT_OPENSSL)  # newer versions may agree
    assert faults.named(only_theirs) == faults.ONLY_OPENSSL


def test_gnutls_agrees_or_the_difference_is_explained(tmp_path: Path) -> None:
    only_ours, only_theirs = faults.differences(
        faults.ALONE, tmp_path, peer=faults.gnutls_says, with_status=False
    )
    assert (only_ours, faults.named(only_theirs)) == (set(), faults.ONLY_GNUTLS)


def test_only_stamps_without_a_fault_prove_a_time() -> None:
    passed = {stamp for stamp in stamps.CROSSED if stamps.we_say(stamp)}
    assert passed == {Stamp("in time", token) for token in stamps.GOOD}


def test_openssl_agrees_on_stamps_or_the_difference_is_explained(tmp_path: Path) -> None:
    only_ours, only_theirs = stamps.differences(stamps.ALONE, tmp_path)
    assert (only_ours, faults.named(only_theirs)) == (set(), stamps.ONLY_OPENSSL)
