# ruff: noqa: E501 - a case is a row of a table
"""SD-JWT VCs by somebody who has only read the specifications: nothing here calls our own makers.

`Showing` is a random good presentation with what a verifier must read from it; `world.outsider_hostile` breaks
one rule of it at a time. Claim trees, what is hidden, which disclosures are shown, hash, white space and escapes of the JSON are
drawn from a seeded source, so a case is the same each time.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from random import Random

HASHES = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
    "sha3-256": hashlib.sha3_256,
}
ABSENT: Any = object()
_NAMES = (
    "a",
    "name",
    "address",
    "姓名",
    "x y",
    "",
    "..",
    "....",
    "_SD",
    "__proto__",
    "@id",
    "😀",
    '"q"',
    "_sd_algo",
)
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**53, 10**40, 1.5, -2.25e-3, "", "text", '面包 "店"', "\0\x1f\x7f", "😀", "a" * 300,
)  # fmt: skip


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(text: str, name: str = "sha-256") -> str:
    return b64(HASHES[name](text.encode()).digest())


def disclosure(*parts: Any) -> str:
    return b64(json.dumps(parts).encode())


def raw_signature(key: ec.EllipticCurvePrivateKey, signed: str) -> bytes:
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jws(header: Any, payload: Any, key: ec.EllipticCurvePrivateKey) -> str:
    """A compact JWS with ES256, whatever the header says; bytes stand for themselves."""
    parts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in (header, payload)]
    signed = ".".join(map(b64, parts))
    return f"{signed}.{b64(raw_signature(key, signed))}"


def with_changes(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not ABSENT}


def odd_json(value: Any, source: Random) -> str:
    """JSON as RFC 8259 allows it and nobody writes it: white space anywhere, any character escaped."""

    def space() -> str:
        return "".join(source.choice(" \t\n\r") for _ in range(source.choice((0, 0, 1, 3))))

    if isinstance(value, str):
        return '"' + "".join(_odd_character(one, source) for one in value) + '"'
    if isinstance(value, list):
        return "[" + space() + (space() + "," + space()).join(odd_json(one, source) for one in value) + "]"
    if isinstance(value, dict):
        rows = [
            f"{odd_json(name, source)}{space()}:{space()}{odd_json(one, source)}"
            for name, one in value.items()
        ]
        return "{" + space() + (space() + ",").join(rows) + space() + "}"
    return json.dumps(value)


def _odd_character(one: str, source: Random) -> str:
    if one in '"\\':
        return "\\" + one
    if ord(one) < 32 or source.random() < 0.15:
        units = one.encode("utf-16-be")
        return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    return "\\/" if one == "/" and source.random() < 0.5 else one


def _value(source: Random, depth: int = 3) -> Any:
    kind = source.random()
    if depth and kind < 0.25:
        return {_name(source): _value(source, depth - 1) for _ in range(source.randrange(4))}
    if depth and kind < 0.45:
        return [_value(source, depth - 1) for _ in range(source.randrange(4))]
    return source.choice(_VALUES)


def _name(source: Random) -> str:
    return source.choice(_NAMES) + source.choice(("", "1", "2"))


@dataclass(eq=False)
class Hidden:
    """A disclosure, and those that stand inside what it discloses."""

    text: str
    inside: list[Hidden]


class Hider:
    """Hides parts of a tree (RFC 9901, 4.2), and knows what comes out when some of them are shown."""

    def __init__(self, source: Random, name: str, *, odd: bool) -> None:
        self.source, self.name, self.odd = source, name, odd
        self.hidden: list[Hidden] = []

    def hide(self, value: Any, share: float) -> tuple[Any, Any]:
        """The tree with digests in it, and a function from what is shown to what a verifier reads."""
        if isinstance(value, dict):
            return self._object(value, share)
        if isinstance(value, list):
            return self._array(value, share)
        return value, lambda _: value

    def _object(self, value: dict[str, Any], share: float) -> tuple[Any, Any]:
        made: dict[str, Any] = {}
        digests, parts = [], []
        for name, one in value.items():
            before = len(self.hidden)
            form, reveal = self.hide(one, share)
            hidden = None
            if self.source.random() < share:
                hidden = self._disclose([self._salt(), name, form], before)
                digests.append(digest(hidden.text, self.name))
            else:
                made[name] = form
            parts.append((name, hidden, reveal))
        if digests:
            digests += [self._decoy() for _ in range(self.source.randrange(3))]
            self.source.shuffle(digests)
            made["_sd"] = digests
        return made, lambda shown: {
            name: reveal(shown) for name, hidden, reveal in parts if hidden is None or hidden in shown
        }

    def _array(self, value: list[Any], share: float) -> tuple[Any, Any]:
        made: list[Any] = [{"...": self._decoy()}] if self.source.random() < 0.1 else []
        parts = []
        for one in value:
            before = len(self.hidden)
            form, reveal = self.hide(one, share)
            hidden = None
            if self.source.random() < share:
                hidden = self._disclose([self._salt(), form], before)
                form = {"...": digest(hidden.text, self.name)}
            made.append(form)
            parts.append((hidden, reveal))
        return made, lambda shown: [
            reveal(shown) for hidden, reveal in parts if hidden is None or hidden in shown
        ]

    def _disclose(self, parts: list[Any], before: int) -> Hidden:
        text = odd_json(parts, self.source) if self.odd else json.dumps(parts, ensure_ascii=False)
        made = Hidden(b64(text.encode()), self.hidden[before:])
        self.hidden.append(made)
        return made

    def _salt(self) -> str:
        return self.source.choice((b64(self.source.randbytes(16)), f"~ 盐 {self.source.random()}"))

    def _decoy(self) -> str:
        return b64(HASHES[self.name](self.source.randbytes(9)).digest())


@dataclass
class Parties:
    """Who takes part: keys, the agency's `x5c`, what the verifier asked for and when, and where a status is."""

    agency: ec.EllipticCurvePrivateKey
    holder: ec.EllipticCurvePrivateKey
    x5c: list[str]
    audience: str
    nonce: str
    seconds: int
    status: dict[str, Any]

    def jwk(self) -> dict[str, str]:
        """The holder's public key."""
        point = self.holder.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}


