"""The structures of ISO/IEC 18013-5, read strictly: issuer's items, security object, device's response.

Reading says what the bytes hold; whether digests, signatures and times are good is decided by
`credentials.mdoc.verifying`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.mdoc.items import Item, usual_item
from credentials.mdoc.limits import (
    ENCODED_CBOR,
    EPOCH,
    FULL_DATE,
    LARGE,
    LARGE_NEGATIVE,
    MAX_BYTES,
    MAX_DEPTH,
    MIN_RANDOM_BYTES,
    TAGS,
    TDATE,
)
from signing.base64url import encode_base64url
from signing.cbor import Tag, decode, embedded, encode
from signing.cose import X5CHAIN, Sign1
from signing.cose.keys import key_from_cose
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.keys import PublicKey

DIGESTS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}  # 9.1.2.5 → hashlib
VERSION = "1.0"
_WRITTEN = {  # RFC 3339, 5.6
    TDATE: re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
    ),
    FULL_DATE: re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
_KINDS: dict[int, set[type]] = {
    ENCODED_CBOR: {bytes},
    EPOCH: {int, float},
    LARGE: {bytes},
    LARGE_NEGATIVE: {bytes},
}
_digest_id, _identifier = attrgetter("digest_id"), attrgetter("identifier")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class SecurityObject(NamedTuple):
    """The mobile security object (9.1.2.4): digests of all elements, the device's key, times."""

    doc_type: str
    digest_algorithm: str
    digests: Mapping[str, Mapping[int, bytes]]
    device_key: PublicKey
    authorised_namespaces: frozenset[str]
    authorised_elements: frozenset[tuple[str, str]]
    signed_at: datetime
    valid_from: datetime
    valid_until: datetime
    status: Any


class IssuerSigned(NamedTuple):
    """What the issuer signed, with the elements that are shown."""

    namespaces: Mapping[str, tuple[Item, ...]]
    authentication: Sign1

    def security_object(self) -> SecurityObject:
        """The mobile security object of the payload; `MalformedInput` for anything else."""
        payload = self.authentication.payload
        if payload is None:
            raise MalformedInput("mdoc", "9.1.2.4: the security object is not inside")
        return read_security_object(decode(payload, tags=TAGS, max_depth=MAX_DEPTH))


class DeviceSigned(NamedTuple):
    """What the device adds: its own elements, as they are signed too, and a signature or a code."""

    encoded_namespaces: bytes
    namespaces: Mapping[str, Mapping[str, Any]]
    signature: Sign1 | None
    mac: Any


class Document(NamedTuple):
    """One document of a DeviceResponse (8.3.2.1.2.2)."""

    doc_type: str
    issuer_signed: IssuerSigned
    device_signed: DeviceSigned | None


def read_response(data: bytes) -> tuple[Document, ...]:
    """The documents of a DeviceResponse; `MalformedInput` or `TooLarge` for anything else.

    A status other than 0 says that the device gave up (8.3.2.1.2.3).
    """
    _check_size(data)
    value = _closed(
        decode(data, tags=TAGS, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH),
        "the response",
        required=("version", "status"),
        optional=("documents", "documentErrors"),
    )
    _check_version(value["version"])
    if value["status"] != 0 or type(value["status"]) is not int:
        raise MalformedInput("mdoc", "the device reports an error")
    documents, errors = value.get("documents", []), value.get("documentErrors", [{"-": 0}])
    if not isinstance(documents, list):
        raise MalformedInput("mdoc", "documents are no array")
    if not isinstance(errors, list) or not errors or not all(map(_are_codes, errors)):
        raise MalformedInput("mdoc", "8.3.2.1.2.3: documentErrors are of another form")
    return tuple(_document(one) for one in documents)


def read_issuer_signed(data: bytes) -> IssuerSigned:
    """An IssuerSigned by itself, as an issuer delivers it (OpenID4VCI, A.2.4)."""
    _check_size(data)
    return _issuer_signed(decode(data, tags=TAGS, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH))


def _check_size(data: object) -> None:
    if not isinstance(data, bytes):
        raise MalformedInput("mdoc", "no bytes")
    if len(data) > MAX_BYTES:
        raise TooLarge("mdoc", f"over {MAX_BYTES} bytes")


