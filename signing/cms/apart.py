"""Several signatures in one SignedData (RFC 5652), taken apart: a structure for each, as if it stood alone.

What is common (certificates, evidence, the content) stands in each of them, and nothing that anybody signed
is changed: each is read and judged by the rules for one signer, and by no others.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from signing import der
from signing.cms.reading import MAX_CMS_BYTES, fields_of, parse
from signing.cms.structure import SIGNED_DATA
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.certificates import Certificate
    from signing.cms.structure import SignedData

MAX_SIGNERS = 8
MAX_COUNTERSIGNATURES = 8
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"


def apart(data: bytes) -> tuple[bytes, ...]:
    """A structure for each signer, in the order of the file, which says nothing; itself for one or none.

    `MalformedInput` for what is no SignedData in DER or has a signer twice, `TooLarge` above `MAX_CMS_BYTES`
    or `MAX_SIGNERS`. What is wrong with one signer is left to `parse`.
    """
    common, infos = _read(data)
    signers = [one.encoded for one in der.elements(infos)] if infos.tag == der.SET else []
    if len(signers) > MAX_SIGNERS:
        raise TooLarge("cms", f"{len(signers)} signers; {MAX_SIGNERS} are read at most")
    if len(signers) < 2:
        return (data,)
    if len(set(signers)) < len(signers):
        raise MalformedInput("cms", "a signer is repeated")
    return tuple([_alone(common, one) for one in signers])


def countersignatures(data: bytes, signed: SignedData) -> tuple[bytes, ...]:
    """A structure for each signature over the value of this one (RFC 5652, 11.4), the first of them.

    `signed` is what `parse` read in `data`. Their content is the signature value, and is not carried.
    """
    found = signed.unsigned.get(COUNTERSIGNATURE, ())[:MAX_COUNTERSIGNATURES]
    if not found:
        return ()
    common, _infos = _read(data)
    return tuple([_alone(common, one) for one in found])


def chains(data: bytes) -> list[tuple[Certificate, ...]]:
    """The certificates that each signer brings, from the signer's upwards as far as names chain.

    For explaining a file; nothing is verified here. Signers that do not parse are left out.
    """
    found = []
    for one in apart(data):
        with suppress(MalformedInput):
            signed = parse(one)
            if signed.signer:
                found.append(_upwards(signed.signer, signed.others))
    return found


def _upwards(leaf: Certificate, others: Iterable[Certificate]) -> tuple[Certificate, ...]:
    chain, left = [leaf], list(others)
    while above := next((one for one in left if one.subject_der == chain[-1].issuer_der), None):
        left.remove(above)
        chain.append(above)
    return tuple(chain)


def _read(data: bytes) -> tuple[list[der.Element], der.Element]:
    """The common fields, and the set of signers."""
    if len(data) > MAX_CMS_BYTES:
        raise TooLarge("cms", f"over {MAX_CMS_BYTES} bytes")
    try:
        *common, infos = fields_of(der.read_exactly(data, der.SEQUENCE))
    except (ValueError, IndexError) as exc:
        raise MalformedInput("cms", "fields are missing or wrong") from exc
    return common, infos


def _alone(common: Iterable[der.Element], signer: bytes) -> bytes:
    fields = (one.encoded for one in common)
    inner = der.sequence(*fields, der.tlv(der.SET, signer))
    return der.sequence(der.oid(SIGNED_DATA), der.explicit(0, inner))
