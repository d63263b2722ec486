"""Decode streams (ISO 32000-2, 7.4): the filters that structures and attachments use, within bounds."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import TYPE_CHECKING

from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from signing.pdf.parsing.values import Value

MAX_FILTERS = 4
_WHITE = b"\0\t\n\x0c\r "
_PNG_FIRST, _PNG_LAST = 10, 15


def decode(data: bytes, names: list[Value], parameters: list[Value], *, limit: int) -> bytes:
    """What the filters make of `data`; `TooLarge` over `limit` bytes, `MalformedInput` for others."""
    if len(names) > MAX_FILTERS:
        raise TooLarge("pdf", "a stream with too many filters")
    for index, name in enumerate(names):
        given = parameters[index] if index < len(parameters) else None
        data = _decoded(data, str(name), given if isinstance(given, dict) else {}, limit)
    if len(data) > limit:
        raise TooLarge("pdf", f"a stream over {limit} bytes")
    return data


def _decoded(data: bytes, name: str, parameters: dict[str, Value], limit: int) -> bytes:
    if name in {"FlateDecode", "Fl"}:
        return _unpredicted(_inflated(data, limit), parameters)
    if name in {"ASCIIHexDecode", "AHx"}:
        digits = data.split(b">", 1)[0].translate(None, _WHITE)
        try:
            return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
        except binascii.Error as exc:
            raise MalformedInput("pdf", "a stream that is not hexadecimal") from exc
    if name in {"ASCII85Decode", "A85"}:
        text = data.translate(None, _WHITE).removeprefix(b"<~")
        try:
            return base64.a85decode(re.split(rb"~>?", text, maxsplit=1)[0])
        except (ValueError, OverflowError) as exc:
            raise MalformedInput("pdf", "a stream that is not base 85") from exc
    raise MalformedInput("pdf", f"the filter {name[:40]} is not read here")


def _inflated(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        answer = inflater.decompress(data, limit + 1)
    except zlib.error as exc:
        raise MalformedInput("pdf", "a stream that does not unpack") from exc
    if len(answer) > limit:
        raise TooLarge("pdf", f"a stream over {limit} bytes")
    return answer


def _unpredicted(data: bytes, parameters: dict[str, Value]) -> bytes:
    predictor = parameters.get("Predictor", 1)
    if predictor == 1:
        return data
    columns, colors = parameters.get("Columns", 1), parameters.get("Colors", 1)
    bits = parameters.get("BitsPerComponent", 8)
    whole = all(type(item) is int and 0 < item <= 1 << 16 for item in (predictor, columns, colors, bits))
    if not whole or not _PNG_FIRST <= predictor <= _PNG_LAST or colors * bits > 256:
        raise MalformedInput("pdf", "a stream with a predictor that is not read here")
    step = max(1, colors * bits // 8)
    return _png_rows(data, (columns * colors * bits + 7) // 8, step)


def _png_rows(data: bytes, width: int, step: int) -> bytes:
    """Undo PNG's row filters."""
    answer, before = bytearray(), bytearray(width)
    for start in range(0, len(data), width + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + width])
        row += bytes(width - len(row))
        if kind == 2:
            row = bytearray((a + b) & 0xFF for a, b in zip(row, before, strict=True))
        elif kind in {1, 3, 4}:
            _undo(kind, row, before, step)
        elif kind:
            raise MalformedInput("pdf", "a row with an unknown filter")
        answer += row
        before = row
    return bytes(answer)


def _undo(kind: int, row: bytearray, above: bytearray, step: int) -> None:
    for index in range(len(row)):
        left = row[index - step] if index >= step else 0
        up, corner = above[index], above[index - step] if index >= step else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up) // 2
        else:
            p = left + up - corner
            far = abs(p - left), abs(p - up), abs(p - corner)
            guess = left if far[0] <= far[1] and far[0] <= far[2] else up if far[1] <= far[2] else corner
        row[index] = (row[index] + guess) & 0xFF