def read_security_object(value: Any) -> SecurityObject:
    """The mobile security object, from its payload."""
    found = _map(
        _embedded(value)[0],
        "the security object",
        "version",
        "digestAlgorithm",
        "valueDigests",
        "deviceKeyInfo",
        "docType",
        "validityInfo",
    )
    _check_version(found["version"])
    if not isinstance(found["digestAlgorithm"], str) or found["digestAlgorithm"] not in DIGESTS:
        raise MalformedInput("digest algorithm", "9.1.2.5: not SHA-256, SHA-384 or SHA-512")
    key_info = _map(found["deviceKeyInfo"], "deviceKeyInfo", "deviceKey")
    _map(key_info.get("keyInfo", {}), "keyInfo")
    namespaces, elements = _authorised(key_info.get("keyAuthorizations", {}))
    times = _map(found["validityInfo"], "validityInfo", "signed", "validFrom", "validUntil")
    if "expectedUpdate" in times:
        read_moment(times["expectedUpdate"])
    return SecurityObject(
        doc_type=_text(found["docType"]),
        digest_algorithm=DIGESTS[found["digestAlgorithm"]],
        digests=_digests(found["valueDigests"]),
        device_key=key_from_cose(key_info["deviceKey"]),
        authorised_namespaces=namespaces,
        authorised_elements=elements,
        signed_at=read_moment(times["signed"]),
        valid_from=read_moment(times["validFrom"]),
        valid_until=read_moment(times["validUntil"]),
        status=found["status"] or {} if "status" in found else None,  # a null is no status, and not none
    )


def embed(value: Any) -> Tag:
    """A value as encoded CBOR inside CBOR (tag 24)."""
    return Tag(ENCODED_CBOR, encode(value))


