"""CMS SignedData (RFC 5652) with one signer: what PDF signatures and time-stamp tokens are made of.

Written and read as DER through `signing.der`. The checks here are the cryptographic ones: content type,
digest, certificate reference (RFC 5035), algorithm, signature value. Whether the certificate is trusted is
the work of `signing.path`, and when it was signed that of `signing.timestamp`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import TYPE_CHECKING

from signing import der
from signing.algorithms import ALGORITHMS, DIGEST_OIDS, Algorithm, algorithm_by_identifier
from signing.certificates import Certificate
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from signing.policy import Policy
    from signing.signer import Signer

DATA, SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
TIMESTAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an object identifier, no secret

OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"  # RFC 5940

MAX_CMS_BYTES = 1 << 20
MAX_CERTIFICATES = 32
MAX_EVIDENCE = 64
_DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    **DIGEST_OIDS,
    "sm3": "1.2.156.10197.1.401",
}
_DIGEST_NAMES = {dotted: name for name, dotted in _DIGESTS.items()}
STRONG_DIGESTS = frozenset(_DIGESTS) - {"sha1"}
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"


@dataclass(frozen=True, slots=True)
class SignedData:
    """A parsed SignedData. Nothing in it is trustworthy before `check_signature` found no fault.

    `attributes` and `unsigned` map an attribute's identifier to its values in DER; `signed_part` is what
    the signature is over; `algorithm` is None when no row of ours fits. `crls` and `ocsp` are lists and
    answers that came along, in DER; whether they are genuine is judged where they are used.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[Certificate, ...]
    signer: Certificate | None
    digest_algorithm: str
    algorithm: Algorithm | None
    algorithm_oid: str
    attributes: Mapping[str, tuple[bytes, ...]]
    signed_part: bytes
    signature: bytes
    unsigned: Mapping[str, tuple[bytes, ...]]
    crls: tuple[bytes, ...] = ()
    ocsp: tuple[bytes, ...] = ()

    @property
    def others(self) -> tuple[Certificate, ...]:
        """The certificates that came along, without the signer's."""
        return tuple(certificate for certificate in self.certificates if certificate != self.signer)


def digest_identifier(name: str) -> bytes:
    """The AlgorithmIdentifier of a hash, in DER; `UnknownAlgorithm` for one without a row."""
    try:
        return der.sequence(der.oid(_DIGESTS[name]))
    except KeyError as exc:
        raise UnknownAlgorithm(name) from exc


def read_digest(identifier: der.Element) -> str:
    """The hash's name in an AlgorithmIdentifier, or its dotted identifier when there is no row."""
    parts = list(der.children(identifier)) if identifier.tag == der.SEQUENCE else []
    if not parts:
        raise MalformedInput("cms", "no digest algorithm")
    dotted = der.read_oid(parts[0])
    return _DIGEST_NAMES.get(dotted, dotted)


def cms_digest(algorithm: Algorithm) -> str:
    """The hash over the content that goes with a signature algorithm (RFC 8419, 2.3 for Ed25519)."""
    return algorithm.digest or "sha512"


