"""Codes that nobody should print: genuine ones taken apart, changed and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.printed_code.code import FIELDS, IAT, ISS, LICENCE, VERSION
from credentials.printed_code.issuers import kid_of
from signing import cbor
from signing.base64url import decode_base64url, encode_base64url
from signing.cose import CWT_TAG, KID, SIGN1_TAG, sign1
from signing.raw_signatures import to_raw
from world.printed import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.signers.file import FileSigner
    from world.printed import Paper


def content(text: str) -> cbor.Tag:
    """The CBOR in a code."""
    value: cbor.Tag = cbor.decode(decode_base64url(text.partition("#")[2]), tags=[CWT_TAG, SIGN1_TAG])
    return value


def claims_of(text: str) -> dict[int, Any]:
    """What a code claims."""
    claims: dict[int, Any] = cbor.decode(content(text).value.value[2])
    return claims


def printed(message: bytes, *, address: str = ADDRESS, tag: int = CWT_TAG) -> str:
    """A code around a COSE message that a test made."""
    return f"{address}#{encode_base64url(cbor.encode(cbor.Tag(tag, None))[:-1] + message)}"


class Forger:
    """Somebody with a genuine code, and now and then with the agency's key."""

    def __init__(self, paper: Paper) -> None:
        self.paper, self.code = paper, paper.code()

    def forged(self, change: Callable[[dict[int, Any]], object], *, signer: FileSigner | None = None) -> str:
        """The agency's key on changed claims: what only a compromised or a careless issuer could print."""
        claims = claims_of(self.code)
        change(claims)
        kid = kid_of(self.paper.signer.certificate)
        return printed(sign1(cbor.encode(claims), signer or self.paper.signer, protected={KID: kid}))

    def resigned(self, head: dict[int, Any]) -> str:
        """The agency's own signature under headers of the test's."""
        sent, payload = cbor.encode(head), content(self.code).value.value[2]
        signer = self.paper.signer
        raw = to_raw(signer.sign(cbor.encode(["Signature1", sent, b"", payload])), signer.algorithm)
        return printed(cbor.encode(cbor.Tag(SIGN1_TAG, [sent, {}, payload, raw])))


BAD_CLAIMS: dict[str, Callable[[dict[int, Any]], object]] = {
    "no agency": lambda claims: claims.pop(ISS),
    "no time": lambda claims: claims.pop(IAT),
    "no licence": lambda claims: claims.pop(LICENCE),
    "another claim": lambda claims: claims.update({2: "sub"}),
    "a text claim": lambda claims: claims.update({"x": 1}),  # type: ignore[dict-item]
    "a time with a fraction": lambda claims: claims.update({IAT: 1.5}),
    "a time before 1970": lambda claims: claims.update({IAT: -1}),
    "a time after the calendar": lambda claims: claims.update({4: 253_402_300_800}),
    "a time that is true": lambda claims: claims.update({5: True}),
    "an agency of another form": lambda claims: claims.update({ISS: "https://a.example"}),
    "an agency that is a number": lambda claims: claims.update({ISS: 7}),
    "version 0": lambda claims: claims[LICENCE].update({VERSION: 0}),
    "version 1000": lambda claims: claims[LICENCE].update({VERSION: 1000}),
    "version true": lambda claims: claims[LICENCE].update({VERSION: True}),
    "an unknown member": lambda claims: claims[LICENCE].update({9: 1}),
    "a type of another form": lambda claims: claims[LICENCE].update({1: "food"}),
    "a serial in lower case": lambda claims: claims[LICENCE].update({2: "abc"}),
    "no fields": lambda claims: claims[LICENCE].update({FIELDS: {}}),
    "fields in a list": lambda claims: claims[LICENCE].update({FIELDS: ["a"]}),
    "seventeen fields": lambda claims: claims[LICENCE].update({FIELDS: {f"f{n}": "x" for n in range(17)}}),
    "a name in capitals": lambda claims: claims[LICENCE].update({FIELDS: {"Name": "x"}}),
    "a name that is a number": lambda claims: claims[LICENCE].update({FIELDS: {1: "x"}}),
    "__proto__": lambda claims: claims[LICENCE].update({FIELDS: {"__proto__": "x"}}),
    "an empty text": lambda claims: claims[LICENCE].update({FIELDS: {"name": ""}}),
    "a long text": lambda claims: claims[LICENCE].update({FIELDS: {"name": "x" * 401}}),
    "a number": lambda claims: claims[LICENCE].update({FIELDS: {"name": 5}}),
    "null": lambda claims: claims[LICENCE].update({FIELDS: {"name": None}}),
    "bytes": lambda claims: claims[LICENCE].update({FIELDS: {"name": b"x"}}),
    "an empty list": lambda claims: claims[LICENCE].update({FIELDS: {"name": []}}),
    "a list in a list": lambda claims: claims[LICENCE].update({FIELDS: {"name": [["x"]]}}),
    "a list of 51": lambda claims: claims[LICENCE].update({FIELDS: {"name": ["x"] * 51}}),
    "an excerpt without digest": lambda claims: claims[LICENCE].update({FIELDS: {"name": {1: "x"}}}),
    "a short digest": lambda claims: claims[LICENCE].update({FIELDS: {"name": {1: "x", 2: bytes(11)}}}),
}


TRICKS = [
    "甲\u202e有限公司", "\u2066x\u2069", "a\u200fb", "a\u061cb", "a\u200bb", "a\u200db", "a\u00adb",
    "a\ufeffb", "a\nb", "a\tb", "a\x00b", "a\x1bb", "a\u2028b", "a\ue000b", "a\U000e0041b", "a\U0010ffffb",
    "a\ufff9b", "a\u3164b", "a\u115fb", "a\ufe0fb", "a\U000e0100b",
]  # fmt: skip


ADDRESSES = [
    "https://verify.jincheng.example.evil.example/q", "https://verify.jincheng.example@evil.example/q",
    "https://user:pass@verify.jincheng.example/q", "https://verify.jincheng.example:443/q",
    "https://verify.jincheng.example:8443/q", "http://verify.jincheng.example/q",
    "HTTPS://verify.jincheng.example/q", "https://VERIFY.jincheng.example/q", "https://verify.jincheng.example/q/",
    "https://verify.jincheng.example/q?next=https://evil.example", "https://verify.jincheng.example//q",
    "https://verify.jincheng.example/p/../q", "https://verify.jincheng.example/%71", "https://verify.jincheng.example",
    "https://verify.jincheng.example./q", "https://verify.jıncheng.example/q", "https://xn--verify.jincheng.example/q",
    "https://verify。jincheng.example/q", "https://verify.jincheng.example\\@evil.example/q",
    "https://verify.jincheng.example/q\t", "https://\u202eelpmaxe/q", "https://127.0.0.1/q", "https://[::1]/q",
]  # fmt: skip
NO_ADDRESSES = ["", "ftp://verify.jincheng.example/q", "javascript:alert(1)//", "//verify.jincheng.example/q",
                "verify.jincheng.example/q", " " + ADDRESS, "https:///q", "\n" + ADDRESS]  # fmt: skip
