"""Digests and disclosures, claims in the open, the holder's key, and the status."""

from __future__ import annotations

from typing import Any

import pytest
from world.credentials import COUNTER, SECONDS
from world.forgery import ABSENT, Forger, disclosure
from world.hostile_presentations import (
    BINDING,
    CLAIM,
    DISCLOSURE,
    HIDDEN,
    SALT,
    Case,
    binding,
    chained,
    element,
    hidden,
    hidden_key,
    moved,
    other,
    refuses,
)

from credentials.disclosures import digest_of
from signing.base64url import encode_base64url
from signing.reasons import Reason
from signing.signers.file import FileSigner

RANK, ELEMENT = disclosure(SALT, "rank", 1), disclosure(SALT, "urn:example:more")

CASES = [
    # Digests and disclosures
    Case(
        "an unknown digest algorithm",
        "RFC 9901, 4.1.1",
        Reason.ALGORITHM_NOT_ALLOWED,
        other({"_sd_alg": "md5"}),
    ),
    Case(
        "a digest algorithm that is a list",
        "RFC 9901, 4.1.1",
        Reason.ALGORITHM_NOT_ALLOWED,
        other({"_sd_alg": ["sha-256"]}),
    ),
    Case(
        "a digest algorithm below the top",
        "RFC 9901, 4.1.1",
        DISCLOSURE,
        other({"address": {"_sd_alg": "sha-256"}}),
    ),
    Case("digests that are an object", "RFC 9901, 4.2.4.1", DISCLOSURE, other({"_sd": {"a": "b"}})),
    Case("a digest that is a number", "RFC 9901, 4.2.4.1", DISCLOSURE, other({"_sd": [1]})),
    Case(
        "a digest twice",
        "RFC 9901, 7.1 (4)",
        DISCLOSURE,
        lambda f: f.shown(f.payload({"_sd": [digest_of(f.name)] * 2})),
    ),
    Case(
        "a digest in two places",
        "RFC 9901, 7.1 (4)",
        DISCLOSURE,
        lambda f: f.shown(f.payload({"address": {"_sd": [digest_of(f.name)]}})),
    ),
    Case("a disclosure twice", "RFC 9901, 7.1 (4)", DISCLOSURE, lambda f: f.shown(None, f.name, f.name)),
    Case(
        "a disclosure that nobody signed",
        "RFC 9901, 7.1 (5)",
        DISCLOSURE,
        lambda f: f.shown(None, f.name, disclosure(SALT, "rank", "general")),
    ),
    Case(
        "a disclosure with another value",
        "RFC 9901, 7.1 (5)",
        DISCLOSURE,
        lambda f: f.shown(None, disclosure(SALT, "name", "另一家店")),
    ),
    Case(
        "a child without its parent",
        "RFC 9901, 7.1 (5)",
        DISCLOSURE,
        lambda f: f.shown(f.payload(hide=(disclosure(SALT, "a", {"_sd": [digest_of(f.name)]}),)), f.name),
    ),
    Case("a disclosure that is no base64url", "RFC 9901, 4.2", DISCLOSURE, lambda f: f.hiding("%%%%")),
    Case("a disclosure with spare bits", "RFC 9901, 4.2", DISCLOSURE, lambda f: f.hiding("WyJhIiwiYiIsMV1=")),
    Case(
        "a disclosure that is no JSON",
        "RFC 9901, 4.2",
        DISCLOSURE,
        lambda f: f.hiding(encode_base64url(b"[1,")),
    ),
    Case(
        "a disclosure with NaN",
        "RFC 8259, 6",
        DISCLOSURE,
        lambda f: f.hiding(encode_base64url(b'["salt","rank",NaN]')),
    ),
    Case(
        "a disclosure with a repeated name",
        "RFC 8259, 4",
        DISCLOSURE,
        lambda f: f.hiding(encode_base64url(b'["salt","rank",{"a":1,"a":2}]')),
    ),
    Case(
        "a disclosure that is an object",
        "RFC 9901, 7.1 (3)",
        DISCLOSURE,
        lambda f: f.hiding(encode_base64url(b'{"0":"salt","1":"rank","2":1}')),
    ),
    Case("an array element's form in an object", "RFC 9901, 7.1 (3)", DISCLOSURE, hidden(SALT, "糕点")),
    Case("four parts in a disclosure", "RFC 9901, 7.1 (3)", DISCLOSURE, hidden(SALT, "rank", 1, 2)),
    Case("no salt", "RFC 9901, 4.2.1", DISCLOSURE, hidden(None, "rank", 1)),
    Case("a name that is a number", "RFC 9901, 4.2.1", DISCLOSURE, hidden(SALT, 7, 1)),
    Case("a claim named _sd", "RFC 9901, 7.1 (3)", DISCLOSURE, hidden(SALT, "_sd", [])),
    Case("a claim named ...", "RFC 9901, 7.1 (3)", DISCLOSURE, hidden(SALT, "...", "x")),
    Case("a claim named _sd_alg", "RFC 9901, 4.1.1", DISCLOSURE, hidden(SALT, "_sd_alg", "sha-256")),
    Case("a claim that is there already", "RFC 9901, 7.1 (3)", DISCLOSURE, hidden(SALT, "credit_code", "0")),
    Case(
        "the same claim by two disclosures",
        "RFC 9901, 7.1 (3)",
        DISCLOSURE,
        lambda f: f.hiding(f.name, disclosure("other", "name", "another")),
    ),
    Case("... outside an array", "RFC 9901, 4.1", DISCLOSURE, other({"address": {"...": "x"}})),
    Case("... beside another name", "RFC 9901, 4.2.4.2", DISCLOSURE, element({"...": "x", "more": 1})),
    Case("... that is no text", "RFC 9901, 4.2.4.2", DISCLOSURE, element({"...": 1})),
    Case(
        "an object's form in an array",
        "RFC 9901, 7.1 (3)",
        DISCLOSURE,
        lambda f: element({"...": digest_of(f.name)}, f.name)(f),
    ),
    Case(
        "an element that hides in an element",
        "RFC 9901, 4.1",
        DISCLOSURE,
        lambda f: element({"...": digest_of(text := disclosure(SALT, {"...": "x"}))}, text)(f),
    ),
    Case("forty disclosures inside each other", "limits", Reason.TOO_LARGE, chained),
    # Claims that are always visible
    *(
        Case(f"{name} in a disclosure", "SD-JWT VC, 2.2.2.3", HIDDEN, moved(name))
        for name in ("iss", "nbf", "exp", "cnf", "vct", "status")
    ),
    Case(
        "vct#integrity in a disclosure",
        "SD-JWT VC, 2.2.2.3",
        HIDDEN,
        lambda f: f.hiding(disclosure(SALT, "vct#integrity", "sha256-" + "A" * 43 + "=")),
    ),
    Case("part of cnf in a disclosure", "SD-JWT VC, 2.2.2.3", HIDDEN, hidden_key),
    Case(
        "the status list withheld",
        "TSL, 8.3",
        Reason.STATUS_REFERENCE_INVALID,
        other({"status": {"_sd": ["x" * 43]}}),
    ),
    Case(
        "the status list's place withheld",
        "TSL, 8.3",
        Reason.STATUS_REFERENCE_INVALID,
        lambda f: f.shown(f.payload({"status": {"status_list": {"idx": 1, "_sd": ["x" * 43]}}})),
    ),
    Case(
        "every further type withheld",
        "SD-JWT VC, 2.2.2.1",
        Reason.CLAIM_INVALID,
        other({"aka_vcts": [{"...": "x" * 43}]}),
    ),
    Case(
        "the key withheld",
        "RFC 9901, 7.3",
        Reason.CLAIM_INVALID,
        other({"cnf": {"_sd": ["x" * 43]}}),
    ),
    Case(
        "something beside the status list disclosed",
        "SD-JWT VC, 2.2.2.3",
        HIDDEN,
        lambda f: f.shown(f.payload({"status": {**f.status, "_sd": [digest_of(RANK)]}, "_sd": ABSENT}), RANK),
    ),
    Case(
        "another type disclosed",
        "SD-JWT VC, 2.2.2.3",
        HIDDEN,
        lambda f: f.shown(
            f.payload({"aka_vcts": ["urn:example:another", {"...": digest_of(ELEMENT)}], "_sd": ABSENT}),
            ELEMENT,
        ),
    ),
    Case(
        "digests of nothing",
        "SD-JWT VC, 2.2.2.5",
        DISCLOSURE,
        lambda f: f.bound(f.token(f.payload({"_sd": []})) + "~"),
    ),
    Case(
        "digests of nothing deep inside",
        "SD-JWT VC, 2.2.2.5",
        DISCLOSURE,
        lambda f: f.bound(f.token(f.payload({"_sd": ABSENT, "address": {"_sd": []}})) + "~"),
    ),
    # The holder's key and the key binding
    Case(
        "no key binding", "RFC 9901, 7.3 (1)", Reason.KEY_BINDING_MISSING, lambda f: f"{f.token()}~{f.name}~"
    ),
    Case(
        "a credential without a key",
        "RFC 9901, 7.3 (5.a)",
        Reason.KEY_BINDING_MISSING,
        other({"cnf": ABSENT}),
    ),
    Case(
        "cnf by reference",
        "RFC 7800, 3.2",
        CLAIM,
        other({"cnf": {"jku": "https://evil.example", "kid": "1"}}),
    ),
    Case("cnf that is a text", "RFC 7800, 3.1", CLAIM, other({"cnf": "key"})),
    Case(
        "cnf with a private key",
        "RFC 7800, 3.2",
        CLAIM,
        lambda f: f.shown(f.payload({"cnf": {"jwk": {**f.world.baker.public_key.to_jwk(), "d": "AA"}}})),
    ),
    Case("cnf with a secret key", "RFC 7800, 3.2", CLAIM, other({"cnf": {"jwk": {"kty": "oct", "k": "AA"}}})),
    Case(
        "cnf off the curve",
        "RFC 7518, 6.2.1",
        CLAIM,
        lambda f: f.shown(f.payload({"cnf": {"jwk": {**f.world.baker.public_key.to_jwk(), "x": "A" * 43}}})),
    ),
    Case("key binding by a stranger", "RFC 9901, 7.3 (5.c)", BINDING, binding(signer=FileSigner.generate())),
    Case(
        "key binding by the issuer",
        "RFC 9901, 7.3 (5.c)",
        BINDING,
        lambda f: binding(signer=f.world.agency)(f),
    ),
    Case("key binding is junk", "RFC 9901, 7.3 (5.b)", BINDING, lambda f: f"{f.token()}~{f.name}~junk"),
    Case("key binding alg none", "RFC 9901, 7.3 (5.b)", BINDING, binding(header={"alg": "none"})),
    Case(
        "key binding HS256",
        "RFC 9901, 7.3 (5.b)",
        Reason.ALGORITHM_NOT_ALLOWED,
        binding(header={"alg": "HS256"}),
    ),
    Case("key binding critical header", "RFC 7515, 4.1.11", BINDING, binding(header={"crit": ["x"], "x": 1})),
    Case("key binding without typ", "RFC 9901, 7.3 (5.d)", BINDING, binding(header={"typ": ABSENT})),
    Case("key binding with another typ", "RFC 9901, 7.3 (5.d)", BINDING, binding(header={"typ": "JWT"})),
    Case("key binding without iat", "RFC 9901, 7.3 (5.e)", BINDING, binding({"iat": ABSENT})),
    Case("key binding with a text for iat", "RFC 9901, 7.3 (5.e)", BINDING, binding({"iat": str(SECONDS)})),
    Case(
        "key binding of yesterday",
        "RFC 9901, 7.3 (5.e)",
        Reason.KEY_BINDING_STALE,
        binding({"iat": SECONDS - 86400}),
    ),
    Case(
        "key binding of tomorrow",
        "RFC 9901, 7.3 (5.e)",
        Reason.KEY_BINDING_STALE,
        binding({"iat": SECONDS + 86400}),
    ),
    Case(
        "key binding past its end", "RFC 9901, 7.3 (5.h)", Reason.KEY_BINDING_STALE, binding({"exp": SECONDS})
    ),
    Case(
        "key binding before its beginning",
        "RFC 9901, 7.3 (5.h)",
        Reason.KEY_BINDING_STALE,
        binding({"nbf": SECONDS + 3600}),
    ),
    Case(
        "another audience",
        "RFC 9901, 7.3 (5.f)",
        Reason.WRONG_AUDIENCE,
        binding({"aud": "https://bank.example"}),
    ),
    Case("no audience", "RFC 9901, 7.3 (5.f)", Reason.WRONG_AUDIENCE, binding({"aud": ABSENT})),
    Case("several audiences", "RFC 9901, 4.3", Reason.WRONG_AUDIENCE, binding({"aud": [COUNTER]})),
    Case("another nonce", "RFC 9901, 7.3 (5.f)", Reason.WRONG_NONCE, binding({"nonce": "other"})),
    Case("no nonce", "RFC 9901, 7.3 (5.f)", Reason.WRONG_NONCE, binding({"nonce": ABSENT})),
    Case("no sd_hash", "RFC 9901, 7.3 (5.g)", BINDING, binding({"sd_hash": ABSENT})),
    Case("sd_hash of something else", "RFC 9901, 7.3 (5.g)", BINDING, binding({"sd_hash": digest_of("x")})),
    Case(
        "a disclosure taken away afterwards",
        "RFC 9901, 7.3 (5.g)",
        BINDING,
        lambda f: f.shown().replace(f"~{f.name}", "", 1),
    ),
    Case(
        "a key binding of another copy",
        "RFC 9901, 7.3 (5.g)",
        BINDING,
        lambda f: f"{f.token()}~{f.name}~" + f.shown(f.payload({"note": 1})).rpartition("~")[2],
    ),
    # Status
    Case("status without a list", "TSL, 6.2", Reason.STATUS_REFERENCE_INVALID, other({"status": {}})),
    Case("status that is a number", "TSL, 6.2", Reason.STATUS_REFERENCE_INVALID, other({"status": 0})),
    Case(
        "status index that is a text",
        "TSL, 6.2",
        Reason.STATUS_REFERENCE_INVALID,
        lambda f: f.shown(f.payload({"status": {"status_list": {**f.status["status_list"], "idx": "1"}}})),
    ),
    Case(
        "status index below zero",
        "TSL, 6.2",
        Reason.STATUS_REFERENCE_INVALID,
        lambda f: f.shown(f.payload({"status": {"status_list": {**f.status["status_list"], "idx": -1}}})),
    ),
    Case(
        "status index outside the list",
        "TSL, 8.3",
        Reason.STATUS_REFERENCE_INVALID,
        lambda f: f.shown(
            f.payload({"status": {"status_list": {**f.status["status_list"], "idx": 1 << 20}}})
        ),
    ),
    Case(
        "status in a list that nobody has",
        "TSL, 8.3",
        Reason.STATUS_UNKNOWN,
        other({"status": {"status_list": {"idx": 0, "uri": "https://elsewhere.example/status/1"}}}),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_counter_refuses(case: Case, forger: Forger, counter: Any) -> None:
    refuses(case, forger, counter)


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60
    assert all(case.clause for case in CASES)