def hash_with(name: str, *parts: bytes | memoryview) -> bytes:
    """The hash of the concatenated parts; `UnknownAlgorithm` for a hash that this machine lacks."""
    try:
        state = hashlib.new(name)
    except ValueError as exc:
        raise UnknownAlgorithm(name) from exc
    for part in parts:
        state.update(part)
    return state.digest()


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
    name = cms_digest(signer.algorithm)
    certificate = signer.certificate
    signed = der.set_of(
        attribute(CONTENT_TYPE, der.oid(content_type)),
        attribute(MESSAGE_DIGEST, der.octet_string(digest)),
        attribute(SIGNING_CERTIFICATE_V2, _certificate_reference(certificate)),
        *attributes,
    )
    signature = signer.sign(signed)
    unsigned = [der.tlv(0xA1, attribute(TIMESTAMP_TOKEN, stamp(signature)))] if stamp else []
    info = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer_der, der.integer(certificate.serial)),
        digest_identifier(name),
        b"\xa0" + signed[1:],
        signer.algorithm.identifier,
        der.octet_string(signature),
        *unsigned,
    )
    inner = [der.explicit(0, der.octet_string(content))] if content is not None else []
    # RFC 5652, 5.1: version 3 when the content is not id-data.
    version = 1 if content_type == DATA else 3
    sent = [item.der for item in signer.chain if item == certificate or not item.is_self_issued]
    chain = [der.tlv(0xA0, *sorted(sent))] if with_chain else []
    data = der.sequence(
        der.integer(version),
        der.set_of(digest_identifier(name)),
        der.sequence(der.oid(content_type), *inner),
        *chain,
        der.set_of(info),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.explicit(0, data))


def with_evidence(
    data: bytes, *, certificates: Iterable[bytes], crls: Iterable[bytes], ocsp: Iterable[bytes]
) -> bytes:
    """The same signature with more to judge it by: certificates, lists and OCSP answers, all in DER.

    They stand outside of what is signed (RFC 5652, 5.1; RFC 5940), so the signature stays good. What was
    there stays. `MalformedInput` for what `parse` would not read.
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
    return der.sequence(kind.encoded, der.explicit(0, inner))


def size_bound(signer: Signer) -> int:
    """An upper bound of the size of a detached `sign` without a time-stamp."""
    chain = sum(len(item.der) for item in signer.chain)
    key = signer.public_key
    signature = key.native.key_size // 8 if key.kind == "RSA" else 112
    return chain + len(signer.certificate.issuer_der) + signature + 384


def attribute(dotted: str, *values: bytes) -> bytes:
    """An Attribute in DER."""
    return der.sequence(der.oid(dotted), der.set_of(*values))


def parse(data: bytes, *, padded: bool = False) -> SignedData:
    """Read a ContentInfo with SignedData and exactly one signer; `MalformedInput` otherwise.

    `padded` allows zero octets behind it, as PDF has them.
    """
    if len(data) > MAX_CMS_BYTES:
        raise TooLarge("cms", f"over {MAX_CMS_BYTES} bytes")
    outer, end = der.read(data)
    rest = data[end:]
    if outer.tag != der.SEQUENCE or (rest.strip(b"\0") if padded else rest):
        raise MalformedInput("cms", "not one ContentInfo")
    try:
        return _parse(outer)
    except (ValueError, IndexError) as exc:
        raise MalformedInput("cms", "fields are missing or wrong") from exc


def verifies(signed: SignedData) -> bool:
    """Whether the signature value is that of the signer's key; `MalformedInput` for a key we do not take."""
    if signed.signer is None or signed.algorithm is None:
        return False
    return signed.signer.public_key.verify(signed.signature, signed.signed_part, signed.algorithm)


def check_signature(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    signed: SignedData,
    digest: bytes,
    *,
    content_type: str = DATA,
    policy: Policy,
    at: datetime,
    reference_required: bool = True,
) -> tuple[Check, ...]:
    """The cryptographic checks, in order: algorithm, digest, certificate reference, signature value.

    `digest` is the hash of the content with `signed.digest_algorithm`; `at` is when the algorithm has to
    be good enough for `policy`. Never raises for what is in `signed`. `reference_required` demands an
    ESS certificate reference (CAdES, time-stamps).
    """
    return (
        _algorithm_check(signed, policy, at),
        Check("content_digest", _digest_fault(signed, digest, content_type)),
        Check("certificate_reference", _reference_fault(signed, required=reference_required)),
        Check("signature_value", _value_fault(signed)),
    )


