"""The IETF reference library reads what we make, and we read what it makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jwcrypto.jwk import JWK
from world.credentials import COUNTER, NONCE, VCT, CredentialWorld
from world.pki import NOON, Pki

from credentials.sd_jwt import SdJwt, issue_sd_jwt

sd_jwt = pytest.importorskip("sd_jwt", reason="no peer: uv pip install sd-jwt")
from sd_jwt.common import SDObj  # noqa: E402 - after the skip
from sd_jwt.holder import SDJWTHolder  # noqa: E402 - after the skip
from sd_jwt.issuer import SDJWTIssuer  # noqa: E402 - after the skip
from sd_jwt.verifier import SDJWTVerifier  # noqa: E402 - after the skip

if TYPE_CHECKING:
    from signing.signers.file import FileSigner

pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


def public_jwk(signer: FileSigner) -> JWK:
    return JWK(**signer.public_key.to_jwk())


def private_jwk(signer: FileSigner) -> JWK:
    return JWK.from_pyca(signer._private_key)


def read_by_them(text: str, signer: FileSigner, **more: Any) -> dict[str, Any]:
    def key_of(_issuer: str, _header: dict[str, Any]) -> JWK:
        return public_jwk(signer)

    return SDJWTVerifier(text, key_of, **more).get_verified_payload()


def test_they_read_our_credential(world: CredentialWorld) -> None:
    claims = world.licence()
    text = world.issue(claims, decoys=2)
    assert read_by_them(text, world.agency) == SdJwt.parse(text).claims
    assert SdJwt.parse(text).claims["scopes"] == claims["scopes"]


def test_they_verify_our_presentation(world: CredentialWorld) -> None:
    text = world.present(world.issue(), ["name", ("address", "street"), ("scopes", 1)])
    read = read_by_them(text, world.agency, expected_aud=COUNTER, expected_nonce=NONCE)
    assert read == world.examine(text).require().claims
    assert read["scopes"] == ["自制饮品制售"]


def theirs(world: CredentialWorld, *, holder: FileSigner | None = None) -> SDJWTIssuer:
    licence = world.licence()
    hidden = {
        SDObj("name"): licence.pop("name"),
        SDObj("address"): {SDObj("street"): "和平路", "city": "津城"},
    }
    licence.pop("address")
    scopes = [SDObj(scope) for scope in licence.pop("scopes")]
    chain = {"typ": "dc+sd-jwt", "x5c": SdJwt.parse(world.issue()).issuer_jwt.header["x5c"]}
    return SDJWTIssuer(
        {**licence, **hidden, "scopes": scopes},
        private_jwk(world.agency),
        private_jwk(holder) if holder else None,
        add_decoy_claims=True,
        extra_header_parameters=chain,
    )


def test_we_verify_their_credential(world: CredentialWorld) -> None:
    text = theirs(world, holder=world.baker).sd_jwt_issuance
    report = world.counter().verify(text, require_key_binding=False)
    assert report.passed, report.to_json()
    assert report.require().claims["address"] == {"street": "和平路", "city": "津城"}


def test_we_present_their_credential_and_verify_it(world: CredentialWorld) -> None:
    text = theirs(world, holder=world.baker).sd_jwt_issuance
    report = world.examine(world.present(text, [("address", "street")]))
    assert report.passed, report.to_json()
    assert "name" not in report.require().claims


def test_we_verify_their_presentation(world: CredentialWorld) -> None:
    holder = SDJWTHolder(world.issue())
    holder.create_presentation(
        {"name": True, "scopes": [False, True, True]}, NONCE, COUNTER, private_jwk(world.baker)
    )
    iat = json.loads(SdJwt.parse(holder.sd_jwt_presentation).key_binding and _payload(holder))["iat"]
    now = NOON.fromtimestamp(iat, NOON.tzinfo)
    world.clock.advance(now - world.clock.now())
    try:
        report = world.examine(holder.sd_jwt_presentation)
    finally:
        world.clock.advance(NOON - world.clock.now())
    assert report.passed, report.to_json()
    assert report.require().claims["scopes"] == ["自制饮品制售", "预包装食品销售"]


def _payload(holder: SDJWTHolder) -> bytes:
    from signing.jose import parse_jws  # noqa: PLC0415 - one use

    return parse_jws(SdJwt.parse(holder.sd_jwt_presentation).key_binding).payload


def test_they_refuse_what_we_refuse(world: CredentialWorld) -> None:
    text = issue_sd_jwt({"vct": VCT, "name": "x"}, disclosable=["name"], signer=world.agency)
    token, rest = text.split("~", 1)
    broken = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB") + "~" + rest
    with pytest.raises(Exception, match=r".*"):
        read_by_them(broken, world.agency)
    assert not world.counter().verify(broken, require_key_binding=False).passed
