"""Codes in pictures of pages: QR codes only, for ornaments look like other codes by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zxingcpp

if TYPE_CHECKING:
    from PIL import Image

_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def read_codes(picture: Image.Image | Any) -> list[Any]:
    """The QR codes in a picture, as zxing-cpp tells of them."""
    return list(zxingcpp.read_barcodes(picture, formats=_QR))
