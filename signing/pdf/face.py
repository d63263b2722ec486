"""A seal face: the picture that a seal shows on the page.

It is handed in as PNG; drawing it is the work of `credentials.face`. The picture goes into the PDF without
being decoded: PNG's row filters work on each channel alone, so colour and transparency are split by
slicing the filtered rows, and PDF reads the same filters (ISO 32000-2, 7.4.4.4).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from struct import unpack
from typing import TYPE_CHECKING

from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PNG_BYTES = 8 << 20
MAX_SIDE = 8192
MAX_PIXELS = 16 << 20
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # PNG colour type → channels (grey, RGB, and both with alpha)


@dataclass(frozen=True, slots=True)
class Channels:
    """Some channels of a picture: zlib data of PNG-filtered rows, 8 bits each."""

    data: bytes
    colors: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What a PDF image is made of; `alpha` is None for a picture without transparency."""

    width: int
    height: int
    color: Channels
    alpha: Channels | None


@dataclass(frozen=True)
class SealFace:
    """A PNG (8 bits, grey or RGB, with or without alpha) and the size it has on paper."""

    png: bytes
    width_mm: float
    height_mm: float

    def __post_init__(self) -> None:
        if not (1 <= self.width_mm <= 2000 and 1 <= self.height_mm <= 2000):
            raise UsageError("a seal face is between 1 mm and 2 m wide and high")

    @cached_property
    def picture(self) -> Picture:
        """The picture in PDF's terms; `MalformedInput` for a PNG of a kind that is not taken."""
        return read_png(self.png)


def read_png(data: bytes) -> Picture:
    """Split a PNG into colour and transparency; `MalformedInput` or `TooLarge` for what is not taken."""
    if len(data) > MAX_PNG_BYTES:
        raise TooLarge("png", f"over {MAX_PNG_BYTES} bytes")
    if not data.startswith(_SIGNATURE):
        raise MalformedInput("png", "not a PNG")
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise MalformedInput("png", "no header")
    width, height, depth, kind, compression, filtering, interlace = unpack(">IIBBBBB", chunks[0][1])
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise TooLarge("png", f"{width} x {height} pixels")
    has_key = any(name == b"tRNS" for name, _ in chunks)
    if depth != 8 or kind not in _CHANNELS or compression or filtering or interlace or has_key:
        raise MalformedInput("png", "save it with 8 bits, RGB or RGBA, not interlaced and without palette")
    rows = _inflate(b"".join(body for name, body in chunks if name == b"IDAT"), width, height, kind)
    return _split(rows, width, height, kind)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        check = data[place + 8 + size : place + 12 + size]
        if len(check) != 4 or zlib.crc32(name + body) != int.from_bytes(check, "big"):
            raise MalformedInput("png", "a chunk is damaged")
        yield name, body
        if name == b"IEND":
            return
        place += 12 + size
    raise MalformedInput("png", "ends too early")


def _inflate(packed: bytes, width: int, height: int, kind: int) -> bytes:
    size = height * (1 + width * _CHANNELS[kind])
    inflater = zlib.decompressobj()
    try:
        rows = inflater.decompress(packed, size + 1)
    except zlib.error as exc:
        raise MalformedInput("png", "the picture does not unpack") from exc
    if len(rows) != size or max(rows[:: size // height]) > 4:
        raise MalformedInput("png", "the picture does not have its stated size")
    return rows


def _split(rows: bytes, width: int, height: int, kind: int) -> Picture:
    channels = _CHANNELS[kind]
    if kind in {0, 2}:
        return Picture(width, height, Channels(zlib.compress(rows, 9), channels), None)
    colors, stride = channels - 1, 1 + width * channels
    color, alpha = bytearray(), bytearray()
    for start in range(0, len(rows), stride):
        row = rows[start + 1 : start + stride]
        part = bytearray(width * colors)
        for channel in range(colors):
            part[channel::colors] = row[channel::channels]
        color += rows[start : start + 1] + part
        alpha += rows[start : start + 1] + row[colors::channels]
    return Picture(
        width, height, Channels(zlib.compress(color, 9), colors), Channels(zlib.compress(alpha, 9), 1)
    )
