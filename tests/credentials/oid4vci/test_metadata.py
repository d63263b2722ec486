"""What the issuer says of itself: true, complete, in both languages, and signed for who asks."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from world.databases import with_tables
from world.office import URL
from world.pki import NOON
from world.vci import IssuingOffice

from credentials.credential import credential_claims
from credentials.http.wallets import prefers_jwt
from credentials.oid4vci.metadata import well_known_path
from signing.certificates import Certificate
from signing.jose import parse_jws
from signing.path import validate_path
from signing.policy import Policy
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

ISSUER, SERVER = "/.well-known/openid-credential-issuer", "/.well-known/oauth-authorization-server"


def path_is_good(pki: Pki, chain: tuple[Certificate, ...], usage: str) -> bool:
    lists = RevocationSnapshot(Crl.from_der(one.crl(NOON)) for one in (pki.root, pki.issuing))
    result = validate_path(
        chain[0],
        chain[1:],
        TrustStore([pki.root.certificate]),
        at=NOON,
        usage=usage,
        revocation=lists,
        policy=Policy.default(),
    )
    return not any(check.reason for check in result.checks)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.example", ISSUER),
        ("https://a.example/", ISSUER),
        ("https://a.example/tenant/7", ISSUER + "/tenant/7"),
    ],
)
def test_well_known_stands_between_host_and_path(url: str, path: str) -> None:
    assert well_known_path(url, ISSUER) == path


def test_every_licence_type_is_a_configuration(light_office: IssuingOffice) -> None:
    found = light_office.client.get(ISSUER).json()
    assert found["credential_issuer"] == URL
    configurations = found["credential_configurations_supported"]
    assert set(configurations) == {kind.code for kind in light_office.catalogue}
    for kind in light_office.catalogue:
        one = configurations[kind.code]
        assert (one["format"], one["vct"], one["scope"]) == ("dc+sd-jwt", kind.vct, kind.code)
        assert one["cryptographic_binding_methods_supported"] == ["jwk"]
        assert one["proof_types_supported"] == {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}
        names = {row["locale"]: row["name"] for row in one["credential_metadata"]["display"]}
        assert names == {"zh-CN": kind.name.zh, "en": kind.name.en}
        claims = {tuple(row["path"]): row for row in one["credential_metadata"]["claims"]}
        assert {(field.name,) for field in kind.fields} <= set(claims)
        assert all(len(row["display"]) == 2 for row in claims.values())


def test_there_are_words_for_all_that_a_copy_says(light_office: IssuingOffice) -> None:
    """Other makers' wallets have no names of ours: what is not told is shown by its raw name."""
    licence = light_office.licence
    kind = light_office.catalogue.of(licence)
    said = set(credential_claims(licence, kind, url=URL, status=("https://x.example", 0)))
    configuration = light_office.client.get(ISSUER).json()["credential_configurations_supported"][kind.code]
    told = {row["path"][0]: row["mandatory"] for row in configuration["credential_metadata"]["claims"]}
    assert said - {"iss", "vct", "iat", "nbf", "exp", "status"} <= set(told)
    assert {name for name, is_mandatory in told.items() if is_mandatory} <= said


def test_the_shape_is_the_specifications(light_office: IssuingOffice, vectors: Path) -> None:
    place = vectors / "openid4vci" / "examples" / "credential_metadata_sd_jwt_vc.json"
    (example,) = json.loads(place.read_text())["credential_configurations_supported"].values()
    ours = light_office.client.get(ISSUER).json()["credential_configurations_supported"]
    for one in ours.values():
        assert set(one) == set(example)
        assert set(one["credential_metadata"]) == set(example["credential_metadata"])
        for row in one["credential_metadata"]["claims"]:
            assert set(row) <= {"path", "mandatory", "display"}


def test_nothing_is_announced_that_is_not_built(light_office: IssuingOffice) -> None:
    found = light_office.client.get(ISSUER).json()
    absent = {
        "deferred_credential_endpoint",
        "credential_request_encryption",
        "credential_response_encryption",
    }
    assert not absent & set(found)
    for name in ("credential_endpoint", "nonce_endpoint", "notification_endpoint"):
        assert light_office.client.post(found[name].removeprefix(URL)).status_code != 404


def test_the_authorization_server_is_told(light_office: IssuingOffice) -> None:
    found = light_office.client.get(SERVER).json()
    assert found["issuer"] == URL
    assert found["require_pushed_authorization_requests"] is True
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["pre-authorized_grant_anonymous_access_supported"] is True
    assert found["dpop_signing_alg_values_supported"] == ["ES256"]


def test_without_registered_wallets_there_is_no_code_flow(pki: Pki) -> None:
    database = with_tables()
    office = IssuingOffice(pki, database, clients=None)
    found = office.client.get(SERVER).json()
    assert "authorization_endpoint" not in found
    assert "authorization_code" not in found["grant_types_supported"]
    assert office.client.post("/oid4vci/par", data={}).status_code == 404
    database.close()


def test_signed_metadata_is_asked_for_and_verifies(pki: Pki) -> None:
    database = with_tables()
    office = IssuingOffice(pki, database, metadata_signer=pki.signer("metadata"))
    answer = office.client.get(ISSUER, headers={"Accept": "application/jwt"})
    assert answer.headers["content-type"] == "application/jwt"
    token = parse_jws(answer.text)
    assert token.header["typ"] == "openidvci-issuer-metadata+jwt"
    chain = tuple(Certificate(b64decode(one)) for one in token.header["x5c"])
    assert token.verify(chain[0].public_key, algorithms={"ES256"})
    assert not any(one.is_self_issued for one in chain), "HAIP: without the anchor"
    assert path_is_good(pki, chain, "metadata")
    assert not path_is_good(pki, chain, "credential"), "one key, one use"
    claims = token.claims()
    assert (claims["sub"], claims["iss"]) == (URL, URL)
    plain = office.client.get(ISSUER, headers={"Accept": "application/json"}).json()
    assert {name: claims[name] for name in plain} == plain
    database.close()


@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/jwt", True),
        ("application/jwt, application/json", True),
        ("application/jwt;q=0.5, application/json", False),
        ("application/jwt;q=0", False),
        ("APPLICATION/JWT", True),
        ("application/jwt;q=x", False),
    ],
)
def test_the_accept_header_chooses(accept: str, signed: bool) -> None:  # noqa: FBT001 - a case
    assert prefers_jwt(accept) is signed
