"""The cryptographic checks of a parsed SignedData, each with its reason; none raises for what it reads."""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from typing import TYPE_CHECKING

from signing import der
from signing.algorithms import ALGORITHMS
from signing.cms.structure import (
    CONTENT_TYPE,
    DATA,
    DIGESTS,
    MESSAGE_DIGEST,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    SIGNING_TIME,
    STRONG_DIGESTS,
    SignedData,
    hash_with,
    read_digest,
)
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.policy import Policy

MAX_REMEMBERED_BYTES = 512  # of one reference


def verifies(signed: SignedData) -> bool:
    """Whether the signature value is that of the signer's key; `MalformedInput` for a key we do not take."""
    if signed.signer is None or signed.algorithm is None:
        return False
    return signed.signer.public_key.verify(signed.signature, signed.signed_part, signed.algorithm)


def check_signature(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    signed: SignedData,
    digest: bytes,
    *,
    content_type: str | None = DATA,
    policy: Policy,
    at: datetime,
    reference_required: bool = True,
) -> tuple[Check, ...]:
    """The cryptographic checks, in order: algorithm, digest, certificate reference, signature value.

    `digest` is the hash of the content with `signed.digest_algorithm`; `at` is when the algorithm has to
    be good enough for `policy`. `content_type` is None for a countersignature, which names no type (RFC 5652,
    11.4). Never raises for what is in `signed`. `reference_required` demands an
    ESS certificate reference (CAdES, time-stamps).
    """
    return (
        _algorithm_check(signed, policy, at),
        _checked("content_digest", _digest_fault(signed, digest, content_type)),
        _checked("certificate_reference", _reference_fault(signed, required=reference_required)),
        _checked("signature_value", _value_fault(signed)),
    )


@lru_cache(maxsize=64)
def _checked(name: str, fault: Reason | None) -> Check:
    return Check(name, fault)


def _algorithm_check(signed: SignedData, policy: Policy, at: datetime) -> Check:
    row, detail = signed.algorithm, None
    if row is None or signed.digest_algorithm not in STRONG_DIGESTS:
        detail = f"{signed.algorithm_oid} with {signed.digest_algorithm}"
    elif signed.signer is not None:
        try:
            detail = policy.objection_to(row, signed.signer.public_key, at=at)
        except MalformedInput as exc:
            detail = exc.detail or str(exc)
    if detail or row is None:
        return Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED if detail else None, detail=detail or "")
    return _GOOD_ALGORITHMS[row.name]


_GOOD_ALGORITHMS = {row.name: Check("algorithm", detail=row.name) for row in ALGORITHMS}


def _digest_fault(signed: SignedData, digest: bytes, content_type: str | None) -> Reason | None:
    kinds = signed.attributes.get(CONTENT_TYPE, ())
    if content_type is None:
        if kinds:
            return Reason.FORMAT_FAILURE
    elif kinds != (der.oid(content_type),) or signed.content_type != content_type:
        return Reason.FORMAT_FAILURE
    if len(signed.attributes.get(SIGNING_TIME, (b"",))) != 1:  # RFC 5652, 11.3: one time or none
        return Reason.SIG_CONSTRAINTS_FAILURE
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
    """A signer refers to the same certificate each time; large attributes are read again each time."""
    is_small = sum(map(len, values)) <= MAX_REMEMBERED_BYTES
    return (_remembered if is_small else _read_reference)(values, certificate, attribute_name)


def _read_reference(values: tuple[bytes, ...], certificate: Certificate, attribute_name: str) -> bool:
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
    if name == "sha256":  # which the certificate knows of itself
        return compare_digest(parts[0].content, bytes.fromhex(certificate.fingerprint))
    return name in DIGESTS and compare_digest(parts[0].content, hash_with(name, certificate.der))


_remembered = lru_cache(maxsize=1024)(_read_reference)


def _value_fault(signed: SignedData) -> Reason | None:
    try:
        return None if verifies(signed) else Reason.SIG_CRYPTO_FAILURE
    except MalformedInput:  # a key of a kind or size that we do not take
        return Reason.ALGORITHM_NOT_ALLOWED
