"""The token: its text, its header, whose key signed it, and what was signed."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from world.credentials import COUNTER, NONCE, SECONDS
from world.forgery import ABSENT, Forger, disclosure, jws
from world.hostile_presentations import (
    CLAIM,
    FORMAT,
    ORDER,
    SALT,
    Case,
    binding,
    element,
    garbled,
    header,
    nested,
    other,
    refuses,
    with_signature,
)
from world.pki import Pki

from credentials.disclosures import digest_of
from credentials.sd_jwt import MAX_CHARACTERS, MAX_DISCLOSURES, chain_header
from signing.base64url import encode_base64url
from signing.reasons import Reason
from signing.signers.file import FileSigner

CASES = [
    # The text form
    Case("nothing", "RFC 9901, 4", FORMAT, lambda _: ""),
    Case("no text", "RFC 9901, 4", FORMAT, lambda _: None),
    Case("bytes", "RFC 9901, 4", FORMAT, lambda f: f.shown().encode()),
    Case("a bare token", "RFC 9901, 4", FORMAT, lambda f: f.token()),
    Case("only tildes", "RFC 9901, 4", FORMAT, lambda _: "~~~"),
    Case("an empty disclosure", "RFC 9901, 4", FORMAT, lambda f: f.bound(f"{f.token()}~{f.name}~~")),
    Case("a space before", "RFC 9901, 4", FORMAT, lambda f: " " + f.shown()),
    Case("a line end in the token", "RFC 7515, 2", FORMAT, lambda f: "\n" + f.shown()),
    Case("half a character", "RFC 9901, 4", FORMAT, lambda f: f"{f.token()}~\ud800~"),
    Case("a letter of another script", "RFC 9901, 4", FORMAT, lambda f: f.bound(f"{f.token()}~印章~")),
    Case("too long", "limits", Reason.TOO_LARGE, lambda f: f.shown() + "A" * MAX_CHARACTERS),
    Case(
        "too many disclosures",
        "limits",
        Reason.TOO_LARGE,
        lambda f: f.token() + "~a" * (MAX_DISCLOSURES + 2) + "~",
    ),
    Case("header that is no base64url", "RFC 7515, 2", FORMAT, garbled(0)),
    Case("payload that is no base64url", "RFC 7515, 2", FORMAT, garbled(1)),
    Case("signature that is no base64url", "RFC 7515, 2", FORMAT, garbled(2)),
    Case("four parts", "RFC 7515, 7.1", FORMAT, lambda f: f.bound(f"{f.token()}.AAAA~{f.name}~")),
    Case("padding", "RFC 7515, 2", FORMAT, lambda f: f.bound(f"{f.token()}==~{f.name}~")),
    # The token's header
    Case("no algorithm", "RFC 7515, 4.1.1", FORMAT, header({"alg": ABSENT})),
    Case("alg none", "RFC 9901, 7.1 (2.a)", FORMAT, header({"alg": "none"})),
    Case("alg nOnE", "RFC 9901, 7.1 (2.a)", FORMAT, header({"alg": "nOnE"})),
    Case("alg HS256", "RFC 8725, 3.1", Reason.ALGORITHM_NOT_ALLOWED, header({"alg": "HS256"})),
    Case("alg of another curve", "RFC 7518, 3.4", Reason.SIG_CRYPTO_FAILURE, header({"alg": "ES384"})),
    Case("an unknown critical header", "RFC 7515, 4.1.11", FORMAT, header({"crit": ["x"], "x": 1})),
    Case("an empty crit", "RFC 7515, 4.1.11", FORMAT, header({"crit": []})),
    Case("a repeated name in the header", "RFC 7515, 4", FORMAT, header('{"alg":"ES256","alg":"ES256"}')),
    Case("unencoded payload", "RFC 7797, 3", FORMAT, header({"b64": False, "crit": ["b64"]})),
    Case("no typ", "SD-JWT VC, 2.2.1", Reason.WRONG_TYPE, header({"typ": ABSENT})),
    Case("typ JWT", "RFC 8725, 3.11", Reason.WRONG_TYPE, header({"typ": "JWT"})),
    Case("the old typ", "SD-JWT VC, 2.2.1", Reason.WRONG_TYPE, header({"typ": "vc+sd-jwt"})),
    Case("typ of a key binding", "RFC 8725, 3.11", Reason.WRONG_TYPE, header({"typ": "kb+jwt"})),
    # Whose key
    Case("no chain", "SD-JWT VC, 2.5", Reason.SIGNING_CERTIFICATE_MISSING, header({"x5c": ABSENT})),
    Case("an empty chain", "SD-JWT VC, 2.5", Reason.SIGNING_CERTIFICATE_MISSING, header({"x5c": []})),
    Case(
        "a key of its own instead",
        "SD-JWT VC, 7.3",
        Reason.SIGNING_CERTIFICATE_MISSING,
        lambda f: f.shown(header={"x5c": ABSENT, "jwk": f.world.agency.public_key.to_jwk()}),
    ),
    Case(
        "a key from elsewhere instead",
        "SD-JWT VC, 7.3",
        Reason.SIGNING_CERTIFICATE_MISSING,
        header({"x5c": ABSENT, "jku": "https://evil.example/jwks"}),
    ),
    Case("a chain that is a text", "RFC 7515, 4.1.6", FORMAT, header({"x5c": "MIIB"})),
    Case("a chain of junk", "RFC 7515, 4.1.6", FORMAT, header({"x5c": ["AAAA"]})),
    Case(
        "a chain in the wrong alphabet",
        "RFC 7515, 4.1.6",
        FORMAT,
        lambda f: f.shown(header={"x5c": [encode_base64url(f.world.agency.certificate.der)]}),
    ),
    Case("a chain too long", "limits", Reason.TOO_LARGE, header({"x5c": ["AAAA"] * 9})),
    Case(
        "somebody else's chain",
        "SD-JWT VC, 2.5",
        Reason.SIG_CRYPTO_FAILURE,
        lambda f: f.shown(header=chain_header(f.world.pki.signer("credential").chain)),
    ),
    Case(
        "the holder's own signature",
        "SD-JWT VC, 2.5",
        Reason.SIG_CRYPTO_FAILURE,
        lambda f: f.shown(header=chain_header(f.world.agency.chain), signer=f.world.baker),
    ),
    Case(
        "a chain of strangers",
        "SD-JWT VC, 2.5",
        Reason.NO_CERTIFICATE_CHAIN_FOUND,
        lambda f: f.shown(signer=Pki().signer("credential")),
    ),
    Case(
        "a certificate for seals",
        "one key, one use",
        Reason.WRONG_KEY_USAGE,
        lambda f: f.shown(signer=f.world.pki.signer("seal")),
    ),
    Case(
        "a certificate for status lists",
        "one key, one use",
        Reason.WRONG_KEY_USAGE,
        lambda f: f.shown(signer=f.world.pki.signer("status")),
    ),
    # The token's signature
    Case("no signature", "RFC 7515, 5.2", Reason.SIG_CRYPTO_FAILURE, with_signature(lambda _: b"")),
    Case(
        "a signature of zeros",
        "CVE-2022-21449",
        Reason.SIG_CRYPTO_FAILURE,
        with_signature(lambda _: bytes(64)),
    ),
    Case(
        "r is the order",
        "FIPS 186-5, 6.4.2",
        Reason.SIG_CRYPTO_FAILURE,
        with_signature(lambda s: ORDER.to_bytes(32, "big") + s[32:]),
    ),
    Case("a byte too many", "RFC 7518, 3.4", Reason.SIG_CRYPTO_FAILURE, with_signature(lambda s: s + b"\0")),
    Case(
        "r and s change places",
        "RFC 7518, 3.4",
        Reason.SIG_CRYPTO_FAILURE,
        with_signature(lambda s: s[32:] + s[:32]),
    ),
    # What was signed
    Case("payload that is an array", "RFC 7519, 3", FORMAT, lambda f: f.shown(payload="[]")),
    Case(
        "a repeated name in the payload",
        "RFC 7519, 4",
        FORMAT,
        lambda f: f.shown(payload='{"vct":"a","vct":"b"}'),
    ),
    Case("not a number", "RFC 8259, 6", FORMAT, lambda f: f.shown(payload='{"vct":NaN}')),
    Case(
        "payload in another encoding",
        "RFC 8259, 8.1",
        FORMAT,
        lambda f: f.shown(payload='{"vct":"x"}'.encode("utf-16")),
    ),
    Case(
        "half a character in the payload",
        "RFC 8259, 8.2",
        FORMAT,
        lambda f: f.shown(payload='{"vct":"\\ud800"}'),
    ),
    Case("claims too deep", "limits", FORMAT, other({"deep": nested(40)})),
    Case("a payload of brackets", "limits", FORMAT, lambda f: f.shown(payload='{"a":' + "[" * 100_000)),
    Case("no type", "SD-JWT VC, 2.2.2.1", CLAIM, other({"vct": ABSENT})),
    Case("a type that is no text", "SD-JWT VC, 2.2.2.1", CLAIM, other({"vct": 7})),
    Case("other types empty", "SD-JWT VC, 2.2.2.1", CLAIM, other({"aka_vcts": []})),
    Case(
        "other types repeat the type",
        "SD-JWT VC, 2.2.2.1",
        CLAIM,
        lambda f: f.shown(f.payload({"aka_vcts": [f.payload()["vct"]]})),
    ),
    Case("an issuer that is no text", "RFC 7519, 4.1.1", CLAIM, other({"iss": {"a": 1}})),
    Case("expired", "RFC 7519, 4.1.4", Reason.EXPIRED, other({"exp": SECONDS})),
    Case("expires never", "RFC 7519, 2", CLAIM, other({"exp": "never"})),
    Case("expires truly", "RFC 7519, 2", CLAIM, other({"exp": True})),
    Case("expires after the calendar", "RFC 7519, 2", CLAIM, other({"exp": 10**18})),
    Case("begins before the calendar", "RFC 7519, 2", CLAIM, other({"nbf": -(10**18)})),
    Case("not yet valid", "RFC 7519, 4.1.5", Reason.NOT_YET_VALID, other({"nbf": SECONDS + 3600})),
    Case("issued tomorrow", "RFC 7519, 4.1.6", Reason.NOT_YET_VALID, other({"iat": SECONDS + 86400})),
    Case(
        "issued before its certificate",
        "RFC 5280, 6.1.3",
        Reason.CERTIFICATE_NOT_YET_VALID,
        other({"iat": 1_000_000_000}),
    ),
    Case(
        "meant for another verifier",
        "RFC 9901, 7.1 (6)",
        Reason.WRONG_AUDIENCE,
        other({"aud": "https://bank.example"}),
    ),
]


def test_the_forger_can_be_honest(forger: Forger, counter: Any) -> None:
    assert counter.verify(forger.shown(), audience=COUNTER, nonce=NONCE).passed
    assert counter.verify(forger.hiding(forger.name), audience=COUNTER, nonce=NONCE).passed
    assert counter.verify(binding()(forger), audience=COUNTER, nonce=NONCE).passed
    text = disclosure(SALT, "糕点")
    assert counter.verify(
        element({"...": digest_of(text)}, text)(forger), audience=COUNTER, nonce=NONCE
    ).passed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_counter_refuses(case: Case, forger: Forger, counter: Any) -> None:
    refuses(case, forger, counter)


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60
    assert all(case.clause for case in CASES)


def test_a_chain_as_text_without_signature_is_no_evidence(forger: Forger, counter: Any) -> None:
    """The chain is public: whoever copies it has no key."""
    x5c = [b64encode(item.der).decode() for item in forger.world.agency.chain[:2]]
    token = jws({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": x5c}, forger.payload(), FileSigner.generate())
    report = counter.verify(forger.bound(f"{token}~{forger.name}~"), audience=COUNTER, nonce=NONCE)
    assert set(report.reasons) == {Reason.SIG_CRYPTO_FAILURE}
