# ruff: noqa: E501 - a case is a row of a table
"""Good SD-JWT VCs and status lists: whoever refuses one of these is stricter than the standards.

Each row names the clause that allows it. What must not pass stands in `tests/credentials`.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from world.cbor_forms import Writer
from world.credentials import COUNTER, DISCLOSABLE, ISSUER, NONCE, SECONDS, VCT
from world.forgery import ABSENT, disclosure
from world.good_credentials import SALT, FairWorld, Good
from world.pki import NOON

from credentials.disclosures import digest_of
from credentials.known_types import KnownTypes
from credentials.published_keys import PublishedKeys
from credentials.sd_jwt import chain_header
from credentials.status_list import StatusList
from credentials.type_metadata import integrity_of
from credentials.verifier import Verifier
from signing.base64url import encode_base64url
from signing.cbor import Tag, encode
from signing.policy import Policy
from signing.raw_signatures import to_raw
from signing.revocation import Crl, RevocationSnapshot
from signing.signers.file import FileSigner
from signing.trust import TrustStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.report import Report


PHOTO = "data:image/jpeg;base64," + "QUJD" * 40_000
VALUES: dict[str, Any] = {
    "nothing": None, "yes": True, "no": False, "zero": 0, "negative": -17, "large": 2**53, "part": 1.5, "tiny": 1e-9,
    "empty text": "", "empty list": [], "empty object": {}, "lists": [[1, [2, [3]]], []], "mixed": [{"a": [None, "b"]}],
}  # fmt: skip
NAMES = {
    "_sdx": 1,
    "..": 2,
    "....": 3,
    "_SD": 4,
    "__proto__": 5,
    "a.b": 6,
    "": 7,
    "姓名": 8,
    "😀": 9,
    "sd_hash": 10,
}

DECOY = {"_sd": [digest_of("a decoy")]}
DECOYS: dict[str, Callable[[FairWorld], Mapping[str, Any]]] = {
    "beside the status list": lambda w: {"status": {**w.status, **DECOY}},
    "in the status list": lambda w: {"status": {"status_list": {**w.status["status_list"], **DECOY}}},
    "beside the key": lambda w: {"cnf": {"jwk": w.baker.public_key.to_jwk(), **DECOY}},
    "in the key": lambda w: {"cnf": {"jwk": {**w.baker.public_key.to_jwk(), **DECOY}}},
    "among further types": lambda _: {"aka_vcts": ["urn:example:a", {"...": digest_of("a decoy")}]},
}


def hidden_deep(levels: int) -> Callable[[FairWorld], Report[Any]]:
    """A claim in a claim in a claim, each behind a disclosure of its own."""

    def show(w: FairWorld) -> Report[Any]:
        inner: Any = "x"
        texts = []
        for number in range(levels):
            texts.append(disclosure(SALT, f"level{number}", inner))
            inner = {"_sd": [digest_of(texts[-1])]}
        token = w.token(w.payload(hide=(texts[-1],)))
        return w.judged(w.bound("~".join([token, *texts, ""])))

    return show


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"in": value}
    return value


def top(*parts: Any) -> Callable[[FairWorld], Report[Any]]:
    """One disclosure of these parts."""
    return lambda w: w.judged(w.made(None, disclosure(*parts)))


def claims(**changes: Any) -> Callable[[FairWorld], Report[Any]]:
    return lambda w: w.judged(w.made(changes, w.name))


def bound(**changes: Any) -> Callable[[FairWorld], Report[Any]]:
    return lambda w: w.judged(w.bound(f"{w.token(w.payload(hide=(w.name,)))}~{w.name}~", changes))


def raw_disclosure(text: str) -> Callable[[FairWorld], Report[Any]]:
    return lambda w: w.judged(w.made(None, encode_base64url(text.encode())))


def unbound(w: FairWorld, **options: Any) -> Report[Any]:
    text = f"{w.token(w.payload({'cnf': ABSENT}, hide=(w.name,)))}~{w.name}~"
    return w.counter().verify(text, require_key_binding=False, **options)


def elements_shown(*places: int) -> Callable[[FairWorld], Report[Any]]:
    """Three elements of an array and a decoy; only some of them are disclosed."""

    def show(w: FairWorld) -> Report[Any]:
        texts = [disclosure(f"{SALT}{number}", f"scope {number}") for number in range(3)]
        scopes = [*({"...": digest_of(one)} for one in texts), {"...": "x" * 43}, "open"]
        token = w.token(w.payload({"scopes": scopes, "_sd_alg": "sha-256"}))
        return w.judged(w.bound("~".join([token, *(texts[place] for place in places), ""])))

    return show


def second_signature(w: FairWorld) -> Report[Any]:
    form = w.as_json(general=True)
    other = {"protected": encode_base64url(b'{"alg":"ES256"}'), "signature": encode_base64url(bytes(64))}
    return w.judged(json.dumps({**form, "signatures": [*form["signatures"], other]}))


def named(*names: x509.GeneralName, iss: str = ISSUER) -> Callable[[FairWorld], Report[Any]]:
    """The agency's certificate names addresses or hosts."""

    def show(w: FairWorld) -> Report[Any]:
        signer = w.credential_signer(extra=((x509.SubjectAlternativeName(names), False),))
        return w.judged(w.made({"iss": iss}, w.name, signer=signer))

    return show


