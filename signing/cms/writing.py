"""Write SignedData. What stays the same of a signer is encoded once; each signature fills the holes.

Between two signatures of one signer only the digest, further attributes (the time), the signature value and a
time-stamp differ: everything else, the certificates above all, is the same bytes (`der.Template`).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from signing import der
from signing.cms.reading import parse
from signing.cms.structure import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    OCSP_RESPONSE,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    TIMESTAMP_TOKEN,
    cms_digest,
    digest_identifier,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from signing.algorithms import Algorithm
    from signing.certificates import Certificate
    from signing.signer import Signer

REMEMBERED_SIGNERS = 64


def sign(  # noqa: PLR0913 - the parts of one structure, all by name
    signer: Signer,
    digest: bytes,
    *,
    content_type: str = DATA,
    content: bytes | None = None,
    attributes: Iterable[bytes] = (),
    stamp: Callable[[bytes], bytes] | None = None,
    with_chain: bool = True,
) -> bytes:
    """A ContentInfo with SignedData over content whose hash (see `cms_digest`) is `digest`.

    `content` is carried inside when given, else the signature is detached. `attributes` are further
    signed attributes in DER. `stamp` gets the signature value and returns a time-stamp token for it.
    `with_chain` carries the certificates along, roots left out.
    """
    form = _form(signer.certificate, signer.chain if with_chain else (), signer.algorithm, content_type)
    signed = _attributes(form, digest, attributes)
    signature = signer.sign(signed)
    return _filled(form, signed, signature, content, stamp(signature) if stamp else None)


def to_be_signed(
    chain: tuple[Certificate, ...], algorithm: Algorithm, digest: bytes, *, attributes: Iterable[bytes] = ()
) -> bytes:
    """What a key elsewhere has to sign for detached content of this digest: the signed attributes, in DER.

    `chain` is that of the key's certificate, leaf first; the rest as in `sign`, which does this in one go.
    """
    return _attributes(_form(chain[0], chain, algorithm, DATA), digest, attributes)


def put_together(
    chain: tuple[Certificate, ...],
    algorithm: Algorithm,
    signed: bytes,
    signature: bytes,
    *,
    token: bytes | None = None,
) -> bytes:
    """The ContentInfo of what `to_be_signed` gave and its signature value, with a time-stamp for that.

    Nothing is checked: `check_signature` does it.
    """
    return _filled(_form(chain[0], chain, algorithm, DATA), signed, signature, None, token)


def _attributes(form: _Form, digest: bytes, attributes: Iterable[bytes]) -> bytes:
    """The SET OF signed attributes."""
    further = tuple(attributes)
    if further:
        message_digest = attribute(MESSAGE_DIGEST, der.octet_string(digest))
        return der.set_of(*form.attributes, message_digest, *further)
    before, after = _around_digest(form.attributes, len(digest))
    return before + digest + after


def _filled(
    form: _Form, signed: bytes, signature: bytes, content: bytes | None, token: bytes | None
) -> bytes:
    return form.structure.fill(
        {
            "content": der.explicit(0, der.octet_string(content)) if content is not None else b"",
            "attributes": b"\xa0" + signed[1:],
            "signature": der.octet_string(signature),
            "unsigned": der.tlv(0xA1, attribute(TIMESTAMP_TOKEN, token)) if token is not None else b"",
        }
    )


def with_evidence(
    data: bytes, *, certificates: Iterable[bytes], crls: Iterable[bytes], ocsp: Iterable[bytes]
) -> bytes:
    """The same signature with more to judge it by: certificates, lists and OCSP answers, all in DER.

    They stand outside of what is signed (RFC 5652, 5.1; RFC 5940), so the signature stays good. What was
    there stays. `MalformedInput` for what `parse` would not read, `TooLarge` where it would be more than
    `parse` takes: nothing is written that cannot be read again.
    """
    parse(data)
    kind, wrapped = der.children(der.read_exactly(data, der.SEQUENCE))
    fields = list(der.children(der.read_exactly(wrapped.content, der.SEQUENCE)))
    version, digests, encapsulated, *optional, infos = fields
    there = {
        tag: [one.encoded for group in optional if group.tag == tag for one in der.children(group)]
        for tag in (0xA0, 0xA1)
    }
    known = [*there[0xA0], *certificates]
    answers = [der.tlv(0xA1, der.oid(OCSP_RESPONSE), answer) for answer in ocsp]
    evidence = [*there[0xA1], *crls, *answers]
    # RFC 5652, 5.1: version 5 where revocation information of another form than a list is carried.
    others = any(one[:1] == b"\xa1" for one in evidence)
    inner = der.sequence(
        der.integer(5) if others else version.encoded,
        digests.encoded,
        encapsulated.encoded,
        *([der.tlv(0xA0, *sorted(set(known)))] if known else []),
        *([der.tlv(0xA1, *sorted(set(evidence)))] if evidence else []),
        infos.encoded,
    )
    made = der.sequence(kind.encoded, der.explicit(0, inner))
    parse(made)
    return made


def with_unsigned(data: bytes, attribute: bytes) -> bytes:
    """The same signature with one more unsigned attribute (`attribute`); `data` is what `parse` reads."""
    kind, wrapped = der.children(der.read_exactly(data, der.SEQUENCE))
    *head, infos = der.children(der.read_exactly(wrapped.content, der.SEQUENCE))
    (info,) = der.children(infos)
    fields = list(der.children(info))
    there = fields.pop() if fields[-1].tag == 0xA1 else None
    attributes = [one.encoded for one in der.children(there)] if there else []
    unsigned = der.tlv(0xA1, *sorted([*attributes, attribute]))
    signer = der.sequence(*(field.encoded for field in fields), unsigned)
    inner = der.sequence(*(field.encoded for field in head), der.set_of(signer))
    return der.sequence(kind.encoded, der.explicit(0, inner))


def size_bound(signer: Signer) -> int:
    """An upper bound of the size of a detached `sign` without a time-stamp."""
    return chain_bound((signer.certificate, *signer.chain[1:]))


def chain_bound(chain: tuple[Certificate, ...]) -> int:
    """The same for a key elsewhere, whose certificate comes first in its chain."""
    key = chain[0].public_key
    signature = key.native.key_size // 8 if key.kind == "RSA" else 112
    return sum(len(item.der) for item in chain) + len(chain[0].issuer_der) + signature + 384


def attribute(dotted: str, *values: bytes) -> bytes:
    """An Attribute in DER."""
    return der.sequence(der.oid(dotted), der.set_of(*values))


class _Form(NamedTuple):
    """What one signer's structures have in common: signed attributes, and what stands around the holes."""

    attributes: tuple[bytes, ...]
    structure: der.Template


