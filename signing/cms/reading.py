"""Read SignedData strictly: one signer, bounded numbers of everything, certificates that parse."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from signing import ber, der
from signing.algorithms import ALGORITHMS, MAX_IDENTIFIER_BYTES, Algorithm, algorithm_by_identifier
from signing.certificates import Certificate
from signing.cms.structure import OCSP_RESPONSE, SIGNED_DATA, SignedData, cms_digest, read_digest
from signing.names import name_key
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_CMS_BYTES = 1 << 20
MAX_CERTIFICATES = 32
MAX_EVIDENCE = 64
MAX_ATTRIBUTES = 64
# Larger groups of certificates are parsed again each time, so that nobody fills our memory with them.
MAX_REMEMBERED_BYTES = 8192
_SHORT = 256  # bytes of a part that is remembered: what returns with every signature of one signer
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_CERTIFICATES, _REVOCATIONS = 0xA0, 0xA1  # RFC 5652, 5.1: [0] certificates, [1] crls


class SeveralSigners(MalformedInput):
    """A structure with several signers, where one is read: `apart` takes it apart."""

    code = "several_signers"
    title = Text("一份签名结构中有多个签名人", "Several signers in one structure")


def parse(data: bytes, *, padded: bool = False) -> SignedData:
    """Read a ContentInfo with SignedData and exactly one signer; `MalformedInput` otherwise.

    With more it is `SeveralSigners`: `apart` takes them apart, "who signed this" has one answer here.
    `padded` reads it as it stands in PDFs: zero octets may be behind it, and lengths left open (BER).
    """
    if len(data) > MAX_CMS_BYTES:
        raise TooLarge("cms", f"over {MAX_CMS_BYTES} bytes")
    try:
        return _parse(data, padded=padded)
    except MalformedInput:
        if not padded:
            raise
        encoded, end = ber.to_der(data)
        if encoded == data[:end]:
            raise
    return _parse(encoded + data[end:], padded=True)


def _parse(data: bytes, *, padded: bool) -> SignedData:
    outer, end = der.read(data)
    rest = data[end:]
    if outer.tag != der.SEQUENCE or (rest.strip(b"\0") if padded else rest):
        raise MalformedInput("cms", "not one ContentInfo")
    try:
        return _signed_data(outer)
    except (ValueError, IndexError) as exc:
        raise MalformedInput("cms", "fields are missing or wrong") from exc


def read_certificates(data: bytes) -> tuple[Certificate, ...]:
    """The certificates of a SignedData, also of one without any signer (a `.p7b` or `.p7c` file)."""
    if len(data) > MAX_CMS_BYTES:
        raise TooLarge("cms", f"over {MAX_CMS_BYTES} bytes")
    try:
        fields = fields_of(der.read_exactly(data, der.SEQUENCE))
        return next((_certificates(item) for item in fields[3:-1] if item.tag == _CERTIFICATES), ())
    except (ValueError, IndexError) as exc:
        raise MalformedInput("cms", "fields are missing or wrong") from exc


def fields_of(outer: der.Element) -> list[der.Element]:
    """The fields of SignedData: version, digest algorithms, content, [0] and [1] where present, signers."""
    kind, wrapped = der.elements(outer)
    if kind.encoded != _SIGNED_DATA or wrapped.tag != 0xA0:
        raise MalformedInput("cms", "not SignedData")
    fields = der.elements(der.read_exactly(wrapped.content, der.SEQUENCE))
    # RFC 5652, 5.1: each at most once, and in this order.
    if len(fields) < 4 or tuple([item.tag for item in fields[3:-1]]) not in _OPTIONAL:
        raise MalformedInput("cms", "fields are missing, repeated or out of order")
    return fields


_SIGNED_DATA = der.oid(SIGNED_DATA)
_OPTIONAL = frozenset({(), (_CERTIFICATES,), (_REVOCATIONS,), (_CERTIFICATES, _REVOCATIONS)})


def _signed_data(outer: der.Element) -> SignedData:
    _version, _digests, encapsulated, *optional, infos = fields_of(outer)
    content_type, content = _content(encapsulated)
    groups = {item.tag: item for item in optional}
    certificates = _certificates(groups[_CERTIFICATES]) if _CERTIFICATES in groups else ()
    crls, ocsp = _evidence(groups[_REVOCATIONS]) if _REVOCATIONS in groups else ((), ())
    signers = der.elements(infos) if infos.tag == der.SET else []
    if len(signers) != 1:
        kind = SeveralSigners if signers else MalformedInput
        raise kind("cms", f"{len(signers)} signers in one structure; one is read")
    _version, identifier, digest, signed, algorithm, signature, *unsigned = der.elements(signers[0])
    if len(algorithm.encoded) > MAX_IDENTIFIER_BYTES:
        raise TooLarge("cms", f"an algorithm identifier over {MAX_IDENTIFIER_BYTES} bytes")
    if signed.tag != 0xA0 or signature.tag != der.OCTET_STRING:
        raise MalformedInput("cms", "no signed attributes")
    if len(unsigned) > 1 or any(one.tag != 0xA1 for one in unsigned):
        raise MalformedInput("cms", "something stands behind the signature")
    attributes, digest_name = der.elements(signed), read_digest(digest)
    signer = _find(identifier, certificates)
    return SignedData(
        content_type=content_type,
        content=content,
        certificates=certificates,
        signer=signer,
        digest_algorithm=digest_name,
        algorithm=_row(algorithm.encoded, digest_name, _kind_of(signer)) if signer else None,
        algorithm_oid=_algorithm_oid(algorithm.content),
        attributes=_attributes(attributes),
        # RFC 5652, 5.4: the signature is over the attributes as an explicit SET OF, in the order of DER.
        signed_part=der.tlv(der.SET, *sorted([item.encoded for item in attributes])),
        signature=signature.content,
        unsigned=_attributes(der.children(unsigned[0]), repeated=True) if unsigned else {},
        crls=crls,
        ocsp=ocsp,
    )


def _content(encapsulated: der.Element) -> tuple[str, bytes | None]:
    """Its type, and the content where it is carried. A signature beside a file carries the type alone."""
    return (_remembered_content if len(encapsulated.content) <= _SHORT else _read_content)(
        encapsulated.content
    )


def _read_content(encoded: bytes) -> tuple[str, bytes | None]:
    kind, *inner = der.elements(der.Element(der.SEQUENCE, encoded, b""))
    if len(inner) > 1 or any(one.tag != 0xA0 for one in inner):
        raise MalformedInput("cms", "the content is not one value")
    return der.read_oid(kind), der.read_exactly(inner[0].content, der.OCTET_STRING).content if inner else None


_remembered_content = lru_cache(maxsize=256)(_read_content)


def _certificates(group: der.Element) -> tuple[Certificate, ...]:
    """The same few signers send the same certificates with everything that they sign."""
    return (_remembered if len(group.content) <= MAX_REMEMBERED_BYTES else _read_group)(group.content)


def _read_group(content: bytes) -> tuple[Certificate, ...]:
    # RFC 5652, 10.2.2: other choices than a certificate (attribute certificates …) are tagged; not used.
    items = der.children(der.Element(_CERTIFICATES, content, b""))
    found = [item.encoded for item in items if item.tag == der.SEQUENCE]
    if len(found) > MAX_CERTIFICATES:
        raise TooLarge("cms", f"more than {MAX_CERTIFICATES} certificates")
    return tuple(map(Certificate, dict.fromkeys(found)))


_remembered = lru_cache(maxsize=1024)(_read_group)


def _evidence(group: der.Element) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Lists, and OCSP answers (RFC 5940); other forms of revocation information are left aside."""
    found = der.elements(group)
    if len(found) > MAX_EVIDENCE:
        raise TooLarge("cms", f"more than {MAX_EVIDENCE} pieces of revocation information")
    crls = [item.encoded for item in found if item.tag == der.SEQUENCE]
    answers = []
    for item in found:
        parts = der.elements(item) if item.tag == 0xA1 else []
        if len(parts) == 2 and der.read_oid(parts[0]) == OCSP_RESPONSE:
            answers.append(parts[1].encoded)
    return tuple(dict.fromkeys(crls)), tuple(dict.fromkeys(answers))