def long_chain(w: FairWorld) -> Report[Any]:
    signer, authorities = w.below("一级机构", "二级机构", "三级机构")
    every = (w.pki.root, w.pki.issuing, *authorities)
    revocation = RevocationSnapshot(Crl.from_der(one.crl(NOON)) for one in every)
    presentation = w.made({"status": ABSENT}, w.name, signer=signer)
    return w.judged(presentation, revocation=revocation)


def with_root(w: FairWorld) -> Report[Any]:
    whole = [*chain_header(w.agency.chain)["x5c"], *_b64(w.pki.root.certificate.der)]
    return w.judged(w.made(None, w.name, x5c=whole))


def _b64(*parts: bytes) -> list[str]:
    return [b64encode(one).decode() for one in parts]


def leaf_alone(w: FairWorld) -> Report[Any]:
    trust = TrustStore([w.pki.issuing.certificate])
    token = w.made({"status": ABSENT}, w.name, x5c=_b64(w.agency.certificate.der))
    counter = Verifier(trust, revocation=w.revocation, clock=w.clock)
    return counter.verify(token, audience=COUNTER, nonce=NONCE)


def thumbprint(w: FairWorld) -> Report[Any]:
    print_of = encode_base64url(hashlib.sha256(w.agency.certificate.der).digest())
    return w.judged(w.made(None, w.name, **{"x5t#S256": print_of}))


def typed(
    *rules: Mapping[str, Any], parent: tuple[Mapping[str, Any], ...] = (), **more: Any
) -> Callable[[FairWorld], Report[Any]]:
    """A type is at hand, and demanded."""

    def show(w: FairWorld) -> Report[Any]:
        above = json.dumps({"vct": "urn:example:above", "claims": parent}).encode()
        extends = {"extends": "urn:example:above", "extends#integrity": integrity_of(above)} if parent else {}
        document = json.dumps({"vct": VCT, "claims": rules, **extends, **more}).encode()
        types = KnownTypes({VCT: [document], "urn:example:above": [above]})
        presentation = w.present(
            w.issue({**w.licence(), "vct#integrity": integrity_of(document)}), ("name", ("scopes", 1))
        )
        return w.judged(presentation, types=types, policy=Policy(type_metadata="require"))

    return show


def published(
    named_by: str | None, *, kid: str | None = "2026-1", apart: bool = False
) -> Callable[[FairWorld], Report[Any]]:
    """An issuer without a certificate, by the keys that it publishes."""

    def show(w: FairWorld) -> Report[Any]:
        signer = FileSigner.generate()
        row = {**signer.public_key.to_jwk(), **({"kid": kid} if kid else {})}
        place = {"jwks_uri": "https://keys.example/set"} if apart else {"jwks": {"keys": [row]}}
        keys = PublishedKeys.read(
            json.dumps({"issuer": ISSUER, **place}).encode(),
            issuer=ISSUER,
            at=NOON,
            key_set=json.dumps({"keys": [row]}).encode() if apart else None,
        )
        header = {"kid": named_by} if named_by else {}
        presentation = w.made({"status": ABSENT}, w.name, signer=signer, **header)
        return w.judged(
            presentation, published={ISSUER: keys}, policy=Policy(issuer_keys=((ISSUER, "metadata"),))
        )

    return show


