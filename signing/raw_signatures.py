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
    r, s = raw[:size], raw[size:]
    # The content of a DER INTEGER (X.690, 8.3.2): no zeros ahead but the one that says it is positive.
    if not 0 < r[0] < 0x80:
        r = _shortest(r)
    if not 0 < s[0] < 0x80:
        s = _shortest(s)
    # SEQUENCE { INTEGER, INTEGER }; of 128 bytes at most, so that every length is one byte.
    return b"0%c\x02%c%b\x02%c%b" % (4 + len(r) + len(s), len(r), r, len(s), s)


def _shortest(number: bytes) -> bytes:
    short = number.lstrip(b"\0") or b"\0"
    return b"\0" + short if short[0] > 0x7F else short