def _attributes(items: Iterable[der.Element], *, repeated: bool = False) -> dict[str, tuple[bytes, ...]]:
    """Values by identifier. A signed attribute stands once (RFC 5652, 11); unsigned ones may be repeated."""
    answer: dict[str, tuple[bytes, ...]] = {}
    for item in items:
        dotted, found = (_remembered_attribute if len(item.encoded) <= _SHORT else _attribute)(item.encoded)
        if dotted in answer:
            if not repeated:
                raise MalformedInput("cms", "an attribute is repeated")
            found = (*answer[dotted], *found)
        answer[dotted] = found
        if len(answer) > MAX_ATTRIBUTES or len(found) > MAX_ATTRIBUTES:
            raise TooLarge("cms", f"more than {MAX_ATTRIBUTES} attributes")
    return answer


def _attribute(encoded: bytes) -> tuple[str, tuple[bytes, ...]]:
    """Its identifier in dots, and its values as they are encoded (RFC 5652, 5.3)."""
    name, values = der.elements(der.read_exactly(encoded, der.SEQUENCE))
    if values.tag != der.SET:
        raise MalformedInput("cms", "an attribute has no values")
    return der.read_oid(name), tuple([one.encoded for one in der.elements(values)])


# The type of the content and the reference to the certificate are the same in all that one signer signs.
_remembered_attribute = lru_cache(maxsize=1024)(_attribute)


