"""The signed code printed on a licence: `https://host/q#<base64url CWT>`.

Any camera opens the page, and what stands behind the # never reaches a server. It is a CWT (RFC 8392) in a
COSE_Sign1 with the credential key: which licence, whose, and the few fields that the catalogue lists under
`printed_code`. Reading it needs no network; how the licence stands today is for its register to say, and a
report that did not ask says so.

Drawing the code is `credentials.face.qr_code`, verifying it `credentials.printed_code.verifier`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.printed_code.issuers import KID_BYTES, kid_of
from signing.base64url import decode_base64url, encode_base64url
from signing.cbor import Tag, decode, encode
from signing.cose import ALG, CWT_TAG, KID, SIGN1_TAG, Sign1, sign1
from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge, UsageError
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credentials.fields import Claim
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from signing.cose import Label
    from signing.signer import Signer

PATH = "/q"
MAX_CHARACTERS = 504  # what is made: all that a QR code of version 17 (85 modules), level M, holds
MAX_TEXT = 1000  # what is read
ISS, EXP, NBF, IAT = 1, 4, 5, 6  # RFC 8392, 4
LICENCE = -65537  # RFC 8392, 9.1: below -65536 is private use
TYPE, SERIAL, VERSION, FIELDS = 1, 2, 3, 4  # inside it
START, DIGEST = 1, 2  # inside an excerpt
DIGEST_BYTES = 12
MAX_FIELDS, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS = 16, 400, 50
_EXCERPTS = (12, 8, 5, 3, 0)  # characters that are left of a long value
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_END_OF_CALENDAR = 253_402_300_800
# Characters that are not seen, or that turn or hide others: controls, directions, joiners, tags, private use.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A long value in a code: how it begins, and the digest of all of it."""

    start: str
    digest: bytes

    @classmethod
    def of(cls, value: Claim, characters: int) -> Excerpt:
        """The excerpt of a value."""
        text = value if isinstance(value, str) else "；".join(value)
        return cls(text[:characters], digest_of(value))

    def fits(self, value: Claim) -> bool:
        """Whether this is an excerpt of that value."""
        return self.digest == digest_of(value)


Printed = str | list[str] | Excerpt


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """What a code says. Nothing in it is trustworthy before it was verified.

    `address` is what stands before the #, `agency` the issuer's credit code; times are seconds since 1970.
    """

    address: str
    agency: str
    identifier: LicenceIdentifier
    issued_at: int
    not_before: int | None
    expires_at: int | None
    fields: Mapping[str, Printed]
    kid: bytes
    message: Sign1


def code_address(url: str) -> str:
    """The page that codes lead to where the verification service stands at `url`."""
    return url.rstrip("/") + PATH


def code_addresses(*urls: str) -> frozenset[str]:
    """The same of several services, their own names and those that they had: what a verifier trusts."""
    return frozenset(map(code_address, urls))


