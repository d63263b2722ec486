"""Signatures of several people in one CMS structure, as a maker would write them."""

from __future__ import annotations

from signing import cms, der


def parts(signature: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The fields before the certificates, the certificates, and the signers."""
    _kind, wrapped = der.children(der.read_exactly(signature, der.SEQUENCE))
    version, digests, encapsulated, *optional, infos = der.children(
        der.read_exactly(wrapped.content, der.SEQUENCE)
    )
    certificates = [one.encoded for group in optional if group.tag == 0xA0 for one in der.children(group)]
    head = [version.encoded, digests.encoded, encapsulated.encoded]
    return head, certificates, [one.encoded for one in der.children(infos)]


def joined(*signatures: bytes) -> bytes:
    """What these people signed, in one structure."""
    read = [parts(one) for one in signatures]
    head = read[0][0]
    certificates = sorted({one for _, found, _ in read for one in found})
    signers = [one for _, _, found in read for one in found]
    data = der.sequence(*head, der.tlv(0xA0, *certificates), der.tlv(der.SET, *sorted(signers)))
    return der.sequence(der.oid(cms.SIGNED_DATA), der.explicit(0, data))
