"""Fixtures that every room's tests use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from world.pki import Pki


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki()


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published vectors, or a skip that says where it was looked for."""
    place = Path(os.environ.get("YINXIN_VECTORS", Path(__file__).parents[2] / "shared" / "vectors"))
    if not place.is_dir():
        pytest.skip(f"no published vectors at {place}; set YINXIN_VECTORS")
    return place