def make(licence: Licence, kind: LicenceType, *, address: str, signer: Signer) -> str:
    """The code of a licence. `address` is the page that it leads to, without a #.

    A code over `MAX_CHARACTERS` gets shorter by excerpts of its longest fields; `UsageError` when that does
    not suffice, and for a signer without a certificate or a number in COSE.
    """
    protected: dict[Label, bytes] = {KID: kid_of(signer.certificate)}
    around = _bytes_around(signer)
    for values in _shorter_and_shorter(licence, kind):
        payload = encode(_claims(licence, kind, values))
        if len(address) + 1 + -(-(len(payload) + around) * 4 // 3) <= MAX_CHARACTERS:
            message = sign1(payload, signer, protected=protected)
            return f"{address}#{encode_base64url(encode_tag(CWT_TAG) + message)}"
    raise UsageError(f"the fields under printed_code of {kind.code} do not fit a code")


def printed_fields(kind: LicenceType) -> tuple[str, ...]:
    """The fields that a code of this type carries: the holder's name first, whatever the catalogue lists."""
    return tuple(dict.fromkeys((kind.holder_name, *kind.printed_code)))


def split(text: object) -> tuple[str, str]:
    """Address and content of a code's text; `MalformedInput` for what is no such text."""
    if not isinstance(text, str):
        raise MalformedInput("printed code", "not a text")
    if len(text) > MAX_TEXT:
        raise TooLarge("printed code", f"over {MAX_TEXT} characters")
    address, mark, content = text.partition("#")
    if not mark or not re.match(r"https?://[^/]", address, re.IGNORECASE):
        raise MalformedInput("printed code", "not the address of a licence")
    return address, content


def read(text: object) -> PrintedCode:
    """What a code says; `MalformedInput` unless it is in the one form that `make` writes."""
    address, content = split(text)
    value = decode(decode_base64url(content), tags=(CWT_TAG, SIGN1_TAG), deterministic=True)
    if not isinstance(value, Tag) or value.number != CWT_TAG or not isinstance(value.value, Tag):
        raise MalformedInput("printed code", "RFC 8392, 6: not a tagged CWT")
    if value.value.number != SIGN1_TAG:
        raise MalformedInput("printed code", "not a COSE_Sign1")
    message = Sign1.from_value(value.value.value)
    if message.protected.keys() != {ALG, KID} or message.unprotected:
        raise MalformedInput("printed code", "its headers are algorithm and kid")
    if type(message.protected[ALG]) is not int or len(message.kid or b"") != KID_BYTES:
        raise MalformedInput("printed code", "no algorithm, or a kid of another length")
    if message.payload is None:
        raise MalformedInput("printed code", "no content")
    if encode(dict(message.protected)) != message.protected_bytes:
        raise MalformedInput("printed code", "its headers are not in order")
    return _code(address, message, decode(message.payload, deterministic=True))


def digest_of(value: Claim) -> bytes:
    """The digest that an excerpt holds: SHA-256 of the value in CBOR, its first twelve bytes."""
    return hashlib.sha256(encode(value)).digest()[:DIGEST_BYTES]


def encode_tag(number: int) -> bytes:
    """A tag alone, to be set before what it tags."""
    return encode(Tag(number, None))[:-1]


def _bytes_around(signer: Signer) -> int:
    """How many bytes a code has beside its claims, which are 256 to 65535 themselves."""
    head = encode({ALG: next(iter(signer.algorithm.cose), 0), KID: bytes(KID_BYTES)})
    message = [head, {}, bytes(256), bytes(2 * (signer.algorithm.coordinate_bytes or 32))]
    return len(encode(Tag(CWT_TAG, Tag(SIGN1_TAG, message)))) - 256


def _shorter_and_shorter(licence: Licence, kind: LicenceType) -> Iterator[dict[str, Printed]]:
    """The fields in full, then with an excerpt of the longest, of the two longest, and so on."""
    whole = {name: licence.claims[name] for name in printed_fields(kind) if name in licence.claims}
    for name, value in whole.items():
        if UNSEEN.search(value if isinstance(value, str) else "".join(value)):
            why = Text(
                "含有二维码不能承载的不可见字符",
                "holds characters that are not seen, which no code may carry",
            )
            raise InvalidClaims(faults=[(name, why)])
    longest = sorted(whole, key=lambda name: len(encode(whole[name])), reverse=True)
    values: dict[str, Printed] = {**whole}
    yield values
    for characters in _EXCERPTS:
        for name in longest:
            short = Excerpt.of(whole[name], characters)
            if len(encode(_printed(short))) < len(encode(_printed(values[name]))):
                values[name] = short
                yield values


def _claims(licence: Licence, kind: LicenceType, values: Mapping[str, Printed]) -> dict[int, Any]:
    identifier, issued = LicenceIdentifier.parse(licence.identifier), int(licence.issued_at.timestamp())
    claims: dict[int, Any] = {
        ISS: licence.agency.credit_code,
        IAT: issued,
        LICENCE: {
            TYPE: identifier.type_code,
            SERIAL: identifier.serial,
            VERSION: int(identifier.version),
            FIELDS: {name: _printed(value) for name, value in values.items()},
        },
    }
    if identifier.issuer != licence.agency.credit_code or identifier.type_code != kind.number:
        raise UsageError("the identifier is not one of this agency and type")
    if (begins := int(licence.starts_at.timestamp())) > issued:
        claims[NBF] = begins
    if licence.ends_at:
        claims[EXP] = int(licence.ends_at.timestamp())
    return claims


def _printed(value: Printed) -> Any:
    return {START: value.start, DIGEST: value.digest} if isinstance(value, Excerpt) else value


def _code(address: str, message: Sign1, claims: Any) -> PrintedCode:
    if not isinstance(claims, dict) or not {ISS, IAT, LICENCE} <= claims.keys() <= _CLAIMS:
        raise MalformedInput("printed code", "not the claims of a code")
    if any(not _is_moment(claims[name]) for name in (IAT, NBF, EXP) if name in claims):
        raise MalformedInput("printed code", "a time is none")
    inner, agency = claims[LICENCE], claims[ISS]
    if not isinstance(inner, dict) or inner.keys() != {TYPE, SERIAL, VERSION, FIELDS}:
        raise MalformedInput("printed code", "the licence is not named")
    version = inner[VERSION]
    if type(version) is not int or not 1 <= version <= 999:
        raise MalformedInput("printed code", "a version is 1 to 999")
    identifier = LicenceIdentifier.make(inner[TYPE], agency, inner[SERIAL], f"{version:03}")
    return PrintedCode(
        address,
        agency,
        identifier,
        claims[IAT],
        claims.get(NBF),
        claims.get(EXP),
        _fields(inner[FIELDS]),
        message.kid or b"",
        message,
    )


_CLAIMS = {ISS, EXP, NBF, IAT, LICENCE}


def _is_moment(value: Any) -> bool:
    return type(value) is int and 0 <= value < _END_OF_CALENDAR


def _fields(value: Any) -> dict[str, Printed]:
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_FIELDS:
        raise MalformedInput("printed code", f"1 to {MAX_FIELDS} fields")
    if not all(isinstance(name, str) and _NAME.match(name) for name in value):
        raise MalformedInput("printed code", "a field's name is none")
    return {name: _field(one) for name, one in value.items()}


def _field(value: Any) -> Printed:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list) and 1 <= len(value) <= MAX_LIST_ITEMS:
        return [_text(item) for item in value]
    if isinstance(value, dict) and value.keys() == {START, DIGEST}:
        digest = value[DIGEST]
        if isinstance(digest, bytes) and len(digest) == DIGEST_BYTES:
            return Excerpt(_text(value[START], least=0), digest)
    raise MalformedInput("printed code", "a field is neither text, nor a list, nor an excerpt")


def _text(value: Any, *, least: int = 1) -> str:
    if not isinstance(value, str) or not least <= len(value) <= MAX_FIELD_CHARACTERS:
        raise MalformedInput("printed code", "a text is empty, too long or none")
    if UNSEEN.search(value):
        raise MalformedInput("printed code", "a text holds characters that are not seen, or that turn others")
    return value
