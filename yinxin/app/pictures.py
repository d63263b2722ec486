"""Find QR codes in a picture that a user names. Opening pictures is optional: Pillow is imported here only."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import zxingcpp

from yinxin.base.errors import MalformedInput, TooLarge, UsageError
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

MAX_PICTURE_BYTES, MAX_PIXELS, MAX_CODES = 32 << 20, 64 << 20, 8


def read_codes(picture: Path) -> list[str]:
    """The texts of the QR codes in a PNG or JPEG file, at most eight.

    `UsageError` says what to install where Pillow is missing, `MalformedInput` what is no picture.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - an optional part
    except ImportError as exc:
        raise UsageError("reading a picture needs: pip install 'yinxin[pictures]'") from exc
    data = read_file(picture, limit=MAX_PICTURE_BYTES)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise TooLarge("picture", f"over {MAX_PIXELS} pixels")
            grey = opened.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise MalformedInput("picture", "neither PNG nor JPEG") from exc
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [code.text for code in found[:MAX_CODES]]
