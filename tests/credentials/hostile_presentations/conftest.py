"""A forger who knows a licence, and the counter that it is shown at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import CredentialWorld
from world.forgery import Forger

if TYPE_CHECKING:
    from world.pki import Pki


@pytest.fixture(scope="module")
def forger(pki: Pki) -> Forger:
    return Forger(CredentialWorld(pki))


@pytest.fixture(scope="module")
def counter(forger: Forger) -> Any:
    return forger.world.counter()
