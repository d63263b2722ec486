"""Values (`signing.pdf.parsing`) as they are written; strings in hex, so that no text looks like more."""

from __future__ import annotations

import math
import re
from binascii import hexlify
from decimal import Decimal
from typing import TYPE_CHECKING

from signing.pdf.parsing import Name, Ref
from signing.pdf.update.syntax import NotPlain

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.pdf.parsing import Value

MAX_DEPTH = 64
# ISO 32000-2, 7.3.5: regular characters other than the number sign stand for themselves.
_ESCAPED = re.compile(rb"[^!\"$&'*-.0-;=?-Z\\^-z|~]")


def written(value: Value, depth: int = 0) -> bytes:
    """The value in bytes; `NotPlain` for what is nested too deep or cannot be written."""
    kind = type(value)
    if kind in _SIMPLE:
        return _SIMPLE[kind](value)
    if depth == MAX_DEPTH or kind not in {dict, list}:
        raise NotPlain
    if kind is dict:
        return b"<<%b>>" % entries_of(value, depth)
    return b"[%b]" % b" ".join([written(item, depth + 1) for item in value])


def entries_of(entries: dict[str, Value], depth: int = 0) -> bytes:
    """The entries of a dictionary, one behind the other."""
    return b"\n".join([b"%b %b" % (_name(key), written(entries[key], depth + 1)) for key in entries])


def _name(name: str) -> bytes:
    return b"/" + _ESCAPED.sub(lambda found: b"#%02X" % found[0][0], name.encode("latin-1"))


def _real(number: float) -> bytes:
    if not math.isfinite(number):
        raise NotPlain
    digits = f"{Decimal(repr(number)):f}"
    return (digits if "." in digits else f"{digits}.0").encode()


_SIMPLE: dict[type, Callable[[Value], bytes]] = {
    type(None): lambda _: b"null",
    bool: lambda value: b"true" if value else b"false",
    int: lambda value: b"%d" % value,
    float: _real,
    bytes: lambda value: b"<%b>" % hexlify(value),
    Name: _name,
    Ref: lambda value: b"%d %d R" % value,
}
