"""What a signature states beyond who and when: a signed attribute of our own, read again by verification.

It holds the reason where a commitment forbids it elsewhere (EN 319 142-1, 6.3, table 1: the entry Reason
"shall not be used" beside a commitment), the earlier signatures that a counter-signature or witness
names, the order of a joint signing, what a copy is a copy of, and across how many pages a seal straddles.

    Statement ::= SEQUENCE {
      reason    [0] UTF8String                       OPTIONAL,
      names     [1] SEQUENCE SIZE (1..16) OF Digest  OPTIONAL,
      order     [2] SEQUENCE SIZE (2..16) OF UTF8String OPTIONAL,
      copy      [3] Copy                             OPTIONAL,
      straddles [4] INTEGER (2..MAX)                 OPTIONAL }
    Digest ::= SEQUENCE { algorithm AlgorithmIdentifier, value OCTET STRING }
    Copy ::= SEQUENCE { original Digest, embedded BOOLEAN, maker UTF8String,
                        made GeneralizedTime, purpose UTF8String }

A digest in `names` is over the octets of the earlier signature's value (SignerInfo.signature, RFC 5652, 5.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing import cms, der
from signing.pdf.profiles.commitment import ARC, read_text, utf8
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from datetime import datetime

STATEMENT = ARC + ".9"
MAX_NAMED, MAX_ORDER = 16, 16
MAX_TEXT_CHARACTERS, MAX_STATEMENT_BYTES = 1000, 16 * 1024
DIGEST = "sha256"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy, by its maker, at a time, for a purpose: of the file with this SHA-256 in hex.

    `embedded` says that the original lies inside of the copy.
    """

    original: str
    embedded: bool
    maker: str
    made: datetime
    purpose: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signature states. `names` are SHA-256 digests (hex) of the values of earlier signatures.

    `order` are the names of fields in the order in which they are signed; `straddles` is a number of pages.
    """

    reason: str | None = None
    names: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    copy: Copy | None = None
    straddles: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing; then it is not written."""
        return self == _NOTHING


_NOTHING = Statement()


def name_of(signature_value: bytes) -> str:
    """What `Statement.names` calls a signature."""
    return cms.hash_with(DIGEST, signature_value).hex()


def statement_attribute(statement: Statement) -> bytes:
    """The attribute in DER; `UsageError` for what is too long, too much or too little."""
    parts = []
    if statement.reason is not None:
        parts.append(der.explicit(0, _text(statement.reason)))
    if statement.names:
        parts.append(der.explicit(1, der.sequence(*map(_digest, statement.names))))
    if statement.order:
        parts.append(der.explicit(2, der.sequence(*map(_text, statement.order))))
    if statement.copy is not None:
        parts.append(der.explicit(3, _copy(statement.copy)))
    if statement.straddles is not None:
        parts.append(der.explicit(4, der.integer(statement.straddles)))
    made = cms.attribute(STATEMENT, der.sequence(*parts))
    try:
        _read(der.sequence(*parts))
    except MalformedInput as exc:
        raise UsageError(f"this cannot be stated: {exc.detail}") from exc
    return made


def read_statement(signed: cms.SignedData) -> Statement:
    """What a signature states; an empty one where it states nothing. `MalformedInput` for any other form."""
    values = signed.attributes.get(STATEMENT, ())
    if not values:
        return _NOTHING
    if len(values) != 1:
        raise MalformedInput("statement", "there is not one value")
    return _read(values[0])


def _read(value: bytes) -> Statement:
    if len(value) > MAX_STATEMENT_BYTES:
        raise MalformedInput("statement", f"over {MAX_STATEMENT_BYTES} bytes")
    found: dict[int, der.Element] = {}
    for part in der.children(der.read_exactly(value, der.SEQUENCE)):
        number = part.tag - 0xA0
        if not 0 <= number <= 4 or (found and number <= max(found)):
            raise MalformedInput("statement", "parts are unknown, repeated or out of order")
        found[number] = der.read_whole(part.content)
    return Statement(
        reason=_read_text(found[0]) if 0 in found else None,
        names=tuple(_read_digest(one) for one in _several(found.get(1), 1, MAX_NAMED)),
        order=_read_order(found.get(2)),
        copy=_read_copy(found[3]) if 3 in found else None,
        straddles=_read_count(found[4]) if 4 in found else None,
    )


def _several(element: der.Element | None, least: int, most: int) -> list[der.Element]:
    if element is None:
        return []
    items = der.elements(element)
    if element.tag != der.SEQUENCE or not least <= len(items) <= most:
        raise MalformedInput("statement", f"not a list of {least} to {most}")
    return items


def _read_order(element: der.Element | None) -> tuple[str, ...]:
    order = tuple(_read_text(one) for one in _several(element, 2, MAX_ORDER))
    if len(set(order)) != len(order):
        raise MalformedInput("statement", "a field stands in the order twice")
    return order


def _read_copy(element: der.Element) -> Copy:
    parts = der.elements(element)
    if element.tag != der.SEQUENCE or len(parts) != 5:
        raise MalformedInput("statement", "a copy has five parts")
    original, embedded, maker, made, purpose = parts
    if embedded.encoded not in {der.boolean(value=True), der.boolean(value=False)}:
        raise MalformedInput("statement", "not a boolean")
    if made.tag != der.GENERALIZED_TIME:
        raise MalformedInput("statement", "not a time")
    is_embedded = embedded.content == b"\xff"
    return Copy(
        _read_digest(original), is_embedded, _read_text(maker), der.read_time(made), _read_text(purpose)
    )


def _read_digest(element: der.Element) -> str:
    parts = der.elements(element) if element.tag == der.SEQUENCE else []
    if len(parts) != 2 or parts[1].tag != der.OCTET_STRING or len(parts[1].content) != 32:
        raise MalformedInput("statement", "not a digest")
    if cms.read_digest(parts[0]) != DIGEST:
        raise MalformedInput("statement", "a digest that is not SHA-256")
    return parts[1].content.hex()


def _read_count(element: der.Element) -> int:
    count = der.read_integer(element)
    if element.tag != der.INTEGER or not 2 <= count < 1 << 31:
        raise MalformedInput("statement", "not a number of pages")
    return count


def _read_text(element: der.Element) -> str:
    text = read_text(element, at_most=MAX_TEXT_CHARACTERS)
    if element.tag != der.UTF8_STRING or not text:
        raise MalformedInput("statement", "an empty text, or one of another type")
    return text


def _text(text: str) -> bytes:
    return utf8(text)


def _digest(value: str) -> bytes:
    return der.sequence(cms.digest_identifier(DIGEST), der.octet_string(bytes.fromhex(value)))


def _copy(copy: Copy) -> bytes:
    return der.sequence(
        _digest(copy.original),
        der.boolean(value=copy.embedded),
        _text(copy.maker),
        der.generalized_time(copy.made),
        _text(copy.purpose),
    )
