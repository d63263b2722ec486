"""Base64url without padding (RFC 7515, 2), strictly: one text for each value.

The standard library's decoder drops foreign characters and accepts padding and spare bits, so that
many texts decode to one value; signed tokens must not be malleable like that.
"""

from __future__ import annotations

import binascii

from yinxin.base.errors import MalformedInput

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# By how many characters are left over: how a text may end whose last character carries bits of no byte (they
# are zero), and the padding that is left out. One alone is no byte.
_ENDS = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
_PADDING = (b"", b"", b"==", b"=")
# Letters of the other alphabet alone become letters of none.
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_+/=", b"+/!!!")
_FOREIGN = "a character or the length is not allowed"
_encode, _decode = binascii.b2a_base64, binascii.a2b_base64


def encode_base64url(data: bytes) -> str:
    """The one text of these bytes."""
    return _encode(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def encode_base64url_bytes(data: bytes) -> bytes:
    """The same as bytes, for whoever hashes it."""
    return _encode(data, newline=False).translate(_TO_URL, b"=")


def decode_base64url(text: object) -> bytes:
    """The bytes of this text; `MalformedInput` for anything but their one encoding."""
    if not isinstance(text, str) or not text.isascii():
        raise MalformedInput("base64url", "a character is not allowed")
    return decode_base64url_bytes(text.encode("ascii"))


def decode_base64url_bytes(data: bytes) -> bytes:
    """The same for a text that is bytes already, as a part of a token is."""
    rest = len(data) & 3
    if rest and data[-1] not in _ENDS[rest]:
        is_foreign = rest == 1 or data.translate(None, _ALPHABET)
        raise MalformedInput("base64url", _FOREIGN if is_foreign else "has spare bits")
    try:
        return _decode(data.translate(_FROM_URL) + _PADDING[rest], strict_mode=True)
    except binascii.Error as exc:
        raise MalformedInput("base64url", _FOREIGN) from exc