class Showing:
    """A good presentation: `text`, and the `claims` that a verifier must read from it."""

    def __init__(self, source: Random, parties: Parties) -> None:
        self.source, self.parties = source, parties
        self.name = source.choice(("sha-256", "sha-256", *HASHES))
        self.odd = source.random() < 0.6
        hider = Hider(source, self.name, odd=self.odd)
        body = {_name(source): _value(source) for _ in range(source.randrange(7))}
        hidden, reveal = hider.hide(body, source.choice((0, 0.3, 0.6, 1)))
        always = self._always()
        self.payload = self._shuffled({**always, **hidden, "_sd_alg": self.name})
        self.header = {"alg": "ES256", "typ": "dc+sd-jwt", "x5c": parties.x5c}
        self.shown: set[Hidden] = set()
        for one in reversed(hider.hidden):  # what stands inside comes before what it stands in
            around = [other for other in hider.hidden if one in other.inside]
            if all(other in self.shown for other in around) and source.random() < 0.7:
                self.shown.add(one)
        self.disclosures = [one.text for one in hider.hidden if one in self.shown]
        source.shuffle(self.disclosures)
        self.token = jws(self._written(self.header), self._written(self.payload), parties.agency)
        self.claims = {**always, **reveal(self.shown)}
        self.text = self.bound(self.joined())

    def _always(self) -> dict[str, Any]:
        now = self.parties.seconds
        may = {"iss": "https://agency.example", "exp": now + 86400, "iat": now - 60.5, "sub": "urn:x:1"}
        may |= {"status": self.parties.status, "aka_vcts": ["urn:other:1"], "nbf": now}
        kept = {name: value for name, value in may.items() if self.source.random() < 0.8}
        return {"vct": "urn:example:licence:1", "cnf": {"jwk": self.parties.jwk()}, **kept}

    def _shuffled(self, values: dict[str, Any]) -> dict[str, Any]:
        items = list(values.items())
        self.source.shuffle(items)
        return dict(items)

    def _written(self, value: Any) -> bytes:
        return odd_json(value, self.source).encode() if self.odd else json.dumps(value).encode()

    def joined(self, token: str | None = None, disclosures: list[str] | None = None) -> str:
        """The SD-JWT, up to and with the last tilde."""
        return "~".join(
            [token or self.token, *(self.disclosures if disclosures is None else disclosures), ""]
        )

    def bound(
        self, text: str, *, key: ec.EllipticCurvePrivateKey | None = None, header: Any = None, **changes: Any
    ) -> str:
        """The same with a key binding."""
        ours = self.parties
        claims = {
            "iat": ours.seconds,
            "aud": ours.audience,
            "nonce": ours.nonce,
            "sd_hash": digest(text, self.name),
        }
        head = with_changes({"alg": "ES256", "typ": "kb+jwt"}, header or {})
        return text + jws(head, with_changes(claims, changes), key or ours.holder)

    def signed(
        self, *, payload: Any = None, header: Any = None, disclosures: list[str] | None = None, **changes: Any
    ) -> str:
        """Another credential by the same agency, well bound; `changes` are of its claims."""
        body = copy.deepcopy(self.payload if payload is None else payload)
        if changes:
            body = with_changes(body, changes)
        head = header if isinstance(header, bytes) else with_changes(self.header, header or {})
        return self.bound(self.joined(jws(head, body, self.parties.agency), disclosures))

    def with_more(self, *texts: str) -> str:
        """With these disclosures at the top, as the agency would have put them."""
        digests = [*self.payload.get("_sd", []), *(digest(one, self.name) for one in texts)]
        return self.signed(disclosures=[*self.disclosures, *texts], _sd=digests)
