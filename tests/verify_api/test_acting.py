"""Agents at a department's window: what the verdict says, and what a recall stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.acting import ActingCity

from verify_api.receipts import verify_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def city() -> Iterator[ActingCity]:
    found = ActingCity()
    yield found
    found.close()


def test_x_for_y_under_delegation_z(city: ActingCity) -> None:
    agent, delegation = city.agent()
    asked = city.asked()
    reply = city.show(agent.holder, asked["link"])
    assert reply.status == 200, reply.body
    found = city.found(asked["id"])
    assert found["indication"] == "passed", found
    (result,) = found["results"]["business-licence"]
    said = f"李明华代表{city.office.business.holder_name}，依据委托书 {delegation}"
    assert result["text"]["zh"] == f"核验通过：{said}"
    assert result["acting"]["id"] == delegation
    receipt = verify_receipt(
        result["receipt"], city.trust, now=city.clock.now(), revocation=city.snapshots().revocation
    ).require()
    assert receipt.content["acting"]["zh"] == said
    assert receipt.content["delegation"] == delegation
    (use,) = city.boss.delegating.uses()
    assert (use["department"], use["matter"]) == ("urn:jincheng:window", asked.get("matter", use["matter"]))
