"""Issue an mdoc: items, their digests in one security object, one signature (ISO/IEC 18013-5, 9.1.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.mdoc.limits import MIN_RANDOM_BYTES
from credentials.mdoc.structures import VERSION, embed, moment, to_cbor
from signing.cbor import Encoded, embedded, encode
from signing.cose import X5CHAIN, sign1, x5chain
from signing.cose.keys import key_to_cose
from yinxin.base.errors import InvalidClaims, UsageError
from yinxin.base.randomness import SystemRandomness
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signing.keys import PublicKey
    from signing.signer import Signer
    from yinxin.base.randomness import Randomness

_DIGEST_NAME = "SHA-256"


@dataclass(frozen=True, slots=True)
class MdocValidity:
    """When it was signed, and from when to when it holds (9.1.2.4, validityInfo)."""

    signed_at: datetime
    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if not self.signed_at <= self.starts_at < self.ends_at:
            raise UsageError("an mdoc is signed, begins and ends in this order")


def issue_mdoc(  # noqa: PLR0913 - each is a decision of the issuer's
    doc_type: str,
    namespaces: Mapping[str, Mapping[str, Any]],
    *,
    signer: Signer,
    holder_key: PublicKey,
    valid: MdocValidity,
    status: tuple[str, int] | None = None,
    randomness: Randomness | None = None,
) -> bytes:
    """An IssuerSigned in CBOR with every element; the holder withholds what a request does not ask for.

    `namespaces` are elements by namespace; dates become full-date, times tdate. `status` is the address of
    a status list and the index in it. The chain travels in `x5chain` without its anchor. Raises
    `InvalidClaims` for a value that has no form in CBOR, `UsageError` for a signer without a certificate.
    """
    if not doc_type or not namespaces or not all(namespaces.values()):
        raise UsageError("an mdoc has a type and elements")
    source = randomness or SystemRandomness()
    items = {name: _items(elements, source) for name, elements in namespaces.items()}
    digests = {
        name: {number: hashlib.sha256(one).digest() for number, one in enumerate(encoded)}
        for name, encoded in items.items()
    }
    content: dict[str, Any] = {
        "version": VERSION,
        "digestAlgorithm": _DIGEST_NAME,
        "valueDigests": digests,
        "deviceKeyInfo": {"deviceKey": dict(key_to_cose(holder_key))},
        "docType": doc_type,
        "validityInfo": {
            "signed": moment(valid.signed_at),
            "validFrom": moment(valid.starts_at),
            "validUntil": moment(valid.ends_at),
        },
    }
    if status is not None:
        content["status"] = {"status_list": {"uri": status[0], "idx": status[1]}}
    sent = tuple(certificate for certificate in signer.chain if not certificate.is_self_issued)
    authentication = sign1(encode(embed(content)), signer, unprotected={X5CHAIN: x5chain(sent)}, tagged=False)
    return encode({"nameSpaces": items, "issuerAuth": Encoded(authentication)})


def _items(elements: Mapping[str, Any], randomness: Randomness) -> list[Encoded]:
    """The items, encoded, in a shuffled order: a digest's number says nothing of its element."""
    names = sorted(elements, key=lambda _: randomness.bytes(8))
    return [_item(number, name, elements[name], randomness) for number, name in enumerate(names)]


# An item's members in the order of their encoded names (RFC 8949, 4.2.1), written by hand: they are most of
# what an issuer encodes.
_FOUR, _RANDOM, _NUMBER = b"\xa4", encode("random"), encode("digestID")
_VALUE, _NAME = encode("elementValue"), encode("elementIdentifier")


def _item(number: int, name: str, value: Any, randomness: Randomness) -> Encoded:
    try:
        said = encode(to_cbor(value))
    except UsageError as exc:
        fault = Text("该值无法写入移动证照", "this value has no form in an mdoc")
        raise InvalidClaims(faults=[(name, fault)]) from exc
    random = encode(randomness.bytes(MIN_RANDOM_BYTES))
    parts = (_FOUR, _RANDOM, random, _NUMBER, encode(number), _VALUE, said, _NAME, encode(name))
    return embedded(b"".join(parts))