def _algorithm_check(signed: SignedData, policy: Policy, at: datetime) -> Check:
    row, detail = signed.algorithm, None
    if row is None or signed.digest_algorithm not in STRONG_DIGESTS:
        detail = f"{signed.algorithm_oid} with {signed.digest_algorithm}"
    elif signed.signer is not None:
        try:
            detail = policy.objection_to(row, signed.signer.public_key, at=at)
        except MalformedInput as exc:
            detail = exc.detail or str(exc)
    return Check(
        "algorithm",
        Reason.ALGORITHM_NOT_ALLOWED if detail else None,
        detail=detail or (row.name if row else ""),
    )


def _digest_fault(signed: SignedData, digest: bytes, content_type: str) -> Reason | None:
    kinds = signed.attributes.get(CONTENT_TYPE, ())
    if kinds != (der.oid(content_type),) or signed.content_type != content_type:
        return Reason.FORMAT_FAILURE
    values = signed.attributes.get(MESSAGE_DIGEST, ())
    if len(values) != 1 or values[0][:1] != bytes((der.OCTET_STRING,)):
        return Reason.FORMAT_FAILURE
    return None if compare_digest(values[0], der.octet_string(digest)) else Reason.HASH_FAILURE


def _reference_fault(signed: SignedData, *, required: bool) -> Reason | None:
    if signed.signer is None:
        return Reason.SIGNING_CERTIFICATE_MISSING
    found = [name for name in (SIGNING_CERTIFICATE_V2, SIGNING_CERTIFICATE) if name in signed.attributes]
    if not found:
        return Reason.SIG_CONSTRAINTS_FAILURE if required else None
    try:
        matches = [_refers_to(signed.attributes[name], signed.signer, name) for name in found]
    except (YinxinError, IndexError):
        return Reason.FORMAT_FAILURE
    return None if all(matches) else Reason.SIGNING_CERTIFICATE_MISSING


def _refers_to(values: tuple[bytes, ...], certificate: Certificate, attribute_name: str) -> bool:
    # RFC 5035, 4: SigningCertificateV2 { certs SEQUENCE OF ESSCertIDv2, … }; the first is the signer's.
    if len(values) != 1:
        return False
    listed = next(der.children(der.read_exactly(values[0], der.SEQUENCE)), None)
    first = next(der.children(listed), None) if listed else None
    if first is None:
        return False
    parts = list(der.children(first))
    default = "sha256" if attribute_name == SIGNING_CERTIFICATE_V2 else "sha1"
    name = read_digest(parts.pop(0)) if parts[0].tag == der.SEQUENCE else default
    return name in _DIGESTS and compare_digest(parts[0].content, hash_with(name, certificate.der))


def _value_fault(signed: SignedData) -> Reason | None:
    try:
        return None if verifies(signed) else Reason.SIG_CRYPTO_FAILURE
    except MalformedInput:  # a key of a kind or size that we do not take
        return Reason.ALGORITHM_NOT_ALLOWED


def _parse(outer: der.Element) -> SignedData:
    kind, wrapped = der.children(outer)
    if der.read_oid(kind) != SIGNED_DATA or wrapped.tag != 0xA0:
        raise MalformedInput("cms", "not SignedData")
    fields = list(der.children(der.read_exactly(wrapped.content, der.SEQUENCE)))
    _version, _digests, encapsulated, *optional, infos = fields
    inner_type, *inner = der.children(encapsulated)
    content = der.read_exactly(inner[0].content, der.OCTET_STRING).content if inner else None
    certificates = _certificates([item for item in optional if item.tag == 0xA0])
    crls, ocsp = _evidence([item for item in optional if item.tag == 0xA1])
    (info,) = der.children(infos)
    found = _signer_info(info, der.read_oid(inner_type), content, certificates)
    return replace(found, crls=crls, ocsp=ocsp)


