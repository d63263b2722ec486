"""Random SD-JWT VCs made from the specifications alone: the good are read exactly, the broken never pass."""

from __future__ import annotations

import os
from base64 import b64encode
from random import Random
from typing import TYPE_CHECKING

import pytest
from world.credentials import COUNTER, NONCE, SECONDS, CredentialWorld
from world.outsider import Parties, Showing
from world.outsider_hostile import hostile

if TYPE_CHECKING:
    from credentials.verifier import Verifier

GOOD, BROKEN = (3000, 40) if os.environ.get("YINXIN_CAMPAIGN") == "full" else (120, 2)


@pytest.fixture(scope="module")
def world() -> CredentialWorld:
    return CredentialWorld()


@pytest.fixture(scope="module")
def parties(world: CredentialWorld) -> Parties:
    sent = [one.der for one in world.agency.chain if not one.is_self_issued]
    return Parties(
        world.agency._private_key,
        world.baker._private_key,
        [b64encode(one).decode() for one in sent],
        COUNTER,
        NONCE,
        SECONDS,
        world.licence()["status"],
    )


@pytest.fixture(scope="module")
def counter(world: CredentialWorld, parties: Parties) -> Verifier:
    assert parties.status
    return world.counter()


def test_what_is_good_is_read_as_it_was_meant(counter: Verifier, parties: Parties) -> None:
    shown = 0
    for seed in range(GOOD):
        good = Showing(Random(seed), parties)  # noqa: S311 - the same cases each time
        report = counter.verify(good.text, audience=COUNTER, nonce=NONCE)
        assert report.passed, (seed, report.to_json())
        assert report.require().claims == good.claims, seed
        shown += len(good.disclosures)
    assert shown > GOOD


def test_what_breaks_a_rule_never_passes(counter: Verifier, parties: Parties) -> None:
    tried = 0
    for seed in range(BROKEN):
        for rule, text in hostile(Showing(Random(1000 + seed), parties)):  # noqa: S311 - as above
            report = counter.verify(text, audience=COUNTER, nonce=NONCE)
            assert not report.passed, (seed, rule)
            tried += 1
    assert tried > 180 * BROKEN
