"""Whether two XMP packets say the same, apart from what changes with every version of a file.

Programs write the same packet in many ways: properties as elements or as attributes, in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

if TYPE_CHECKING:
    from collections.abc import Iterator

Element: TypeAlias = Any  # of xml.etree, which defusedxml gives out without types

MAX_PACKET_BYTES, MAX_NODES, MAX_DEPTH = 1 << 20, 20_000, 32
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP, _MEDIA = "{http://ns.adobe.com/xap/1.0/}", "{http://ns.adobe.com/xap/1.0/mm/}"
# Dates, and what a version of a file is known by (XMP, part 1, 8.4; part 2, 2.3).
PASSING = frozenset(
    {
        f"{_XMP}ModifyDate",
        f"{_XMP}MetadataDate",
        f"{_MEDIA}InstanceID",
        "{http://ns.adobe.com/pdf/1.3/}Producer",
    }
)
# What says how a file was made, and that it is a PDF: nothing about its content.
TECHNICAL = PASSING | {f"{_XMP}CreateDate", f"{_XMP}CreatorTool", f"{_MEDIA}DocumentID"}
_FORMAT = "{http://purl.org/dc/elements/1.1/}format", "application/pdf"


def says_nothing_new(packet: bytes) -> bool:
    """Whether a packet, where there was none, says but how the file was made."""
    found = _properties(packet)
    return found is not None and all(
        isinstance(one, tuple) and len(one) == 3 and (one[1] in TECHNICAL or one[1:] == _FORMAT)
        for one in found
    )


def say_the_same(old: bytes, new: bytes) -> bool:
    """Whether both packets hold the same lasting properties; False where one of them cannot be read."""
    if old == new:
        return True
    before, after = _properties(old), _properties(new)
    return before is not None and before == after


def _properties(packet: bytes) -> list[object] | None:
    if len(packet) > MAX_PACKET_BYTES:
        return None
    try:
        # A packet needs no entities, which could be long or lead elsewhere.
        root = fromstring(packet.strip(b"\0\t\n\r "), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    described = root if root.tag == f"{_RDF}RDF" else root.find(f"{_RDF}RDF")
    if (
        described is None
        or (described is not root and len(root) > 1)
        or sum(1 for _ in root.iter()) > MAX_NODES
    ):
        return None
    try:
        found = [item for part in described for item in _described(part)]
    except ValueError:
        return None
    return sorted(found, key=repr)


def _described(part: Element) -> Iterator[object]:
    """The properties of one description, each with what it is about."""
    about = part.get(f"{_RDF}about", "")
    if part.tag != f"{_RDF}Description":
        yield about, _value(part, 0)
        return
    for name, text in part.attrib.items():
        if name not in PASSING and name != f"{_RDF}about":
            yield about, name, text.strip()
    for child in part:
        if child.tag not in PASSING:
            value = _value(child, 0)
            yield (about, child.tag, value[2]) if not value[1] and not value[3] else (about, *value)


def _value(element: Element, depth: int) -> tuple[object, ...]:
    """An element as it is said: name, attributes, text, parts in their order. `ValueError` when too deep."""
    if depth > MAX_DEPTH:
        raise ValueError
    parts = tuple((_value(child, depth + 1), (child.tail or "").strip()) for child in element)
    return element.tag, tuple(sorted(element.attrib.items())), (element.text or "").strip(), parts
