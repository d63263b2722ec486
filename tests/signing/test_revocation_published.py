"""OCSP against OpenSSL's own 29 cases: of 2012, signed with SHA-1, which this test alone lets in."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes

from signing import (
    Certificate,
    OcspAnswer,
    Policy,
    RevocationSnapshot,
    TrustStore,
    algorithms,
    keys,
    validate_path,
)
from signing.path import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHA1_WITH_RSA = "1.2.840.113549.1.1.5"


@pytest.fixture
def sha1(monkeypatch: pytest.MonkeyPatch) -> Iterator[Policy]:
    row = algorithms.Algorithm("RS1", "RSA", "sha1", SHA1_WITH_RSA, b"", in_jose=False)
    monkeypatch.setattr(algorithms, "ALGORITHMS", (*algorithms.ALGORITHMS, row))
    monkeypatch.setitem(keys._HASHES, "sha1", hashes.SHA1())  # noqa: S303 - answers of 2012
    monkeypatch.setattr("signing.policy.policy._KNOWN", frozenset({"RS1", "RS256"}))
    build._remembered.cache_clear()
    yield Policy(strict_usage=False, algorithms=frozenset({"RS1", "RS256"}))
    build._remembered.cache_clear()
    algorithms.algorithm_by_identifier.cache_clear()


def passes(case: dict[str, Any], folder: Path, policy: Policy) -> bool:
    root, leaf, *others = (
        Certificate.from_pem((folder / name).read_bytes())
        for name in (case["root"], case["cert"], *case.get("other_certs", ()))
    )
    answers = [OcspAnswer(b64decode((folder / name).read_bytes())) for name in case["ocsps"]]
    return validate_path(
        leaf,
        others,
        # One answer speaks of the leaf only: where there is no more, its issuer is the anchor.
        TrustStore([root] if len(answers) > 1 or not others else others),
        at=datetime.fromisoformat(case["moment"]),
        usage="client",
        revocation=RevocationSnapshot(ocsp=answers),
        policy=policy,
    ).passed


def test_openssl_ocsp_cases(vectors: Path, sha1: Policy) -> None:
    folder = vectors / "pki" / "openssl-ocsp"
    cases = json.loads((folder / "openssl-ocsp.json").read_text("utf-8"))
    outcome = {case["name"]: passes(case, folder, sha1) for case in cases}
    assert outcome == {case["name"]: "error" not in case for case in cases}
    assert len(cases) == 29


def test_sha1_is_unknown_outside_this_test(vectors: Path) -> None:
    folder = vectors / "pki" / "openssl-ocsp"
    first = json.loads((folder / "openssl-ocsp.json").read_text("utf-8"))[0]
    assert not passes(first, folder, Policy(strict_usage=False))
