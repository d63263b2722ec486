"""ASN.1 as makers write it who do not know how long a thing will be: BER with open lengths."""

from __future__ import annotations

from signing import der


def opened(encoded: bytes) -> bytes:
    """The same value: lengths are left open down to certificates, octet strings are in two pieces.

    What is digested as it stands (certificates, and attributes that are signed) stays as it is.
    """
    return _opened(der.read_whole(encoded), 0)


def _opened(element: der.Element, depth: int) -> bytes:
    if depth >= 5 or not element.tag & 0x20:
        if element.tag == der.OCTET_STRING and len(element.content) > 1:
            half = len(element.content) // 2
            pieces = der.octet_string(element.content[:half]) + der.octet_string(element.content[half:])
            return b"\x24\x80" + pieces + b"\0\0"
        return element.encoded
    return (
        bytes((element.tag, 0x80))
        + b"".join(_opened(one, depth + 1) for one in der.children(element))
        + b"\0\0"
    )
