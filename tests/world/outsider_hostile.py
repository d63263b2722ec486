# ruff: noqa: E501 - a case is a row of a table
"""What breaks one rule of a good presentation at a time, by somebody who has only read the specifications."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from world.outsider import ABSENT, HASHES, b64, digest, disclosure, jws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.outsider import Showing


def hostile(good: Showing) -> Iterator[tuple[str, str]]:
    """Presentations that break one rule each, with the rule."""
    yield from _of_disclosures(good)
    yield from _of_binding(good)
    yield from _of_token(good)
    yield from _of_claims(good)


def _of_disclosures(good: Showing) -> Iterator[tuple[str, str]]:
    shown, name = good.disclosures, good.name
    yield "belongs nowhere", good.bound(good.joined(disclosures=[*shown, disclosure("s", "x", 1)]))
    if shown:
        yield "twice", good.bound(good.joined(disclosures=[*shown, shown[0]]))
        yield (
            "one missing behind the binding",
            good.joined(disclosures=shown[1:]) + good.text.rpartition("~")[2],
        )
        yield "padded", good.bound(good.joined(disclosures=[shown[0] + "=", *shown[1:]]))
        again = [digest(shown[0], name)] * 2
        yield "its digest twice", good.signed(_sd=[*good.payload.get("_sd", []), *again])
    for one in good.shown:
        if any(inner in good.shown for inner in one.inside):
            rest = [text for text in shown if text != one.text]
            yield "shown without what it stands in", good.bound(good.joined(disclosures=rest))
    bad: dict[str, Any] = {
        "named _sd": disclosure("s", "_sd", ["x"]), "named ...": disclosure("s", "...", "x"),
        "that overwrites": disclosure("s", "vct", "urn:evil"), "of two": disclosure("s", 1),
        "of four": disclosure("s", "q", 1, 2), "of none": disclosure(), "salted by a number": disclosure(7, "q", 1),
        "named by a number": disclosure("s", 5, 1), "that hides the end": disclosure("s", "exp", 9**12),
        "that hides the key": disclosure("s", "cnf", {"jwk": good.parties.jwk()}),
    }  # fmt: skip
    texts = {
        "that is an object": '{"a":1}', "with a name twice": '["s","q",{"a":1,"a":2}]', "with NaN": '["s","q",NaN]',
        "with a comma more": '["s","q",1,]', "with half a pair": '["s","q","\\ud800"]', "too deep": '["s","q",' + "[" * 99 + "]" * 99 + "]",
        "with a comment": '["s","q",/**/1]', "with zeros ahead": '["s","q",01]', "of two values": '["s","q",1]["s"]',
    }  # fmt: skip
    bad |= {what: b64(text.encode()) for what, text in texts.items()}
    bad |= {
        "that is not UTF-8": b64(b'["s","q","\xff"]'),
        "with a mark ahead": b64(b'\xef\xbb\xbf["s","q",1]'),
    }
    for what, text in bad.items():
        yield f"a disclosure {what}", good.with_more(text)
    inner = disclosure("s", "k", 1)
    for what, value in {
        "overwritten inside": {"_sd": [digest(inner, name)], "k": 2},
        "named twice inside": {"_sd": [digest(inner, name)] * 2},
        "with a hash's name inside": {"_sd": [digest(inner, name)], "_sd_alg": name},
        "with dots inside an object": {"_sd": [digest(inner, name)], "...": "x"},
    }.items():
        outer = disclosure("s", "outer", value)
        digests = [*good.payload.get("_sd", []), digest(outer, name)]
        yield what, good.signed(disclosures=[*good.disclosures, outer, inner], _sd=digests)
    one = disclosure("s", "q", 1)
    for what, written in {
        "in hex": HASHES[name](one.encode()).hexdigest(),
        "padded": digest(one, name) + "=",
        "of what it encodes": b64(HASHES[name](base64.urlsafe_b64decode(one + "==")).digest()),
    }.items():
        yield f"a digest {what}", good.signed(disclosures=[one], _sd=[written])
    yield "of an object in an array", good.signed(disclosures=[one], zz=[{"...": digest(one, name)}])


def _of_binding(good: Showing) -> Iterator[tuple[str, str]]:
    now, text = good.parties.seconds, good.joined()
    changes: dict[str, Any] = {
        "aud": ("x", [good.parties.audience], None, ABSENT, good.parties.audience + " "),
        "nonce": ("x", 5, None, ABSENT, good.parties.nonce.upper()),
        "iat": (now - 4000, now + 4000, str(now), True, None, ABSENT),
        "sd_hash": (digest("x"), digest(text, good.name) + "=", digest(text[:-1], good.name), None, ABSENT),
        "exp": (now - 1, now, "x"), "nbf": (now + 4000, "x"),
    }  # fmt: skip
    for name, values in changes.items():
        for value in values:
            yield f"a binding whose {name} is {value!r}", good.bound(text, **{name: value})
    heads: dict[str, Any] = {
        "typ": ("JWT", "dc+sd-jwt", "KB+JWT", None, ABSENT), "alg": ("none", "HS256", "ES384", None, ABSENT),
        "crit": (["x"], []), "b64": (False,),
    }  # fmt: skip
    for name, values in heads.items():
        for value in values:
            yield f"a binding whose {name} is {value!r}", good.bound(text, header={name: value})
    thief = ec.generate_private_key(ec.SECP256R1())
    yield "a binding by another key", good.bound(text, key=thief, header={"jwk": good.parties.jwk()})
    yield "a binding by the agency", good.bound(text, key=good.parties.agency)
    binding = good.text.rpartition("~")[2]
    signed, _, signature = binding.rpartition(".")
    der = good.parties.holder.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    code = hmac.new(json.dumps(good.parties.jwk()).encode(), signed.encode(), "sha256").digest()
    for what, value in {"DER": der, "zeros": bytes(64), "nothing": b"", "a code": code}.items():
        yield f"a binding signed by {what}", f"{text}{signed}.{b64(value)}"
    for what, sent in {
        "no binding": text, "two bindings": f"{text}{binding}~{binding}", "a tilde behind": f"{good.text}~",
        "a space behind": f"{good.text} ", "a space ahead": f" {good.text}", "a part more": f"{good.text}.x",
        "padding": f"{good.text}=", "the token for a binding": text + good.token, "a part less": text + signed,
        "a cut": f"{text}{signed}.{signature[:-4]}", "the token alone": good.token,
    }.items():  # fmt: skip
        yield what, sent


def _of_token(good: Showing) -> Iterator[tuple[str, str]]:
    x5c = good.parties.x5c
    heads: dict[str, Any] = {
        "typ": ("JWT", "vc+sd-jwt", "DC+SD-JWT", None, ["dc+sd-jwt"], ABSENT),
        "alg": ("none", "None", "HS256", "ES384", "ES512", "ES256K", None, ABSENT),
        "crit": (["zz"], "typ", [], ["alg"]), "b64": (False, True), "x5t#S256": ("A" * 43,),
        "x5c": (x5c[0], [], ["AAAA"], [1], [None], x5c[::-1], [x5c[0] + "\n", *x5c[1:]], ABSENT),
    }  # fmt: skip
    for name, values in heads.items():
        for value in values:
            if name == "x5c" and value == x5c:
                continue
            yield f"a token whose {name} is {str(value)[:20]}", good.signed(header={name: value})
    head, body = json.dumps(good.header), json.dumps(good.payload)
    for what, written in {
        "an algorithm twice": head.replace("{", '{"alg":"none",', 1).encode(), "a list": b'["ES256"]',
        "with more behind": head.encode() + b"x", "a mark ahead": b"\xef\xbb\xbf" + head.encode(),
    }.items():  # fmt: skip
        yield f"a header that is {what}", good.signed(header=written)
    for what, inside in {
        "a name twice": '"vct":"urn:evil",', "a name twice, escaped": '"v\\u0063t":"urn:evil",', "NaN": '"n":NaN,',
        "a name twice inside": '"n":{"a":1,"a":2},', "too large a number": '"n":1e999,', "endless digits": f'"n":{"9" * 5000},',
    }.items():  # fmt: skip
        payload = body.replace("{", "{" + inside, 1).encode()
        yield (
            f"a payload with {what}",
            good.bound(good.joined(jws(good.header, payload, good.parties.agency))),
        )
    for what, payload in {"a list": b"[]", "a text": b'"x"', "nothing": b""}.items():
        yield (
            f"a payload that is {what}",
            good.bound(good.joined(jws(good.header, payload, good.parties.agency))),
        )
    signed, _, signature = good.token.rpartition(".")
    first, last = signed.split(".")
    flipped = last[:9] + ("A" if last[9] != "A" else "B") + last[10:]
    der = b64(good.parties.agency.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    for what, token in {
        "a signature cut": f"{signed}.{signature[:-4]}", "a longer signature": f"{signed}.{signature}AAAA",
        "no signature": f"{signed}.", "zeros": f"{signed}.{b64(bytes(64))}", "DER": f"{signed}.{der}",
        "two parts": signed, "four parts": f"{good.token}.x", "padding": f"{first}.{last}=.{signature}",
        "a flipped bit": f"{first}.{flipped}.{signature}",
    }.items():  # fmt: skip
        yield f"a token with {what}", good.bound(good.joined(token))
    yield "an empty disclosure", good.bound(good.joined(disclosures=["", *good.disclosures]))


def _of_claims(good: Showing) -> Iterator[tuple[str, str]]:
    now, jwk = good.parties.seconds, good.parties.jwk()
    place = good.parties.status["status_list"]
    claims: dict[str, Any] = {
        "vct": (None, "", 5, ["urn:example:licence:1"], "two words", ABSENT),
        "exp": (now - 1, now, str(now + 99), None, True, [now + 99]), "nbf": (now + 4000, "x", None),
        "iat": (now + 4000, "x", None, True), "aud": ("https://other.example", ["a", "b"], [], 5, None),
        "iss": (5, None, {}, ""), "sub": (5,), "jti": (5,), "aka_vcts": ([], "urn:x", ["urn:example:licence:1"], [1]),
        "vct#integrity": (5, "sha256"), "_sd_alg": ("md5", "sha-1", "SHA-256", "sha256", "", None, 5, ["sha-256"]),
        "_sd": ("abc", None, {}, [1], [["x"]], [None]),
        "zz": ([{"...": 5}], [{"...": "x", "y": 1}], {"...": "x"}, {"_sd_alg": "sha-256"}, {"_sd": "x"}),
        "cnf": (None, "x", {}, {"kid": "1"}, {"jku": "https://x.example"}, {"jwk": [jwk]}, {"jwk": {**jwk, "d": "AA"}},
                {"jwk": {"kty": "oct", "k": "AA"}}, {"jwk": {**jwk, "y": jwk["x"]}}, {"jwk": jwk, "jwe": "x"},
                {"jwk": {**jwk, "crv": "P-384"}}, {"jwk": {**jwk, "use": "enc"}}, ABSENT),
        "status": (None, [], {}, {"status_list": None}, {"status_list": {"uri": place["uri"]}},
                   *({"status_list": {**place, "idx": one}} for one in ("3", -1, 1.5, True, 2**40)),
                   {"status_list": {**place, "uri": place["uri"] + "0"}}, {"other": {}}),
    }  # fmt: skip
    for name, values in claims.items():
        for value in values:
            yield f"a credential whose {name} is {str(value)[:30]}", good.signed(**{name: value})