SD_JWT = [
    Good("a photograph that is always visible", "SD-JWT VC, 2.2.2.4", lambda w: w.judged(w.made({"photo": PHOTO * 8}, w.name))),
    Good("a whole number of 300 digits", "RFC 8259, 6", lambda w: w.judged(w.made({"n": 10**299}, w.name))),
    Good("1,500 disclosures", "RFC 9901, 4", lambda w: w.judged(w.made(None, *(disclosure(SALT, f"n{number}", number) for number in range(1500))))),
    Good("nothing of it disclosed", "RFC 9901, 4", lambda w: w.shown()),
    Good("one claim disclosed", "RFC 9901, 4", lambda w: w.shown("name")),
    Good("everything disclosed", "RFC 9901, 4", lambda w: w.shown(*DISCLOSABLE)),
    Good("nothing to disclose", "SD-JWT VC, 2.2.2.5", lambda w: w.shown(issue={"disclosable": ()})),
    Good("decoys beside disclosures", "RFC 9901, 4.2.5", lambda w: w.shown("name", issue={"decoys": 7})),
    Good("decoys alone are left", "RFC 9901, 4.2.5", lambda w: w.shown(issue={"decoys": 3})),
    *(Good(f"a decoy {place}", "RFC 9901, 4.2.5", lambda w, change=change: w.judged(w.made(change(w), w.name))) for place, change in DECOYS.items()),
    Good("an object inside a hidden object", "RFC 9901, 4.2.6", lambda w: w.shown(("address", "street"))),
    Good("a hidden object without its hidden part", "RFC 9901, 4.2.6", lambda w: w.shown(issue={"disclosable": ("address", ("address", "street"))})),
    Good("one hidden part of an open object", "RFC 9901, 4.2.4.1", lambda w: w.shown(("address", "street"), issue={"disclosable": [("address", "street")]})),
    Good("every part of an object hidden", "RFC 9901, 7.1 (3.e)", lambda w: w.shown(issue={"disclosable": [("address", "street"), ("address", "city")]})),
    Good("one element of an array", "RFC 9901, 4.2.4.2", elements_shown(1)),
    Good("all elements of an array", "RFC 9901, 4.2.4.2", elements_shown(0, 1, 2)),
    Good("no element of an array", "RFC 9901, 7.1 (3.d)", elements_shown()),
    Good("elements in another order", "RFC 9901, 4", elements_shown(2, 0)),
    Good("an array hidden in a hidden array", "RFC 9901, 4.2.6", lambda w: w.shown(("lists", None), issue={"disclosable": ["lists", ("lists", None), ("lists", 0, None)]}, lists=[["a", "b"], ["c"]])),
    Good("six disclosures in each other", "RFC 9901, 4.2.6", hidden_deep(6)),
    Good("two hundred disclosures", "RFC 9901, 4", lambda w: w.shown(*(f"c{n}" for n in range(200)), issue={"disclosable": [f"c{n}" for n in range(200)]}, **{f"c{n}": n for n in range(200)})),
    Good("values of every kind, open", "RFC 8259, 3", lambda w: w.shown(issue={"disclosable": ()}, **VALUES)),
    Good("values of every kind, disclosed", "RFC 9901, 4.2.1", lambda w: w.shown(*VALUES, issue={"disclosable": VALUES}, **VALUES)),
    Good("names that look like others", "RFC 9901, 4.2.1", lambda w: w.shown(*NAMES, issue={"disclosable": NAMES}, **NAMES)),
    Good("twenty objects in each other", "limits", lambda w: w.shown("deep", issue={"disclosable": ("deep",)}, deep=nested(20))),
    Good("a photograph", "SD-JWT VC, 2.2.2.4", lambda w: w.shown("photo", issue={"disclosable": ("photo",)}, photo=PHOTO)),
    Good("a disclosure with spaces", "RFC 9901, 4.2.1", raw_disclosure(' [ "c2FsdA" ,\r\n\t"rank" , { "a" : 1 } ] ')),
    Good("a disclosure with escapes", "RFC 8259, 7", raw_disclosure('["c2FsdA","\\u540d\\u79f0","\\ud83d\\ude00\\/\\n"]')),
    Good("a disclosure whose value is nothing", "RFC 9901, 4.2.1", top(SALT, "rank", None)),
    Good("a claim twice on different levels", "RFC 9901, 7.1 (3.c)", top(SALT, "inner", {"credit_code": "0"})),
    Good("the subject disclosed", "SD-JWT VC, 2.2.2.3", top(SALT, "sub", "urn:example:baker")),
    Good("the time of issue disclosed", "SD-JWT VC, 2.2.2.3", lambda w: w.judged(w.made({"iat": ABSENT}, disclosure(SALT, "iat", SECONDS - 9)))),
    Good("the time of issue withheld", "SD-JWT VC, 2.2.2.3", lambda w: w.judged(w.bound(w.token(w.payload({"iat": ABSENT}, hide=(disclosure(SALT, "iat", 0),))) + "~"))),
    Good("no status", "SD-JWT VC, 2.2.2.3", claims(status=ABSENT)),
    Good("no issuer claim", "SD-JWT VC, 2.2.2.3", claims(iss=ABSENT)),
    Good("an issuer claim that is a name", "RFC 7519, 4.1.1", claims(iss="urn:example:bureau")),
    Good("no times", "SD-JWT VC, 2.2.2.3", claims(iat=ABSENT, nbf=ABSENT, exp=ABSENT)),
    Good("times with fractions", "RFC 7519, 2", claims(iat=SECONDS - 0.5, nbf=SECONDS - 0.25, exp=SECONDS + 0.5)),
    Good("it begins now", "RFC 7519, 4.1.5", claims(nbf=SECONDS)),
    Good("its clock is two minutes ahead", "RFC 7519, 4.1.5", claims(iat=SECONDS + 120, nbf=SECONDS + 120)),
    Good("it ends in a second", "RFC 7519, 4.1.4", claims(exp=SECONDS + 1)),
    Good("for this verifier", "RFC 7519, 4.1.3", claims(aud=COUNTER)),
    Good("for several verifiers", "RFC 7519, 4.1.3", claims(aud=["https://bank.example", COUNTER])),
    Good("an identifier and a subject", "RFC 7519, 4.1.7", claims(jti="urn:uuid:1", sub="did:example:1")),
    Good("further types", "SD-JWT VC, 2.2.2.2", claims(aka_vcts=["urn:example:licence", "https://example.org/licence"])),
    Good("a type that is an address", "SD-JWT VC, 2.2.2.1", claims(vct="https://credentials.example/food#1")),
    Good("claims that nobody knows", "RFC 7519, 4", claims(anything={"x": [1]}, x5c="y", kid=7)),
    Good("a key with a name and a use", "RFC 7517, 4", lambda w: w.judged(w.made({"cnf": {"kid": "1", "jwk": {**w.baker.public_key.to_jwk(), "use": "sig", "alg": "ES256", "key_ops": ["verify"], "kid": "1"}}}, w.name))),
    # Whose key signed, with what
    *(Good(f"an agency with {kind} and {alg}", "RFC 7518, 3.1; RFC 8037; RFC 9864", lambda w, kind=kind, alg=alg: w.by(w.credential_signer(kind), alg)) for kind, alg in (("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512"), ("Ed25519", "EdDSA"), ("Ed25519", "Ed25519"))),
    *(Good(f"an agency with {alg}", "RFC 7518, 3.3 and 3.5", lambda w, alg=alg: w.by(w.credential_signer(signer=w.rsa).named(alg), alg)) for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    *(Good(f"a holder with {kind}", "RFC 7800, 3.2", lambda w, kind=kind, alg=alg: w.held(FileSigner.generate(kind), alg)) for kind, alg in (("P-384", "ES384"), ("P-521", "ES512"), ("Ed25519", "EdDSA"))),
    Good("a holder with RSA", "RFC 7518, 6.3", lambda w: w.held(w.rsa.named("PS256"), "PS256")),
    *(Good(f"digests by {name}", "RFC 9901, 4.1.1", lambda w, name=name: w.hashed(name)) for name in ("sha-256", "sha-384", "sha-512", "sha3-256", "sha3-384", "sha3-512")),
    Good("no name for the hash", "RFC 9901, 4.1.1", lambda w: w.judged(w.made({"_sd_alg": ABSENT}, w.name))),
    Good("three authorities between", "RFC 5280, 6.1", long_chain),
    Good("the root sent too", "RFC 7515, 4.1.6", with_root),
    Good("the leaf sent alone", "RFC 7515, 4.1.6", leaf_alone),
    Good("a thumbprint beside the chain", "RFC 7515, 4.1.8", thumbprint),
    Good("a key's name beside the chain", "RFC 7515, 4.1.4", lambda w: w.judged(w.made(None, w.name, kid="2026"))),
    Good("headers that nobody knows", "RFC 7515, 4", lambda w: w.judged(w.made(None, w.name, vctm=["x"], cty="json", x=1))),
    Good("an address in the certificate", "SD-JWT VC, 2.5", named(x509.UniformResourceIdentifier(ISSUER))),
    Good("a host in the certificate", "SD-JWT VC, 2.5", named(x509.DNSName("LICENCES.jincheng.example"), iss=f"{ISSUER}:8443/food/1")),
    Good("a host and another address", "SD-JWT VC, 2.5", named(x509.UniformResourceIdentifier("https://other.example"), x509.DNSName("licences.jincheng.example"))),
    Good("published keys", "SD-JWT VC, 4", published("2026-1")),
    Good("published keys, set apart", "SD-JWT VC, 4.2", published("2026-1", apart=True)),
    Good("published keys, none named", "SD-JWT VC, 4.2", published(None)),
    Good("a published key without a name", "RFC 7517, 4.5", published(None, kid=None)),
    Good("an issuer that may issue this type", "SD-JWT VC, 7.7", lambda w: w.judged(w.made(None, w.name), issuers={VCT: {w.agency.certificate.subject}})),
    # Its type
    Good("a type with rules that hold", "SD-JWT VC, 5.6", typed({"path": ["name"], "sd": "always", "mandatory": True}, {"path": ["iss"], "sd": "never", "mandatory": True})),
    Good("a type that extends another", "SD-JWT VC, 5.4", typed({"path": ["name"], "mandatory": True}, parent=({"path": ["name"], "sd": "always"}, {"path": ["vct"], "sd": "never"}))),
    Good("a type with rules for elements", "SD-JWT VC, 5.6.1", typed({"path": ["scopes", None], "sd": "always", "mandatory": True}, {"path": ["scopes", 2], "sd": "always", "mandatory": True})),
    Good("a type with what nobody knows", "SD-JWT VC, 5.2", typed({"path": ["name"], "svg_id": "name_1", "x": 1}, name="Food", description="…", display=[{"locale": "en", "name": "Food", "rendering": {"x": {}}}], x=[])),
    Good("a mandatory claim withheld", "SD-JWT VC, 5.6", typed({"path": ["credit_code"], "mandatory": True}, {"path": ["address", "street"], "mandatory": True})),
    # The key binding
    Good("bound four minutes ago", "RFC 9901, 7.3 (5.e)", bound(iat=SECONDS - 240)),
    Good("bound two minutes ahead", "RFC 9901, 7.3 (5.e)", bound(iat=SECONDS + 120)),
    Good("a binding with an end", "RFC 9901, 7.3 (5.h)", bound(exp=SECONDS + 60, nbf=SECONDS - 60)),
    Good("a binding with more claims", "OpenID4VP, B.3.3", bound(transaction_data_hashes=["x"], jti="1", iss="did:example:1")),
    Good("no binding where none is demanded", "RFC 9901, 7.3 (1)", unbound),
    Good("a binding where none is demanded", "RFC 9901, 7.3 (1)", lambda w: w.counter().verify(w.made(None, w.name), require_key_binding=False)),
    # The JSON forms
    Good("flattened JSON", "RFC 9901, 8.2", lambda w: w.judged(json.dumps(w.as_json()))),
    Good("flattened JSON with spaces", "RFC 8259, 2", lambda w: w.judged("\n" + json.dumps(w.as_json(), indent=2) + "\n")),
    Good("flattened JSON with more members", "RFC 7515, 7.2.1", lambda w: w.judged(json.dumps({**w.as_json(kid="1"), "x": 1}))),
    Good("general JSON", "RFC 9901, 8.3", lambda w: w.judged(json.dumps(w.as_json(general=True)))),
    Good("general JSON with a second signature", "RFC 9901, 8.3", second_signature),
]  # fmt: skip


def list_of(**options: Any) -> Callable[[FairWorld], Report[Any]]:
    return lambda w: w.with_list(w.listed(**options))


def placed(index: int, size: int, bits: int) -> Callable[[FairWorld], Report[Any]]:
    """An entry among entries that are all revoked."""

    def show(w: FairWorld) -> Report[Any]:
        statuses = StatusList(size, bits=bits)
        for place in range(size):
            statuses.set(place, int(place != index))
        uri = w.status["status_list"]["uri"]
        listed = w.listed(statuses=statuses).require()
        status = {"status_list": {"uri": uri, "idx": index}}
        return w.judged(w.made({"status": status}, w.name), statuses={uri: listed})

    return show


def older_list(age: timedelta, grace: timedelta) -> Callable[[FairWorld], Report[Any]]:
    """The list was fetched a while ago."""

    def show(w: FairWorld) -> Report[Any]:
        counter = w.counter(
            statuses={w.status["status_list"]["uri"]: w.listed().require()}, status_grace=grace
        )
        text = w.bound(
            f"{w.token(w.payload(hide=(w.name,)))}~{w.name}~", {"iat": SECONDS + age.total_seconds()}
        )
        return counter.verify(text, audience=COUNTER, nonce=NONCE, now=NOON + age)

    return show


def oddly_written(number: Callable[[int], int]) -> Callable[[FairWorld], Report[Any]]:
    """A list as CWT in a form that nobody has to write, and everybody to read."""

    def show(w: FairWorld) -> Report[Any]:
        signer, writer = w.pki.signer("status"), Writer(number)
        claims = {
            2: w.status["status_list"]["uri"],
            6: SECONDS,
            4: SECONDS + 600,
            65534: 60,
            9999: Tag(37, bytes(16)),
        }
        payload = writer.write({**claims, 65533: {"bits": 2, "lst": zlib.compress(bytes(64))}})
        protected = writer.write({1: -7, 16: "application/statuslist+cwt"})
        signed = encode(["Signature1", protected, b"", payload])
        signature = to_raw(signer.sign(signed), signer.algorithm)
        chain = [one.der for one in signer.chain if not one.is_self_issued]
        return w.read_list(writer.write(Tag(18, [protected, {33: chain}, payload, signature])))

    return show


# Over a mebibyte as it travels: no two entries need be alike.
VARIED = StatusList.from_bytes(hashlib.shake_128(b"varied").digest(1_200_000), bits=8)

LISTS = [
    *(Good(f"a list of {bits} bits", "TSL, 4.1", list_of(bits=bits)) for bits in (1, 2, 4, 8)),
    *(Good(f"entry {index} of {size} by {bits} bits", "TSL, 4.1", placed(index, size, bits)) for index, size, bits in ((0, 8, 1), (7, 8, 1), (9, 16, 1), (3, 4, 2), (5, 16, 4), (15, 16, 8))),
    *(Good(f"a list as {form.upper()} that does not compress", "TSL, 4.1", lambda w, form=form: w.listed(w.pki.signer("status"), form=form, statuses=VARIED)) for form in ("jwt", "cwt")),
    Good("a list signed below the root", "TSL, 11.3", lambda w: w.with_list(w.listed(w.pki.root.issue("州", "status")))),
    *(Good(f"a list signed with {kind}", "TSL, 5.1", lambda w, kind=kind: w.with_list(w.listed(w.pki.issuing.issue("状态", "status", key_kind=kind)))) for kind in ("P-384", "Ed25519")),
    Good("a list in its last minute", "TSL, 8.3", older_list(timedelta(minutes=4), timedelta(0))),
    Good("a list within the grace", "TSL, 13.7", older_list(timedelta(minutes=8), timedelta(minutes=10))),
    *(Good(f"a list as CWT of {bits} bits", "TSL, 5.2", lambda w, bits=bits: w.listed(form="cwt", bits=bits)) for bits in (1, 2, 4, 8)),
    *(Good(f"a list as CWT {name}", "RFC 8392, 7.2; RFC 8949, 3.2", oddly_written(number)) for name, number in (("of indefinite lengths", lambda _: 0), ("with zeros ahead of its numbers", lambda most: most))),
    Good("a list as CWT signed with P-384", "TSL, 5.2", lambda w: w.listed(w.pki.issuing.issue("状态", "status", key_kind="P-384"), form="cwt")),
    Good("another mechanism beside the list", "TSL, 6.2", lambda w: w.judged(w.made({"status": {**w.status, "other": {"x": 1}}}, w.name))),
    Good("more members beside idx and uri", "TSL, 6.2", lambda w: w.judged(w.made({"status": {"status_list": {**w.status["status_list"], "x": 1}}}, w.name))),
]  # fmt: skip

GOOD = [*SD_JWT, *LISTS]


@pytest.fixture(scope="module")
def world() -> FairWorld:
    return FairWorld()


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.name.replace(" ", "-"))
def test_it_passes(world: FairWorld, good: Good) -> None:
    report = good.show(world)
    assert report.passed, report.to_json()
    report.require()


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len(GOOD) >= 100
    assert all(row.clause for row in GOOD)
