"""What the agency writes into a credential, and what stays hidden in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import VCT, CredentialWorld

from credentials.sd_jwt import SdJwt, issue_sd_jwt
from signing.base64url import decode_base64url
from signing.jose import load_json
from signing.signers.file import FileSigner
from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge, UsageError
from yinxin.base.randomness import UnsafeSeededRandomness

if TYPE_CHECKING:
    from world.pki import Pki


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


def opened(credential: SdJwt) -> list[list[Any]]:
    return [load_json(decode_base64url(text)) for text in credential.disclosures]


def test_hidden_claims_come_back_and_nothing_of_them_is_in_the_token(world: CredentialWorld) -> None:
    claims = world.licence()
    credential = SdJwt.parse(world.issue(claims))
    assert credential.claims == {**claims, "cnf": {"jwk": world.baker.public_key.to_jwk()}}
    signed = credential.issuer_jwt.payload.decode()
    for secret in ("小麦", "91120101MA5K3WXY0T", "和平路", "糕点", "津城"):
        assert secret not in signed


def test_the_header_names_type_and_chain_but_not_the_anchor(world: CredentialWorld) -> None:
    header = SdJwt.parse(world.issue()).issuer_jwt.header
    assert (header["typ"], header["alg"]) == ("dc+sd-jwt", "ES256")
    assert len(header["x5c"]) == 2


def test_every_claim_has_a_salt_of_its_own(world: CredentialWorld) -> None:
    salts = [parts[0] for parts in opened(SdJwt.parse(world.issue()))]
    assert len(salts) == 7
    assert len(set(salts)) == len(salts)
    assert all(len(decode_base64url(salt)) >= 16 for salt in salts)


def test_digests_are_sorted_and_joined_by_decoys(world: CredentialWorld) -> None:
    plain, decoyed = (SdJwt.parse(world.issue(decoys=count)) for count in (0, 4))
    assert len(plain.payload["_sd"]) == 3
    assert len(decoyed.payload["_sd"]) == 7
    assert decoyed.payload["_sd"] == sorted(decoyed.payload["_sd"])
    assert len(decoyed.payload["scopes"]) == 7
    assert decoyed.claims["scopes"] == plain.claims["scopes"]
    assert decoyed.reveal().undisclosed == 4 + 4 + 4  # top level, the array, the address


def test_same_randomness_same_credential_but_for_its_signature(world: CredentialWorld) -> None:
    claims = world.licence()
    first, second = (
        SdJwt.parse(world.issue(claims, randomness=UnsafeSeededRandomness("same"))) for _ in range(2)
    )
    assert first.disclosures == second.disclosures
    assert first.payload == second.payload


def test_without_hidden_claims_there_is_no_trace_of_selective_disclosure(world: CredentialWorld) -> None:
    text = world.issue(disclosable=(), decoys=3)
    credential = SdJwt.parse(text)
    assert text.endswith("~")
    assert text.count("~") == 1
    assert not {"_sd", "_sd_alg"} & set(credential.payload)


def test_any_json_value_can_be_hidden(world: CredentialWorld) -> None:
    values = {
        "n": None,
        "t": True,
        "i": -7,
        "f": 1.5,
        "s": "印章 𠮷 \u2028",
        "l": [],
        "o": {},
        "z": [[1], {"a": [2]}],
    }
    claims = {"vct": VCT, **values}
    credential = SdJwt.parse(world.issue(claims, disclosable=list(values), holder_key=None))
    assert credential.claims == claims


@pytest.mark.parametrize("name", ["iss", "nbf", "exp", "cnf", "vct", "aka_vcts", "status"])
def test_what_must_be_visible_cannot_be_hidden(world: CredentialWorld, name: str) -> None:
    with pytest.raises(InvalidClaims):
        world.issue(disclosable=[name])
    with pytest.raises(InvalidClaims):
        world.issue(disclosable=[(name, "part")])


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"vct": ""},
        {"vct": 7},
        {"vct": VCT, "_sd": []},
        {"vct": VCT, "a": {"...": "x"}},
        {"vct": VCT, "a": [{"_sd_alg": "sha-256"}]},
        {"vct": VCT, 7: "x"},
        {"vct": VCT, "a": float("nan")},
        {"vct": VCT, "a": b"bytes"},
        {"vct": VCT, "a": 10**300},
        {"vct": VCT, "a": "\ud800"},
        {"vct": VCT, "cnf": {}},
    ],
)
@pytest.mark.parametrize("hide", [False, True])
def test_claims_that_cannot_stand_in_a_credential(
    world: CredentialWorld, claims: dict[Any, Any], *, hide: bool
) -> None:
    with pytest.raises(InvalidClaims):
        world.issue(
            {**claims, "b": 1} if claims else {"b": 1},
            disclosable=["a", "b"] if hide and "a" in claims else [],
        )


def test_a_misspelt_path_does_not_lay_a_claim_open(world: CredentialWorld) -> None:
    for path in ("nmae", ("address", "zip"), ("scopes", 3), ("name", None)):
        with pytest.raises(InvalidClaims):
            world.issue(disclosable=[path])
    for path in ((), (-1,), (True,), (1.5,)):
        with pytest.raises(UsageError):
            world.issue(disclosable=[path])


def test_claims_deeper_than_any_reader_goes(world: CredentialWorld) -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidClaims):
        world.issue({"vct": VCT, "deep": deep}, disclosable=())


def test_what_is_issued_can_be_read_at_any_depth(world: CredentialWorld) -> None:
    issued = []
    for depth in range(25, 40):
        deep: Any = "x"
        for _ in range(depth):
            deep = {"in": deep}
        for hide in ((), ("deep",), (("deep", "in", "in"), ("deep", "in"))):
            try:
                text = world.issue({"vct": VCT, "deep": deep}, disclosable=hide)
            except InvalidClaims:
                continue
            issued.append(depth)
            assert SdJwt.parse(text).claims["deep"] == deep
    assert 25 in issued
    assert 39 not in issued


def test_other_curves_and_keys_sign_too(world: CredentialWorld) -> None:
    for kind in ("P-384", "Ed25519", "RSA-2048"):
        signer = FileSigner.generate(kind)
        text = issue_sd_jwt({"vct": VCT, "name": "x"}, disclosable=["name"], signer=signer)
        credential = SdJwt.parse(text)
        assert credential.issuer_jwt.verify(signer.public_key, algorithms={signer.algorithm.name})
        assert "x5c" not in credential.issuer_jwt.header


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"payload":"","signatures":[]}',
        '{"payload":"","signatures":{}}',
        '{"payload":"e30","protected":"e30","signature":"e30"}',
        '{"payload":"e30","protected":"e30","signature":"e30","signatures":[],"header":{}}',
        '{"payload":"e30","protected":"e30","signature":"e30","header":{"disclosures":"x"}}',
        '{"payload":"e30","protected":"e30","signature":"e30","header":{"disclosures":["a~b"]}}',
        '{"payload":"e30","protected":"e30","signature":"e30","header":{"disclosures":[1]}}',
        '{"payload":"e30","protected":"e30","signature":"e30","header":{"kb_jwt":1}}',
    ],
)
def test_json_forms_that_are_none(text: str) -> None:
    with pytest.raises(MalformedInput):
        SdJwt.from_json(text)


def test_a_json_form_over_the_limit() -> None:
    with pytest.raises(TooLarge):
        SdJwt.from_json(" " * (3 << 20))
