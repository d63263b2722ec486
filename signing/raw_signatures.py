"""Signatures as JOSE and COSE write them: r and s side by side, each of a fixed length (RFC 7518, 3.4).

`Signer` and `PublicKey` speak the X.509 form (DER); this is the bridge. Other kinds of keys have one form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

if TYPE_CHECKING:
    from signing.algorithms import Algorithm


def to_raw(signature: bytes, algorithm: Algorithm) -> bytes:
    """A signature of ours in the form of JOSE and COSE."""
    size = algorithm.coordinate_bytes
    if size is None:
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def from_raw(raw: bytes, algorithm: Algorithm) -> bytes | None:
    """A signature of theirs in the X.509 form; None when its length is not the algorithm's."""
    size = algorithm.coordinate_bytes
    if size is None:
        return raw
    if len(raw) != 2 * size:
        return None
    first, second = raw[0], raw[size]
    if first and second:  # all but one in 128
        head, middle = _HEADS[size, first > 0x7F, second > 0x7F]
        return head + raw[:size] + middle + raw[size:]
    r, s = _shortest(raw[:size]), _shortest(raw[size:])
    length = 4 + len(r) + len(s)
    # SEQUENCE { INTEGER, INTEGER }; of over 127 bytes on P-521 alone, and under 256 there.
    return b"0%b\x02%c%b\x02%c%b" % (_length(length), len(r), r, len(s), s)


def _shortest(number: bytes) -> bytes:
    """The content of a DER INTEGER (X.690, 8.3.2): no zeros ahead but the one that says it is positive."""
    short = number.lstrip(b"\0") or b"\0"
    return b"\0" + short if short[0] > 0x7F else short


def _length(length: int) -> bytes:
    return bytes((length,)) if length < 0x80 else bytes((0x81, length))


# What stands before r and between r and s, by their length and whether either needs a zero ahead.
_HEADS = {
    (size, first, second): (
        b"0%b\x02%c%b" % (_length(4 + 2 * size + first + second), size + first, bytes(first)),
        bytes((2, size + second)) + bytes(second),
    )
    for size in (32, 48, 66)
    for first in (False, True)
    for second in (False, True)
}
