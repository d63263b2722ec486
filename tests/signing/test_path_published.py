"""Path validation against suites of others: NIST PKITS and x509-limbo.

Nothing may be accepted that the suite refuses, but for the lists below, each with its reason. What we refuse
although it is fine is listed too: a part that fails closed.
"""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
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
    from pathlib import Path

    import pytest

LENIENT = Policy(strict_usage=False)
WITHOUT_STATUS = LENIENT.with_changes(revocation="if_available")
PKITS_AT = datetime(2022, 5, 1, tzinfo=UTC)

# Paths of PKITS that are fine and refused here: DSA is no longer a signature algorithm (FIPS 186-5).
REFUSED_THOUGH_FINE = {"40104", "40105"}


def load(read: type[Certificate | Crl], path: Path) -> Any:
    try:
        return read(path.read_bytes())
    except MalformedInput:
        return None


def test_nist_pkits(vectors: Path) -> None:
    folder = vectors / "pki" / "pkits"
    trust = TrustStore([Certificate((folder / "certs" / "TrustAnchorRootCertificate.crt").read_bytes())])
    counted, refused = 0, set()
    for case in json.loads((folder / "pkits.json").read_text("utf-8")):
        counted += 1
        leaf = load(Certificate, folder / "certs" / case["cert"])
        others = [load(Certificate, folder / "certs" / name) for name in case.get("other_certs", ())]
        lists = [
            load(Crl, folder / "crls" / name) for name in [*case.get("crls", ()), "TrustAnchorRootCRL.crl"]
        ]
        policy = LENIENT if case.get("revocation", True) else WITHOUT_STATUS
        passed = leaf is not None and passes(leaf, others, trust, lists, policy.with_changes(**asked(case)))
        if "error" in case:
            assert not passed, case["name"]
        elif not passed:
            refused.add(case["id"])
    assert counted == 246
    assert refused == REFUSED_THOUGH_FINE


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


# Accepted here although the suite refuses: not our question, or a form that changes no verdict.
ACCEPTED = {
    "webpki::": "rules of the web: host names, public suffixes, server profiles",
    "pathlen::max-chain-depth": "a limit that our caller cannot set",
    "crl::crlnumber": "the list's number orders lists, it clears nobody",
    "rfc5280::aki": "key identifiers help to search and prove nothing",
    "rfc5280::ski": "key identifiers help to search and prove nothing",
    "rfc5280::san": "host names are nobody's here",
    "rfc5280::serial": "RFC 5280, 4.1.2.2: handled gracefully; PKITS 4.4.14 wants them accepted",
    "rfc5280::root-non-critical-basic-constraints": "an anchor is trusted by decision",
    "rfc5280::nc::permitted-dns-match-noncritical": "the constraint is obeyed all the same",
    "rfc5280::pc::ica-noncritical-pc": "the constraint is obeyed all the same",
    "rfc5280::nc::invalid-dnsname-leading-period": "read as OpenSSL does",
    "rfc5280::nc::nc-permits-invalid": "a name that is none, under a subtree that allows it",
}
REFUSED = {
    "pathlen::validation-ignores-pathlen-in-leaf": "an authority as the end of a path, asked for a server",
    "rfc5280::ca-as-leaf": "an authority as the end of a path, asked for a server",
}


def test_x509_limbo(vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_BY_NAME, "server", Usage("server", "digital_signature", "1.3.6.1.5.5.7.3.1", "x"))
    wrongly_accepted, wrongly_refused, most_calls = [], [], 0
    for case in json.loads((vectors / "pki" / "x509-limbo" / "limbo.json").read_text("utf-8"))["testcases"]:
        with counted_calls() as work:
            passed = limbo_passes(case)
        most_calls = max(most_calls, work.calls)
        if passed and case["expected_result"] == "FAILURE":
            wrongly_accepted.append(case["id"])
        if not passed and case["expected_result"] == "SUCCESS":
            wrongly_refused.append(case["id"])
    assert [name for name in wrongly_accepted if not name.startswith(tuple(ACCEPTED))] == []
    assert set(wrongly_refused) == set(REFUSED)
    assert most_calls < 400_000  # 112,000 when this was written; a search without bounds takes millions


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
