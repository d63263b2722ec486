"""Fixtures that every room's tests use, and how long property tests search where they do not say it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from world.pki import Pki

# A machine under load is slow to draw its first example; that says nothing of what is tested.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", parent=_PATIENT, max_examples=40)
settings.register_profile("campaign", parent=_PATIENT, max_examples=1000)
settings.load_profile("campaign" if os.environ.get("YINXIN_CAMPAIGN") == "full" else "short")


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
