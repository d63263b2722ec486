"""Path validation against suites of others: NIST PKITS and x509-limbo.

Nothing may come out otherwise than the suite says, but for the cases in `limbo_differences.toml`, each with
its reason. Two of PKITS's paths are signed with DSA and SHA-1, which the product does not know: one test
brings DSA along, so that the rules of paths are held against all 246.
"""

from __future__ import annotations

import json
import tomllib
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from world.dsa import dsa_for_a_suite
from world.forgetting import forget_everything
from world.pki import NOON
from world.work import counted_calls

from signing import (
    Certificate,
    Crl,
    Indication,
    Policy,
    RevocationSnapshot,
    TrustStore,
    validate_path,
)
from signing.usages import _BY_NAME, Usage
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

LENIENT = Policy(strict_usage=False)
WITHOUT_STATUS = LENIENT.with_changes(revocation="if_available")
PKITS_AT = datetime(2022, 5, 1, tzinfo=UTC)

# Paths of PKITS that are fine and refused but in this test: DSA is no signature algorithm (FIPS 186-5).
WITH_DSA = {"40104", "40105"}


def load(read: type[Certificate | Crl], path: Path) -> Any:
    try:
        return read(path.read_bytes())
    except MalformedInput:
        return None


@pytest.fixture
def dsa(vectors: Path) -> Iterator[str]:
    """DSA keys verify, with parameters that are inherited (RFC 5280, 6.1.4 (f)), as long as the test runs."""
    files = (vectors / "pki" / "pkits" / "certs").glob("*DSA*CACert.crt")
    with dsa_for_a_suite(path.read_bytes() for path in files) as name:
        forget_everything()
        yield name
    forget_everything()


def test_nist_pkits(vectors: Path, dsa: str) -> None:
    assert refused_of_pkits(vectors, LENIENT.with_changes(algorithms=LENIENT.algorithms | {dsa})) == set()


def test_a_policy_that_does_not_name_dsa_refuses_it(vectors: Path, dsa: str) -> None:
    assert dsa not in LENIENT.algorithms
    assert refused_of_pkits(vectors, LENIENT, only=WITH_DSA) == WITH_DSA


def test_paths_with_dsa_are_refused_outside_that_test(vectors: Path) -> None:
    assert refused_of_pkits(vectors, LENIENT, only=WITH_DSA) == WITH_DSA


def refused_of_pkits(vectors: Path, lenient: Policy, only: Container[str] | None = None) -> set[str]:
    """Paths that are fine and refused; none may pass that is not."""
    folder = vectors / "pki" / "pkits"
    trust = TrustStore([Certificate((folder / "certs" / "TrustAnchorRootCertificate.crt").read_bytes())])
    counted, refused = 0, set()
    for case in json.loads((folder / "pkits.json").read_text("utf-8")):
        counted += 1
        if only is not None and case["id"] not in only:
            continue
        leaf = load(Certificate, folder / "certs" / case["cert"])
        others = [load(Certificate, folder / "certs" / name) for name in case.get("other_certs", ())]
        lists = [
            load(Crl, folder / "crls" / name) for name in [*case.get("crls", ()), "TrustAnchorRootCRL.crl"]
        ]
        status = "require" if case.get("revocation", True) else "if_available"
        policy = lenient.with_changes(revocation=status)
        passed = leaf is not None and passes(leaf, others, trust, lists, policy.with_changes(**asked(case)))
        if "error" in case:
            assert not passed, case["name"]
        elif not passed:
            refused.add(case["id"])
    assert counted == 246
    return refused


def asked(case: dict[str, Any]) -> dict[str, Any]:
    """The inputs of RFC 5280, 6.1.1 that a case names."""
    given = case.get("params", {})
    return {
        "certificate_policies": frozenset(given.get("user_initial_policy_set", ())) - {"any_policy"},
        "require_certificate_policy": given.get("initial_explicit_policy", False),
        "inhibit_policy_mapping": given.get("initial_policy_mapping_inhibit", False),
        "inhibit_any_policy": given.get("initial_any_policy_inhibit", False),
    }


def passes(leaf: Certificate, others: list[Any], trust: TrustStore, lists: list[Any], policy: Policy) -> bool:
    revocation = RevocationSnapshot(crl for crl in lists if crl is not None)
    result = validate_path(
        leaf,
        [one for one in others if one is not None],
        trust,
        at=PKITS_AT,
        usage="seal",
        revocation=revocation,
        policy=policy,
    )
    return result.indication is Indication.PASSED


def test_x509_limbo(vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_BY_NAME, "server", Usage("server", "digital_signature", "1.3.6.1.5.5.7.3.1", "x"))
    differences, most_calls = {}, 0
    cases = json.loads((vectors / "pki" / "x509-limbo" / "limbo.json").read_text("utf-8"))["testcases"]
    for case in cases:
        with counted_calls() as work:
            passed = limbo_passes(case)
        most_calls = max(most_calls, work.calls)
        if passed != (case["expected_result"] == "SUCCESS"):
            differences[case["id"]] = "accepted" if passed else "refused"
    assert differences == explained_differences()
    assert len(cases) == 208
    assert most_calls < 400_000  # 112,000 when this was written; a search without bounds takes millions


def explained_differences() -> dict[str, str]:
    """The committed list: each case with our verdict, none twice, none without a reason."""
    rows = tomllib.loads((Path(__file__).parent / "limbo_differences.toml").read_text("utf-8"))["difference"]
    assert all(len(row["why"]) > 20 and row["ours"] in {"accepted", "refused"} for row in rows)
    pairs = [(case, row["ours"]) for row in rows for case in row["cases"]]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def limbo_passes(case: dict[str, Any]) -> bool:
    try:
        leaf = Certificate.from_pem(case["peer_certificate"].encode())
        others = [Certificate.from_pem(text.encode()) for text in case["untrusted_intermediates"]]
        trust = TrustStore(Certificate.from_pem(text.encode()) for text in case["trusted_certs"])
        lists = [Crl(b64decode("".join(text.splitlines()[1:-1]))) for text in case.get("crls") or ()]
    except MalformedInput:
        return False
    at = datetime.fromisoformat(case["validation_time"]) if case["validation_time"] else NOON
    usage = "client" if case["validation_kind"] == "CLIENT" else "server"
    policy = LENIENT if lists else WITHOUT_STATUS
    result = validate_path(
        leaf, others, trust, at=at, usage=usage, revocation=RevocationSnapshot(lists), policy=policy
    )
    return result.passed
