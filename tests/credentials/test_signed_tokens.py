"""Whose token it was, asked about a day before the key was revoked: no trusted time stands in a token."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ReasonFlags
from world.pki import NOON, TestAuthority

from credentials.signed_tokens import ChainSignatures
from signing import Crl, Policy, RevocationSnapshot, TrustStore
from signing.jose import parse_jws, sign_jws
from signing.report import Indication, Scope, worst

DAY = timedelta(days=1)
ORDERLY = {ReasonFlags.affiliation_changed, ReasonFlags.superseded, ReasonFlags.cessation_of_operation}
OTHERS = {ReasonFlags.unspecified, ReasonFlags.key_compromise, ReasonFlags.privilege_withdrawn}


@pytest.mark.parametrize("reason", sorted(ORDERLY | OTHERS, key=str))
def test_a_key_that_may_be_in_other_hands_signed_no_earlier_day(reason: ReasonFlags) -> None:
    """As in documents: without a reason that says otherwise, whoever has the key writes any day."""
    root = TestAuthority("Root")
    issuer = root.issue("issuer", "credential").certificate
    root.revoke(issuer, NOON - 2 * DAY, reason)
    judge = ChainSignatures(
        TrustStore([root.certificate]),
        usage="credential",
        revocation=RevocationSnapshot([Crl(root.crl())]),
        policy=Policy.default(),
    )
    wanted = Indication.PASSED if reason in ORDERLY else Indication.FAILED
    for made in (NOON - 10 * DAY, None):
        checks = judge.path_checks((issuer,), NOON - 5 * DAY, made)
        assert (worst(checks, Scope.NOW), worst(checks, Scope.THEN)) == (wanted, wanted)
    checks = judge.path_checks((issuer,), NOON, NOON - 10 * DAY)
    assert (worst(checks, Scope.NOW), worst(checks, Scope.THEN)) == (Indication.FAILED, wanted)


def test_a_large_chain_is_not_remembered() -> None:
    """Whoever sends one needs no certificate that anybody trusts."""
    ballast = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), bytes(40_000))
    judge = ChainSignatures(
        TrustStore(()), usage="credential", revocation=RevocationSnapshot(), policy=Policy.default()
    )
    for extra, kept in (((ballast, False),), 0), ((), 1):
        signer = TestAuthority("Root").issue("issuer", "credential", extra=extra)
        headers = {"typ": "x", "x5c": [b64encode(signer.certificate.der).decode()]}
        signed = judge.examine(parse_jws(sign_jws(b"{}", signer, headers=headers)), at=NOON)
        assert signed.certificate == signer.certificate
        assert (judge._chain.cache_info().currsize, judge._path.cache_info().currsize) == (kept, kept)


def test_a_large_header_is_not_remembered() -> None:
    """Nobody trusts its chain, and it never comes again: each is an object of its own."""
    judge = ChainSignatures(
        TrustStore(()), usage="credential", revocation=RevocationSnapshot(), policy=Policy.default()
    )
    signer = TestAuthority("Root").issue("issuer", "credential")
    plain = {"typ": "x", "x5c": [b64encode(signer.certificate.der).decode()]}
    for more, kept in (({"z": [[]] * 10_000}, 0), ({}, 1)):
        token = parse_jws(sign_jws(b"{}", signer, headers=plain | more))
        assert judge.examine(token, at=NOON).certificate == signer.certificate
        assert (token.shares_header, len(judge._met._entries)) == (bool(kept), kept)