def _signer_info(
    info: der.Element, content_type: str, content: bytes | None, certificates: tuple[Certificate, ...]
) -> SignedData:
    _version, identifier, digest, signed, algorithm, signature, *unsigned = der.children(info)
    if signed.tag != 0xA0 or signature.tag != der.OCTET_STRING or len(unsigned) > 1:
        raise MalformedInput("cms", "no signed attributes")
    digest_name = read_digest(digest)
    signer = _find(identifier, certificates)
    return SignedData(
        content_type=content_type,
        content=content,
        certificates=certificates,
        signer=signer,
        digest_algorithm=digest_name,
        algorithm=_row(algorithm, digest_name, signer) if signer else None,
        algorithm_oid=der.read_oid(next(der.children(algorithm))),
        attributes=_attributes(signed),
        # RFC 5652, 5.4: the signature is over the attributes as an explicit SET OF.
        signed_part=b"\x31" + signed.encoded[1:],
        signature=signature.content,
        unsigned=_attributes(unsigned[0]) if unsigned else {},
    )


def _certificates(groups: list[der.Element]) -> tuple[Certificate, ...]:
    # RFC 5652, 10.2.2: other choices than a certificate (attribute certificates …) are tagged; not used.
    found = [item.encoded for group in groups for item in der.children(group) if item.tag == der.SEQUENCE]
    if len(found) > MAX_CERTIFICATES:
        raise TooLarge("cms", f"more than {MAX_CERTIFICATES} certificates")
    return tuple(Certificate(encoded) for encoded in dict.fromkeys(found))


def _evidence(groups: list[der.Element]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Lists, and OCSP answers (RFC 5940); other forms of revocation information are left aside."""
    found = [item for group in groups for item in der.children(group)]
    if len(found) > MAX_EVIDENCE:
        raise TooLarge("cms", f"more than {MAX_EVIDENCE} pieces of revocation information")
    crls = [item.encoded for item in found if item.tag == der.SEQUENCE]
    answers = []
    for item in found:
        parts = list(der.children(item)) if item.tag == 0xA1 else []
        if len(parts) == 2 and der.read_oid(parts[0]) == OCSP_RESPONSE:
            answers.append(parts[1].encoded)
    return tuple(dict.fromkeys(crls)), tuple(dict.fromkeys(answers))


def _attributes(group: der.Element) -> dict[str, tuple[bytes, ...]]:
    answer: dict[str, tuple[bytes, ...]] = {}
    for item in der.children(group):
        name, values = der.children(item)
        dotted = der.read_oid(name)
        if dotted in answer:
            raise MalformedInput("cms", "an attribute is repeated")
        answer[dotted] = tuple(value.encoded for value in der.children(values))
    return answer


def _find(identifier: der.Element, certificates: tuple[Certificate, ...]) -> Certificate | None:
    if identifier.tag == 0x80:  # [0] SubjectKeyIdentifier
        return next((item for item in certificates if item.subject_key_id == identifier.content), None)
    issuer, serial = der.children(identifier)
    number = der.read_integer(serial)
    return next(
        (item for item in certificates if item.serial == number and item.issuer_der == issuer.encoded), None
    )


def _row(algorithm: der.Element, digest: str, signer: Certificate) -> Algorithm | None:
    """The signer's algorithm, where it goes with the hash over the content."""
    if der.read_oid(next(der.children(algorithm))) == _RSA_ENCRYPTION:
        # RFC 3370, 3.2: rsaEncryption leaves the hash to the digest algorithm.
        found = (row for row in ALGORITHMS if row.key_kind == "RSA" and not row.is_pss)
        return next((row for row in found if row.digest == digest), None)
    try:
        row = algorithm_by_identifier(algorithm.encoded, signer.public_key.kind)
    except (UnknownAlgorithm, MalformedInput):
        return None
    return row if cms_digest(row) == digest else None


def _certificate_reference(certificate: Certificate) -> bytes:
    # RFC 5035, 4: SHA-256 is the default and is left out.
    return der.sequence(
        der.sequence(der.sequence(der.octet_string(hashlib.sha256(certificate.der).digest())))
    )
