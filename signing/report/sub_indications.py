"""Our reasons in the words of EN 319 102-1: main indications and sub-indications (5.1.3, tables 5 and 6).

A reason that is about something else than a signature (a licence's standing, a nonce) has no word there and
is not in the table. Where the standard says INDETERMINATE and our verdict is `failed`, ours is the stricter
one: what breaks the policy is not to be accepted, and nobody is told to wait for better news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TOTAL_PASSED, TOTAL_FAILED, INDETERMINATE = "TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE"
# Code of a reason → main indication and sub-indication.
STANDARD: dict[str, tuple[str, str]] = {
    "format_failure": (TOTAL_FAILED, "FORMAT_FAILURE"),
    "coverage_incomplete": (TOTAL_FAILED, "FORMAT_FAILURE"),
    "document_changed_after_signing": (TOTAL_FAILED, "FORMAT_FAILURE"),
    "signature_shared": (TOTAL_FAILED, "FORMAT_FAILURE"),
    "hash_failure": (TOTAL_FAILED, "HASH_FAILURE"),
    "sig_crypto_failure": (TOTAL_FAILED, "SIG_CRYPTO_FAILURE"),
    "certificate_revoked": (TOTAL_FAILED, "REVOKED"),
    "certificate_not_yet_valid": (TOTAL_FAILED, "NOT_YET_VALID"),
    "algorithm_not_allowed": (INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"),
    "sig_constraints_failure": (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    "level_not_reached": (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    "timestamp_missing": (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    "timestamp_invalid": (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    "timestamp_not_trusted": (INDETERMINATE, "SIG_CONSTRAINTS_FAILURE"),
    "chain_constraints_failure": (INDETERMINATE, "CHAIN_CONSTRAINTS_FAILURE"),
    "wrong_key_usage": (INDETERMINATE, "CHAIN_CONSTRAINTS_FAILURE"),
    "signing_certificate_missing": (INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND"),
    "no_certificate_chain_found": (INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND"),
    "certificate_expired": (INDETERMINATE, "OUT_OF_BOUNDS_NO_POE"),
    "no_proof_of_existence": (INDETERMINATE, "NO_POE"),
    "authority_revoked_without_proof": (INDETERMINATE, "REVOKED_CA_NO_POE"),
    "algorithm_ended": (INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"),
    "timestamp_order": (INDETERMINATE, "TIMESTAMP_ORDER_FAILURE"),
    "certificate_on_hold": (INDETERMINATE, "TRY_LATER"),
    "revocation_unknown": (INDETERMINATE, "TRY_LATER"),
    "revocation_stale": (INDETERMINATE, "TRY_LATER"),
    "signed_data_not_found": (INDETERMINATE, "SIGNED_DATA_NOT_FOUND"),
}
# The worst first: of several, this one is told.
_RANK = {main: place for place, main in enumerate((TOTAL_FAILED, INDETERMINATE))}


def sub_indication(code: str) -> str | None:
    """The sub-indication of a reason, None for one that the standard does not know."""
    found = STANDARD.get(code)
    return found[1] if found else None


def in_standard_words(codes: Iterable[str], *, passed: bool) -> dict[str, str | None] | None:
    """What EN 319 102-1 calls the outcome of these reasons.

    None where only reasons of ours speak against it: about the signature itself they say nothing.
    """
    known = [STANDARD[code] for code in codes if code in STANDARD]
    if known:
        main, sub = min(known, key=lambda pair: (_RANK[pair[0]], pair[1]))
        return {"indication": main, "sub_indication": sub}
    return {"indication": TOTAL_PASSED, "sub_indication": None} if passed else None