@lru_cache(maxsize=REMEMBERED_SIGNERS)
def _form(
    certificate: Certificate, chain: tuple[Certificate, ...], algorithm: Algorithm, content_type: str
) -> _Form:
    name = cms_digest(algorithm)
    info = der.Template(
        der.SEQUENCE,
        der.integer(1),
        der.sequence(certificate.issuer_der, der.integer(certificate.serial)),
        digest_identifier(name),
        der.Hole("attributes"),
        algorithm.identifier,
        der.Hole("signature"),
        der.Hole("unsigned"),
    )
    sent = [item.der for item in chain if item == certificate or not item.is_self_issued]
    data = der.Template(
        der.SEQUENCE,
        # RFC 5652, 5.1: version 3 when the content is not id-data.
        der.integer(1 if content_type == DATA else 3),
        der.set_of(digest_identifier(name)),
        der.Template(der.SEQUENCE, der.oid(content_type), der.Hole("content")),
        der.tlv(0xA0, *sorted(sent)) if chain else b"",
        der.Template(der.SET, info),
    )
    structure = der.Template(der.SEQUENCE, der.oid(SIGNED_DATA), der.Template(0xA0, data))
    fixed = (
        attribute(CONTENT_TYPE, der.oid(content_type)),
        attribute(SIGNING_CERTIFICATE_V2, _certificate_reference(certificate)),
    )
    return _Form(fixed, structure)


@lru_cache(maxsize=REMEMBERED_SIGNERS)
def _around_digest(fixed: tuple[bytes, ...], size: int) -> tuple[bytes, bytes]:
    """The set of these attributes and a digest of so many octets, before and behind those.

    The order of DER is settled before the digest's own octets are reached: the identifiers differ.
    """
    digest = attribute(MESSAGE_DIGEST, der.octet_string(bytes(size)))
    whole = der.set_of(*fixed, digest)
    place = whole.index(digest) + len(digest)
    return whole[: place - size], whole[place:]


def _certificate_reference(certificate: Certificate) -> bytes:
    # RFC 5035, 4: SHA-256 is the default and is left out.
    return der.sequence(
        der.sequence(der.sequence(der.octet_string(hashlib.sha256(certificate.der).digest())))
    )
