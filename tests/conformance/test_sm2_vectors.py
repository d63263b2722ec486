"""SM2 as published: the example of GB/T 32918.5 and the national roots with the authorities below them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from world.sm2 import UnsafeSm2Key

from signing import (
    Certificate,
    Crl,
    Indication,
    Policy,
    Reason,
    RevocationSnapshot,
    RevocationState,
    TrustStore,
    validate_path,
)
from signing.path import AUTHORITY
from signing.sm2 import libcrypto, pure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Engine = Callable[..., bool]

WHEN = datetime(2022, 5, 10, tzinfo=UTC)  # inside the validity of the published lists
ROOTS = ("ROOTCA", "Civil_Servant_ROOT", "Device_ROOT")
BELOW = {
    "TJCA": "Civil_Servant_ROOT",
    "Taier_CA": "ROOTCA",
    "Ant_Financial_Certification_Authority_S1": "ROOTCA",
}


@pytest.fixture
def example(vectors: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((vectors / "sm" / "gmt0003_5_sm2.json").read_text("utf-8"))
    return answer


@pytest.fixture
def nrcac(vectors: Path) -> dict[str, Certificate]:
    folder = vectors / "sm" / "ca-nrcac"
    return {path.stem: Certificate.from_pem(path.read_bytes()) for path in folder.glob("*.pem")}


@pytest.fixture
def lists(vectors: Path) -> dict[str, Crl]:
    folder = vectors / "sm" / "ca-nrcac"
    return {path.stem: Crl.from_der(path.read_bytes()) for path in folder.glob("*.crl")}


@pytest.fixture(params=[pure.verify, libcrypto.verify], ids=["pure", "libcrypto"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The same calls with each engine behind them."""
    if request.param is libcrypto.verify and not libcrypto.available():
        pytest.skip("this system's libcrypto has no SM2: apt-get install libssl3")
    monkeypatch.setattr("signing.sm2.engine", lambda: "libcrypto")
    monkeypatch.setattr(libcrypto, "verify", request.param)
    answer: Engine = request.param
    return answer


def test_the_published_signature_verifies(example: dict[str, Any], engine: Engine) -> None:
    point = bytes.fromhex("04" + example["P"])
    identity, message = example["id_ascii"].encode(), example["msg_ascii"].encode()
    signature = UnsafeSm2Key(int(example["d"], 16)).sign(message, identity, nonce=int(example["k"], 16))
    assert pure.read_signature(signature) == (int(example["r"], 16), int(example["s"], 16))
    assert engine(point, signature, message, identity)
    assert pure.sm3(b"abc").hex().upper() == example["sm3_abc"]
    assert pure.digest(point, message, identity).hex().upper() == example["e"]


def test_national_roots_sign_themselves_and_the_authorities_below(
    nrcac: dict[str, Certificate], engine: Engine
) -> None:
    for name, certificate in nrcac.items():
        issuers = {other for other, root in nrcac.items() if certificate.is_issued_by(root)}
        assert issuers == {BELOW.get(name, name)}


def test_national_lists_are_signed_by_their_roots(
    nrcac: dict[str, Certificate], lists: dict[str, Crl], engine: Engine
) -> None:
    for name, crl in lists.items():
        assert {root for root, certificate in nrcac.items() if crl.is_signed_by(certificate)} == {name}


@pytest.mark.parametrize("name", BELOW)
def test_an_authority_has_a_path_to_its_national_root(
    name: str, nrcac: dict[str, Certificate], lists: dict[str, Crl], engine: Engine
) -> None:
    trust = TrustStore([nrcac[root] for root in ROOTS])
    revocation, policy = RevocationSnapshot(lists.values()), Policy.default()
    result = validate_path(
        nrcac[name], [], trust, at=WHEN, usage=AUTHORITY, revocation=revocation, policy=policy
    )
    assert result.indication is Indication.PASSED, result.checks
    assert result.path == (nrcac[name], nrcac[BELOW[name]])
    elsewhere = TrustStore([nrcac["Device_ROOT"]])
    result = validate_path(
        nrcac[name], nrcac.values(), elsewhere, at=WHEN, usage=AUTHORITY, revocation=revocation, policy=policy
    )
    assert result.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_lists_of_2022_are_stale_today(nrcac: dict[str, Certificate], lists: dict[str, Crl]) -> None:
    status = RevocationSnapshot(lists.values()).status(
        nrcac["TJCA"], nrcac["Civil_Servant_ROOT"], at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    assert status.state is RevocationState.STALE


def test_the_revoked_of_a_national_list_are_found(lists: dict[str, Crl]) -> None:
    crl = lists["ROOTCA"]
    assert crl.entry_count == 18
    entries = [crl.lookup(serial) for serial in crl.serials]
    assert all(entry and entry.revoked_at < crl.this_update for entry in entries)
    assert crl.lookup(1) is None