def _find(identifier: der.Element, certificates: tuple[Certificate, ...]) -> Certificate | None:
    """The signer's certificate: the one of this identifier as it is encoded, or else as it is meant."""
    if identifier.tag == 0x80:  # [0] SubjectKeyIdentifier
        return next((item for item in certificates if item.subject_key_id == identifier.content), None)
    exact = next((item for item in certificates if _identifier_of(item) == identifier.encoded), None)
    return exact or _meant(identifier, certificates)


def _meant(identifier: der.Element, certificates: tuple[Certificate, ...]) -> Certificate | None:
    """The one certificate whose issuer has this name in another encoding (RFC 5280, 7.1), by its number."""
    try:
        issuer, serial = der.elements(identifier)
        wanted = name_key(issuer.encoded), der.read_integer(serial)
        found = [one for one in certificates if (name_key(one.issuer_der), one.serial) == wanted]
    except (MalformedInput, ValueError):
        return None
    return found[0] if len(found) == 1 else None


def _identifier_of(certificate: Certificate) -> bytes:
    """IssuerAndSerialNumber (RFC 5652, 10.2.4)."""
    is_small = len(certificate.der) <= MAX_REMEMBERED_BYTES
    return (_remembered_identifier if is_small else _identifier)(certificate)


def _identifier(certificate: Certificate) -> bytes:
    return der.sequence(certificate.issuer_der, der.integer(certificate.serial))


_remembered_identifier = lru_cache(maxsize=1024)(_identifier)


def _kind_of(signer: Certificate) -> str:
    try:
        return signer.public_key.kind
    except MalformedInput:  # a key that we do not take: no row fits it
        return ""


@lru_cache(maxsize=256)
def _algorithm_oid(content: bytes) -> str:
    name, *_ = der.children(der.Element(der.SEQUENCE, content, b""))
    return der.read_oid(name)


@lru_cache(maxsize=256)
def _row(algorithm: bytes, digest: str, key_kind: str) -> Algorithm | None:
    """The signer's algorithm, where it goes with the hash over the content."""
    if _algorithm_oid(der.read_exactly(algorithm, der.SEQUENCE).content) == _RSA_ENCRYPTION:
        # RFC 3370, 3.2: rsaEncryption leaves the hash to the digest algorithm.
        found = (row for row in ALGORITHMS if row.key_kind == "RSA" and not row.is_pss)
        return next((row for row in found if row.digest == digest), None)
    try:
        row = algorithm_by_identifier(algorithm, key_kind)
    except UnknownAlgorithm:
        return None
    return row if cms_digest(row) == digest else None
