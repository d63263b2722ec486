"""A market bureau asks, a baker's wallet answers: OpenID4VP over HTTP, with nothing mocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.departments import FIRE, GRANTED, TYPE, claims_of_the_bakery
from world.presentations import AskingCity

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def asking() -> Iterator[AskingCity]:
    made = AskingCity()
    yield made
    made.close()


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_licence_is_asked_for_shown_and_verified(asking: AskingCity, *, encrypted: bool) -> None:
    holder = asking.wallet()
    licence = asking.provide(holder)
    started = asking.started(encrypted=encrypted)
    reply = asking.show(holder, started["link"])
    assert (reply.status, reply.json) == (200, {})
    outcome = asking.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("answered", "passed")
    (result,) = outcome["results"][TYPE]
    assert result["claims"] == {name: claims_of_the_bakery()[name] for name in GRANTED}
    assert result["licence"]["identifier"] == licence.identifier
    assert asking.outcome(started["id"], as_=FIRE).status == 404
