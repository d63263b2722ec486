"""Fixtures that every room's tests use, and how long property tests search where they do not say it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from world.pki import Pki

from yinxin.app.observing import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

# A machine under load is slow to draw its first example; that says nothing of what is tested.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", parent=_PATIENT, max_examples=40)
settings.register_profile("campaign", parent=_PATIENT, max_examples=1000)
settings.load_profile("campaign" if os.environ.get("YINXIN_CAMPAIGN") == "full" else "short")


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    """What a command that serves sets up for its whole process ends with the test that ran it.

    Left standing, it would write what any later test's servers say into what that test's commands print.
    """
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    if (sys.excepthook, threading.excepthook, sys.unraisablehook) != hooks:
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(capture=False)
        for name in logs.OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)


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
