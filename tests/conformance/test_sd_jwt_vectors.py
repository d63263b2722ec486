"""The 35 published SD-JWT cases: RFC 9901's examples and the test cases of sd-jwt-python."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from credentials.disclosures import digest_of
from credentials.key_binding import check_key_binding
from credentials.sd_jwt import SdJwt
from signing.jose import parse_jws
from signing.keys import PublicKey
from signing.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path


def read(text: str) -> SdJwt:
    return SdJwt.from_json(text) if text.startswith("{") else SdJwt.parse(text)


def public(jwk: dict[str, Any]) -> PublicKey:
    return PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "d"})


def is_signed(credential: SdJwt, case: dict[str, Any]) -> bool:
    return any(credential.issuer_jwt.verify(public(jwk), algorithms={"ES256"}) for jwk in case["issuer_keys"])


def test_every_published_case_reads_and_verifies(vectors: Path) -> None:
    cases = json.loads((vectors / "sd-jwt" / "vectors.json").read_text("utf-8"))
    assert len(cases) == 35
    assert sum(case["sd_jwt_presentation"].startswith("{") for case in cases.values()) == 4
    for name, case in cases.items():
        issued, presented = read(case["sd_jwt_issuance"]), read(case["sd_jwt_presentation"])
        assert is_signed(issued, case), name
        assert is_signed(presented, case), name
        assert issued.payload == case["sd_jwt_payload"], name
        assert presented.claims == case["verified_contents"], name
        assert (presented.key_binding is not None) == case["key_binding"], name
        if case["key_binding"]:
            check_binding(name, presented, case)


def check_binding(name: str, presented: SdJwt, case: dict[str, Any]) -> None:
    claims = parse_jws(presented.key_binding).claims()
    assert claims == case["kb_jwt_payload"], name
    assert claims["sd_hash"] == digest_of(presented.signed_over, presented.digest_algorithm), name
    checks = check_key_binding(
        presented,
        public(case["holder_key"]),
        audience=case["aud"],
        nonce=case["nonce"],
        now=datetime.fromtimestamp(claims["iat"], UTC),
        policy=Policy.default(),
    )
    assert not [check for check in checks if check.reason], name
