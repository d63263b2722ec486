"""The baker chooses what to show, and proves that the credential is his."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE, SECONDS, CredentialWorld
from world.pki import NOON, Pki

from credentials.key_binding import withhold
from credentials.sd_jwt import SdJwt
from signing.jose import parse_jws
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from credentials.claim_paths import ClaimPath


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


@pytest.fixture(scope="module")
def licence(world: CredentialWorld) -> str:
    return world.issue()


def shown(licence: str, *disclose: ClaimPath) -> dict[str, Any]:
    return SdJwt.parse(withhold(SdJwt.parse(licence), disclose=disclose)).claims


def test_only_the_chosen_claims_are_shown(licence: str) -> None:
    always = set(shown(licence))
    assert set(shown(licence, "name")) - always == {"name"}
    assert set(shown(licence, "name", "credit_code")) - always == {"name", "credit_code"}


def test_a_part_brings_its_parent_but_not_its_neighbours(licence: str) -> None:
    assert shown(licence, ("address", "city"))["address"] == {"city": "津城"}
    assert shown(licence, ("address", "street"))["address"] == {"city": "津城", "street": "和平路 18 号"}


def test_a_whole_brings_its_parts(licence: str) -> None:
    assert shown(licence, "address")["address"] == {"city": "津城", "street": "和平路 18 号"}
    assert len(shown(licence, "scopes")["scopes"]) == 3


def test_elements_are_chosen_by_their_place_as_issued(licence: str) -> None:
    assert shown(licence, ("scopes", 1))["scopes"] == ["自制饮品制售"]
    assert shown(licence, ("scopes", 2), ("scopes", 0))["scopes"] == ["糕点类食品制售", "预包装食品销售"]
    assert len(shown(licence, ("scopes", None))["scopes"]) == 3


def test_a_claim_that_is_always_visible_may_be_asked_for(licence: str) -> None:
    assert shown(licence, "licence_identifier", "vct") == shown(licence)


def test_a_claim_that_is_not_there_is_an_error(world: CredentialWorld, licence: str) -> None:
    for claim in ("colour", ("address", "zip"), ("scopes", 3), ("name", "first")):
        with pytest.raises(NotFound):
            world.present(licence, [claim])


def test_the_binding_says_to_whom_when_and_what(world: CredentialWorld, licence: str) -> None:
    text = world.present(licence, ["name"])
    token = parse_jws(SdJwt.parse(text).key_binding)
    assert token.header == {"typ": "kb+jwt", "alg": "ES256"}
    claims = token.claims()
    assert (claims["iat"], claims["aud"], claims["nonce"]) == (SECONDS, COUNTER, NONCE)
    assert set(claims) == {"iat", "aud", "nonce", "sd_hash"}


def test_what_cannot_be_presented(world: CredentialWorld, licence: str) -> None:
    with pytest.raises(UsageError):
        world.present(world.present(licence))
    with pytest.raises(UsageError):
        world.present(licence, holder=FileSigner.generate())
    with pytest.raises(UsageError):
        world.present(world.issue(holder_key=None))
    with pytest.raises(MalformedInput):
        world.present("no credential")


def test_other_kinds_of_holder_keys(world: CredentialWorld) -> None:
    for kind in ("P-384", "Ed25519"):
        holder = FileSigner.generate(kind)
        text = world.present(world.issue(holder_key=holder.public_key), holder=holder)
        assert world.examine(text).require().holder_key == holder.public_key


def test_the_window_of_time_has_both_ends(world: CredentialWorld, licence: str) -> None:
    """Five minutes of age and five of clock skew."""
    for minutes, passes in ((-5, True), (-6, False), (9, True), (11, False)):
        text = world.present(licence, at=NOON - timedelta(minutes=minutes))
        assert world.examine(text).passed is passes, minutes
