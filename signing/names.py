"""Names (X.501) in DER, compared as RFC 5280, 7.1 asks: by content, not by bytes.

Two names are the same when their attributes are, whatever string type, letter case or run of spaces
carries them. Nothing here decides trust: a signature must follow every match of names.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from signing import der
from yinxin.base.errors import MalformedInput, TooLarge

NameKey = tuple[frozenset[tuple[str, str]], ...]
# UTF8, Numeric, Printable, Teletex, IA5, Visible, Universal and BMP string
_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
MAX_PARTS = 64
MAX_NAME_BYTES = 4096


@lru_cache(maxsize=4096)
def name_key(encoded: bytes) -> NameKey:
    """What makes a Name (its DER) equal to another; `MalformedInput` unless it is a Name."""
    if len(encoded) > MAX_NAME_BYTES:
        raise TooLarge("name", f"over {MAX_NAME_BYTES} bytes")
    parts = tuple(der.children(der.read_exactly(encoded, der.SEQUENCE)))
    if len(parts) > MAX_PARTS:
        raise TooLarge("name", f"over {MAX_PARTS} parts")
    return tuple(_relative(part) for part in parts)


@lru_cache(maxsize=4096)
def _relative(part: der.Element) -> frozenset[tuple[str, str]]:
    if part.tag != der.SET or not part.content:
        raise MalformedInput("name", "a part is no set")
    return frozenset(_attribute(attribute) for attribute in der.children(part))


def _attribute(attribute: der.Element) -> tuple[str, str]:
    fields = tuple(der.children(attribute))
    if attribute.tag != der.SEQUENCE or len(fields) != 2:
        raise MalformedInput("name", "an attribute is no pair")
    return der.read_oid(fields[0]), _folded(fields[1])


def _folded(value: der.Element) -> str:
    encoding = _ENCODINGS.get(value.tag)
    try:
        text = value.content.decode(encoding) if encoding else None
    except ValueError:
        text = None
    if text is None:  # another type, or bytes that are not what they say: equal to its like only
        return f"#{value.encoded.hex()}"
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)  # which leaves ASCII as it is
    return " ".join(plain.casefold().split())


_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.25": "DC",
}


def name_text(encoded: bytes) -> str:
    """A Name for people, most particular part first, as RFC 4514 writes it (control characters escaped)."""
    parts = []
    for part in der.children(der.read_exactly(encoded, der.SEQUENCE)):
        pairs = [tuple(der.children(attribute)) for attribute in der.children(part)]
        parts.append("+".join(f"{_label(pair[0])}={_shown(pair[1])}" for pair in pairs))
    return ",".join(reversed(parts))


def _label(element: der.Element) -> str:
    dotted = der.read_oid(element)
    return _SHORT.get(dotted, dotted)


def _shown(value: der.Element) -> str:
    encoding = _ENCODINGS.get(value.tag, "latin-1")
    text = value.content.decode(encoding, "replace")
    return "".join(
        f"\\{char}" if char in ',+"\\<>;' else char if char.isprintable() else "\ufffd" for char in text
    )
