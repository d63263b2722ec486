"""Signatures as JOSE and COSE write them: r and s side by side, each of a fixed length (RFC 7518, 3.4).

`Signer` and `PublicKey` speak the X.509 form (DER); this is the bridge. Other kinds of keys have one form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

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
    return encode_dss_signature(int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"))
