"""What a signer commits to, and in which role: signed attributes of CAdES (EN 319 122-1, 5.2.3 and 5.2.6).

    attributes = [commitment_attribute("approval"), roles_attribute(("法定代表人",))]

Both are what the signer says: nobody confirms a claimed role. Six types of commitment are those of RFC 5126,
5.11.1; three that no standard has are under our own arc, so that nobody else's type means them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing import cms, der
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMMITMENT_TYPE = "1.2.840.113549.1.9.16.2.16"
SIGNER_ATTRIBUTES, SIGNER_ATTRIBUTES_V2 = "1.2.840.113549.1.9.16.2.18", "0.4.0.19122.1.1"
# ITU-T X.520: a title is a function within an organisation, as text. Others write roles as text under
# id-at-role, whose own syntax (RFC 5755, 4.4.5) is another one; both are read.
TITLE, ROLE = "2.5.4.12", "2.5.4.72"
ARC = "2.25.122226302454643061161832467862686897435.10"  # ITU-T X.667, as `signing.usages` has it
_ETS = "1.2.840.113549.1.9.16.6"

COMMITMENTS = {
    "origin": _ETS + ".1",
    "receipt": _ETS + ".2",
    "delivery": _ETS + ".3",
    "sender": _ETS + ".4",
    "approval": _ETS + ".5",
    "creation": _ETS + ".6",
    "countersignature": ARC + ".1",
    "witness": ARC + ".2",
    "copy": ARC + ".3",
}
_NAMES = {dotted: name for name, dotted in COMMITMENTS.items()}

MAX_COMMITMENTS, MAX_ROLES, MAX_ROLE_CHARACTERS = 16, 8, 120
_TEXTS = {der.UTF8_STRING: "utf-8", der.PRINTABLE_STRING: "ascii", der.IA5_STRING: "ascii", 0x1E: "utf-16-be"}


def commitment_attribute(name: str) -> bytes:
    """The attribute for one type of commitment; `UsageError` for a name that is no row."""
    try:
        dotted = COMMITMENTS[name]
    except KeyError as exc:
        raise UsageError(f"a commitment is one of {', '.join(COMMITMENTS)}") from exc
    return cms.attribute(COMMITMENT_TYPE, der.sequence(der.oid(dotted)))


def roles_attribute(roles: Iterable[str]) -> bytes:
    """The attribute for roles that the signer claims; `UsageError` for too many, empty or long ones."""
    wanted = tuple(roles)
    if not 0 < len(wanted) <= MAX_ROLES or not all(0 < len(role) <= MAX_ROLE_CHARACTERS for role in wanted):
        raise UsageError(f"1 to {MAX_ROLES} roles of 1 to {MAX_ROLE_CHARACTERS} characters")
    claimed = [cms.attribute(TITLE, utf8(role)) for role in wanted]
    # EN 319 122-1, 5.2.6.1: SignerAttributeV2 ::= SEQUENCE { claimedAttributes [0] …, … }, explicit tags
    value = der.sequence(der.explicit(0, der.sequence(*claimed)))
    return cms.attribute(SIGNER_ATTRIBUTES_V2, value)


def read_commitments(signed: cms.SignedData) -> tuple[str, ...]:
    """The types that a signature commits to: our word for each, or its identifier in dots.

    `MalformedInput` for an attribute that cannot be read.
    """
    values = signed.attributes.get(COMMITMENT_TYPE, ())
    if len(values) > MAX_COMMITMENTS:
        raise MalformedInput("cms", "too many commitments")
    kinds = [der.read_oid(_first(der.read_exactly(value, der.SEQUENCE))) for value in values]
    return tuple(_NAMES.get(kind, kind) for kind in kinds)


def read_roles(signed: cms.SignedData) -> tuple[str, ...]:
    """The roles that the signer claims, as texts; other claims, and certified ones, are left aside.

    `MalformedInput` for an attribute that cannot be read.
    """
    found: list[str] = []
    for name in (SIGNER_ATTRIBUTES_V2, SIGNER_ATTRIBUTES):
        for value in signed.attributes.get(name, ()):
            found += _claimed(der.read_exactly(value, der.SEQUENCE))
    if len(found) > MAX_ROLES * 4:
        raise MalformedInput("cms", "too many roles")
    return tuple(found)


def utf8(text: str) -> bytes:
    """UTF8String; `UsageError` for what is not Unicode (half a surrogate pair)."""
    try:
        return der.tlv(der.UTF8_STRING, text.encode())
    except UnicodeEncodeError as exc:
        raise UsageError("a text that is not Unicode") from exc


def read_text(element: der.Element, *, at_most: int) -> str:
    """The characters of a string type; `MalformedInput` for other types, and for longer ones."""
    try:
        text = element.content.decode(_TEXTS[element.tag])
    except (KeyError, UnicodeDecodeError) as exc:
        raise MalformedInput("cms", "not a text") from exc
    if len(text) > at_most:
        raise MalformedInput("cms", "a text is too long")
    return text


def _claimed(attributes: der.Element) -> Iterator[str]:
    for group in der.children(attributes):
        if group.tag != 0xA0:
            continue
        for claim in der.children(der.read_exactly(group.content, der.SEQUENCE)):
            name, values = _pair(claim)
            if der.read_oid(name) in {TITLE, ROLE}:
                yield from (
                    read_text(one, at_most=10 * MAX_ROLE_CHARACTERS)
                    for one in der.children(values)
                    if one.tag in _TEXTS
                )


def _first(element: der.Element) -> der.Element:
    found = der.elements(element)
    if not found:
        raise MalformedInput("cms", "an attribute is empty")
    return found[0]


def _pair(element: der.Element) -> tuple[der.Element, der.Element]:
    found = der.elements(element)
    if len(found) != 2:
        raise MalformedInput("cms", "an attribute has not two parts")
    return found[0], found[1]
