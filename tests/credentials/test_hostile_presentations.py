"""Presentations that must not pass, each with its clause and the reason that the counter gives."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from world.credentials import COUNTER, NONCE, SECONDS, CredentialWorld
from world.forgery import ABSENT, Forger, disclosure, jws, resigned
from world.pki import Pki

from credentials.disclosures import digest_of
from credentials.sd_jwt import MAX_CHARACTERS, MAX_DISCLOSURES, chain_header
from signing.base64url import decode_base64url, encode_base64url
from signing.reasons import Reason
from signing.report import Indication
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from collections.abc import Callable

SALT = "c2FsdHNhbHRzYWx0c2FsdA"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Case(NamedTuple):
    name: str
    clause: str
    reason: Reason
    make: Callable[[Forger], Any]


def other(payload: dict[str, Any]) -> Callable[[Forger], str]:
    """The agency signed these changes to the licence."""
    return lambda forger: forger.shown(forger.payload(payload))


def binding(claims: Any = None, **more: Any) -> Callable[[Forger], str]:
    """The licence is good, its key binding is not."""
    return lambda forger: forger.bound(f"{forger.token()}~{forger.name}~", claims, **more)


def header(changes: Any) -> Callable[[Forger], str]:
    return lambda forger: forger.shown(header=changes)


def hidden(*parts: Any) -> Callable[[Forger], str]:
    """The agency signed the digest of this one disclosure."""
    return lambda forger: forger.hiding(disclosure(*parts))


def with_signature(change: Callable[[bytes], bytes]) -> Callable[[Forger], str]:
    def make(forger: Forger) -> str:
        token = forger.token()
        signature = decode_base64url(token.rpartition(".")[2])
        return forger.bound(f"{resigned(token, change(signature))}~{forger.name}~")

    return make


def element(item: Any, *disclosures: str) -> Callable[[Forger], str]:
    """The agency signed this element of an array."""
    return lambda forger: (
        forger.shown(forger.payload({"scopes": [item], "_sd": []}), *(disclosures or ()))
        if disclosures
        else forger.bound(f"{forger.token(forger.payload({'scopes': [item], '_sd': []}))}~")
    )


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"in": value}
    return value


def chained(forger: Forger) -> str:
    """Forty disclosures, each inside the one before."""
    inner, texts = "x", []
    for number in range(40):
        text = disclosure(SALT, f"level{number}", inner)
        texts.append(text)
        inner = {"_sd": [digest_of(text)]}
    return forger.shown(forger.payload(hide=(texts[-1],)), *texts)


def moved(name: str) -> Callable[[Forger], str]:
    """This claim of the licence stands in a disclosure."""

    def make(forger: Forger) -> str:
        text = disclosure(SALT, name, forger.payload().get(name, "x"))
        return forger.shown(forger.payload({name: ABSENT}, hide=(text,)), text)

    return make


def hidden_key(forger: Forger) -> str:
    text = disclosure(SALT, "jwk", forger.world.baker.public_key.to_jwk())
    return forger.shown(forger.payload({"cnf": {"_sd": [digest_of(text)]}, "_sd": []}), text)


def garbled(place: int) -> Callable[[Forger], str]:
    """One of the dot-separated parts of the token replaced by junk."""

    def make(forger: Forger) -> str:
        parts = forger.token().split(".")
        parts[place] = "!!!!"
        return forger.bound(f"{'.'.join(parts)}~{forger.name}~")

    return make


FORMAT, DISCLOSURE = Reason.FORMAT_FAILURE, Reason.DISCLOSURE_INVALID
CLAIM, HIDDEN = Reason.CLAIM_INVALID, Reason.CLAIM_NOT_ALLOWED
BINDING = Reason.KEY_BINDING_INVALID

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
        for name in ("iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status")
    ),
    Case("part of cnf in a disclosure", "SD-JWT VC, 2.2.2.3", HIDDEN, hidden_key),
    Case(
        "the status list withheld",
        "TSL, 6.2",
        Reason.STATUS_REFERENCE_INVALID,
        other({"status": {"_sd": ["x" * 43]}}),
    ),
    Case("the key withheld", "RFC 7800, 3.2", CLAIM, other({"cnf": {"_sd": ["x" * 43]}})),
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


@pytest.fixture(scope="module")
def forger(pki: Pki) -> Forger:
    return Forger(CredentialWorld(pki))


@pytest.fixture(scope="module")
def counter(forger: Forger) -> Any:
    return forger.world.counter()


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
    report = counter.verify(case.make(forger), audience=COUNTER, nonce=NONCE)
    assert set(report.reasons) == {case.reason}, report.to_json()
    assert report.indication is case.reason.indication is not Indication.PASSED
    json.loads(report.to_json())


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 120
    assert all(case.clause for case in CASES)


def test_a_chain_as_text_without_signature_is_no_evidence(forger: Forger, counter: Any) -> None:
    """The chain is public: whoever copies it has no key."""
    x5c = [b64encode(item.der).decode() for item in forger.world.agency.chain[:2]]
    token = jws({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": x5c}, forger.payload(), FileSigner.generate())
    report = counter.verify(forger.bound(f"{token}~{forger.name}~"), audience=COUNTER, nonce=NONCE)
    assert set(report.reasons) == {Reason.SIG_CRYPTO_FAILURE}