def moment(when: datetime) -> Tag:
    """A tdate: RFC 3339 in UTC without fractions (7.2.1)."""
    return Tag(TDATE, when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def read_moment(value: Any) -> datetime:
    """The time of a tdate."""
    match = _MOMENT.fullmatch(value.value) if _is_text_of(value, TDATE) else None
    if match is None:
        raise MalformedInput("mdoc", "7.2.1: a time is written as 2026-11-20T12:00:00Z")
    try:
        return datetime.fromisoformat(match[0])
    except ValueError as exc:
        raise MalformedInput("mdoc", "7.2.1: no such time") from exc


def to_cbor(value: Any) -> Any:
    """An element's value with dates as full-date and times as tdate; the rest stays."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return Tag(FULL_DATE, value.isoformat())
    if isinstance(value, dict):
        return {name: to_cbor(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_cbor(one) for one in value]
    return value


def to_plain(value: Any) -> Any:
    """An element's value without tags: dates and times as texts, as JSON would have them.

    Encoded CBOR stays the bytes that it is: who knows the element knows what is in it; and so does a number
    of more than 64 bits. What any other tag means is for who knows the element, too (RFC 8949, 6.1).
    """
    if type(value) is str:
        return value
    if isinstance(value, Tag):
        if not _is_what_its_tag_says(value):
            raise MalformedInput("disclosure", "RFC 8949, 3.4; RFC 8943: a value is not what its tag says")
        # RFC 8949, 6.1: what tells a large number below zero from the one above it.
        return (
            f"~{encode_base64url(value.value)}" if value.number == LARGE_NEGATIVE else to_plain(value.value)
        )
    if isinstance(value, dict):
        return {name: to_plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [to_plain(one) for one in value]
    return value


def _is_what_its_tag_says(value: Tag) -> bool:
    """A full-date is a day, a tdate a time with its zone, seconds a number, encoded CBOR bytes."""
    if value.number in _KINDS:
        return type(value.value) in _KINDS[value.number]
    if value.number not in _WRITTEN:
        return True
    if not isinstance(value.value, str) or not _WRITTEN[value.number].fullmatch(value.value):
        return False
    try:
        datetime.fromisoformat(value.value.upper())
    except ValueError:
        return False
    return True


def _document(value: Any) -> Document:
    found = _closed(
        value, "a document", required=("docType", "issuerSigned"), optional=("deviceSigned", "errors")
    )
    errors = found.get("errors", {"-": {"-": 0}})
    if not isinstance(errors, dict) or not errors or not all(map(_are_codes, errors.values())):
        raise MalformedInput("mdoc", "8.3.2.1.2.3: errors are of another form")
    device = found.get("deviceSigned")
    return Document(
        _text(found["docType"]),
        _issuer_signed(found["issuerSigned"]),
        None if device is None else _device_signed(device),
    )


def _issuer_signed(value: Any) -> IssuerSigned:
    found = _closed(value, "issuerSigned", required=("issuerAuth",), optional=("nameSpaces",))
    shown = found.get("nameSpaces", {})
    if not isinstance(shown, dict) or not all(isinstance(one, list) and one for one in shown.values()):
        raise MalformedInput("mdoc", "nameSpaces are no map of arrays")
    namespaces = {_text(name): _items(items) for name, items in shown.items()}
    authentication = Sign1.from_value(found["issuerAuth"])
    if X5CHAIN in authentication.protected:
        raise MalformedInput("mdoc", "9.1.2.4: x5chain stands in the unprotected header")
    return IssuerSigned(namespaces, authentication)


def _items(values: list[Any]) -> tuple[Item, ...]:
    items = tuple(map(read_item, values))
    if len(set(map(_digest_id, items))) != len(items):
        raise MalformedInput("disclosure", "9.1.2.5: a digest is used twice")
    if len(set(map(_identifier, items))) != len(items):
        raise MalformedInput("disclosure", "8.3.2.1.2.2: an element stands twice")
    return items


def read_item(value: Any, *, usual: bool = True) -> Item:
    """One item of the issuer's; `usual` tries the forms that most have first, and changes nothing else."""
    if usual and isinstance(value, Tag) and value.number == ENCODED_CBOR and isinstance(value.value, bytes):
        item = usual_item(value.value)
        if item is not None:
            return item
    content, encoded = _embedded(value)
    found = _map(content, "an item", "digestID", "random", "elementIdentifier", "elementValue")
    number, random = found["digestID"], found["random"]
    if type(number) is not int or not 0 <= number < 1 << 31:
        raise MalformedInput("disclosure", "9.1.2.5: digestID is no number below 2^31")
    if not isinstance(random, bytes) or len(random) < MIN_RANDOM_BYTES:
        raise MalformedInput("disclosure", f"9.1.2.5: random has not {MIN_RANDOM_BYTES} bytes")
    return Item(number, _text(found["elementIdentifier"]), found["elementValue"], encoded)


def _device_signed(value: Any) -> DeviceSigned:
    found = _closed(value, "deviceSigned", required=("nameSpaces", "deviceAuth"))
    namespaces, encoded = _embedded(found["nameSpaces"])
    if not isinstance(namespaces, dict):
        raise MalformedInput("mdoc", "the device's nameSpaces are no map")
    for name, elements in namespaces.items():
        _text(name)
        if not isinstance(elements, dict) or not elements or not all(map(_text, elements)):
            raise MalformedInput("mdoc", "the device's elements are no map, or an empty one")
    proof = found["deviceAuth"]
    if not isinstance(proof, dict) or not (
        proof.keys() == {"deviceSignature"} or proof.keys() == {"deviceMac"}
    ):
        raise MalformedInput("mdoc", "9.1.3.4: neither a signature nor a code alone")
    signature = Sign1.from_value(proof["deviceSignature"]) if "deviceSignature" in proof else None
    return DeviceSigned(encoded, namespaces, signature, proof.get("deviceMac"))


def _digests(value: Any) -> dict[str, dict[int, bytes]]:
    if not isinstance(value, dict) or not value:
        raise MalformedInput("mdoc", "9.1.2.4: valueDigests are no map, or an empty one")
    for name, digests in value.items():
        _text(name)
        if not isinstance(digests, dict) or not digests or not _are_digests(digests):
            raise MalformedInput("mdoc", "9.1.2.4: valueDigests are no map of digests")
    return value


def _are_digests(digests: dict[Any, Any]) -> bool:
    are_numbered = set(map(type, digests)) == {int} and min(digests) >= 0 and max(digests) < 1 << 31
    return are_numbered and set(map(type, digests.values())) == {bytes}


def _authorised(value: Any) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """What the device may sign itself (9.1.2.4, keyAuthorizations)."""
    found = _map(value, "keyAuthorizations")
    namespaces, elements = found.get("nameSpaces", []), found.get("dataElements", {})
    if not isinstance(namespaces, list) or not isinstance(elements, dict):
        raise MalformedInput("mdoc", "9.1.2.4: keyAuthorizations are of another form")
    if not all(isinstance(names, list) for names in elements.values()):
        raise MalformedInput("mdoc", "9.1.2.4: dataElements are no map of arrays")
    pairs = frozenset((_text(space), _text(name)) for space, names in elements.items() for name in names)
    if not elements.keys().isdisjoint(namespaces):
        raise MalformedInput("mdoc", "9.1.2.4: a namespace stands in both parts of keyAuthorizations")
    return frozenset(map(_text, namespaces)), pairs


def _embedded(value: Any) -> tuple[Any, bytes]:
    """What encoded CBOR holds, and its bytes with the tag: numbers are shortest, so they have one form."""
    if not isinstance(value, Tag) or value.number != ENCODED_CBOR or not isinstance(value.value, bytes):
        raise MalformedInput("mdoc", "encoded CBOR (tag 24) is expected")
    inside = decode(value.value, tags=TAGS, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
    return inside, embedded(value.value)


def _map(value: Any, what: str, *required: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise MalformedInput("mdoc", f"{what} is no map")
    for name in required:
        if name not in value:
            raise MalformedInput("mdoc", f"{what} has no {name}")
    return value


def _closed(
    value: Any, what: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[Any, Any]:
    """A map around what is signed, with no member beside those of 8.3.2.1.2.2.

    Nobody signs these maps: a member under another name would be one that went missing unseen.
    """
    found = _map(value, what, *required)
    if not found.keys() <= {*required, *optional}:
        raise MalformedInput("mdoc", f"{what} has a member that is not expected")
    return found


def _are_codes(value: Any) -> bool:
    """Names with a number each: how a device says what it did not return, and why."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and type(code) is int for name, code in value.items())
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise MalformedInput("mdoc", "a name is no text")
    return value


def _check_version(value: Any) -> None:
    if value != VERSION:
        raise MalformedInput("mdoc", "a version that is not known here")


def _is_text_of(value: Any, tag: int) -> bool:
    return isinstance(value, Tag) and value.number == tag and isinstance(value.value, str)
