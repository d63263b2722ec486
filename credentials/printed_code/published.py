"""What a page that verifies codes in a browser is given: keys that were judged here, and the words for them.

A browser builds no certificate paths. Here each issuer's path is judged from the trust anchors, with
revocation, when the list is made; the list gives a reason where it did not pass, and ends when its evidence
does. The same list, with the whole chains in it, serves verifiers elsewhere that judge the paths themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography.x509.oid import NameOID

from credentials.printed_code.code import printed_fields
from credentials.printed_code.issuers import x5c_of
from signing.base64url import encode_base64url
from signing.path import validate_path
from signing.reasons import Reason
from signing.trust_list import Issued
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from credentials.fields import Field
    from credentials.licence_type import LicenceType
    from credentials.printed_code.issuers import IssuerCertificate
    from credentials.printed_code.verifier import PrintedCodeVerifier
    from signing.certificates import Certificate

LIFETIME = timedelta(hours=24)
# What the page may have to say by itself.
_SAID = (
    Reason.PRINTED_CODE_MALFORMED,
    Reason.ADDRESS_NOT_TRUSTED,
    Reason.SIGNING_CERTIFICATE_MISSING,
    Reason.ALGORITHM_NOT_ALLOWED,
    Reason.SIG_CRYPTO_FAILURE,
    Reason.CERTIFICATE_NOT_YET_VALID,
    Reason.CERTIFICATE_EXPIRED,
    Reason.ISSUER_MISMATCH,
    Reason.ISSUER_NOT_PERMITTED,
    Reason.ISSUER_PERMISSION_SUSPENDED,
    Reason.ISSUER_PERMISSION_WITHDRAWN,
    Reason.NOT_YET_VALID,
    Reason.EXPIRED,
    Reason.REVOCATION_STALE,
    Reason.STATUS_NOT_ASKED,
)


def published_list(
    verifier: PrintedCodeVerifier, types: Iterable[LicenceType], *, now: datetime
) -> dict[str, Any]:
    """The list as JSON; times are seconds since 1970."""
    rows = [_issuer(entry, verifier, now) for entry in verifier.issuers.entries]
    found = [row for row in rows if row is not None]
    named = {code for row in found for code in row["reasons"]} | {reason.code for reason in _SAID}
    return {
        "made_at": int(now.timestamp()),
        "expires_at": int(_end(verifier, now).timestamp()),
        "clock_skew": int(verifier.policy.clock_skew.total_seconds()),
        "addresses": sorted(verifier.addresses),
        "algorithms": sorted(verifier.policy.algorithms),
        "issuers": found,
        "types": {kind.number: _type(kind) for kind in types},
        "reasons": _reasons(named),
    }


def _end(verifier: PrintedCodeVerifier, now: datetime) -> datetime:
    """A day, or until a revocation list ends, and never before the list is made."""
    ends = [crl.next_update for crl in verifier.revocation.crls if crl.next_update]
    serving = verifier.trust_list
    if serving and serving.ends_at and serving.ends_at > now:  # one that is over is told by its own reason
        ends.append(serving.ends_at)
    return max(now, min([now + LIFETIME, *ends]))


def _issuer(entry: IssuerCertificate, verifier: PrintedCodeVerifier, now: datetime) -> dict[str, Any] | None:
    """One key; None for one that no browser verifies with."""
    leaf = entry.chain[0]
    try:
        jwk = leaf.public_key.to_jwk()
    except MalformedInput:
        return None
    result = validate_path(
        leaf,
        entry.chain[1:],
        verifier.trust,
        at=now.replace(microsecond=0),
        usage="credential",
        revocation=verifier.revocation,
        policy=verifier.policy,
    )
    path = result.path or (leaf,)
    listed, objection = _listed(entry, verifier, now)
    reasons = {reason.code for reason in (*result.reasons, *([objection] if objection else []))}
    return {
        "kid": encode_base64url(entry.kid),
        "agency": entry.agency,
        "organisation": _organisation(leaf),
        "jwk": jwk,
        "not_before": int(max(one.not_before for one in path).timestamp()),
        "not_after": int(min(one.not_after for one in path).timestamp()),
        "reasons": sorted(reasons),
        "listed": listed,
        "x5c": x5c_of(entry.chain),
    }


def _listed(
    entry: IssuerCertificate, verifier: PrintedCodeVerifier, now: datetime
) -> tuple[dict[str, Any] | None, Reason | None]:
    """What the trust list says of an issuer: its agency, and by type code since when it may issue."""
    serving = verifier.trust_list
    if serving is None:
        return None, None
    nobody: dict[str, Any] = {"agency": None, "types": {}}
    if late := serving.check_age(now).reason:
        return nobody, late
    found = serving.issuer(Issued(None, subject=entry.chain[0].subject))
    if found is None:
        return nobody, Reason.ISSUER_NOT_PERMITTED
    types = {
        code: [[int(row.since.timestamp()), row.status] for row in rows]
        for code, rows in found.history().items()
    }
    return {"agency": found.credit_code, "types": types}, None


def _organisation(certificate: Certificate) -> str:
    for attribute in certificate.x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        return str(attribute.value)
    return certificate.common_name


def _type(kind: LicenceType) -> dict[str, Any]:
    fields = {name: _field(kind.field(name)) for name in printed_fields(kind)}
    return {"name": kind.name.to_dict(), "fields": fields}


def _field(field: Field) -> dict[str, Any]:
    answer: dict[str, Any] = {"label": field.label.to_dict(), "kind": str(field.kind)}
    if field.choices:
        answer["choices"] = {choice.value: choice.label.to_dict() for choice in field.choices}
    if field.unit:
        answer["unit"] = field.unit.to_dict()
    return answer


def _reasons(codes: Collection[str]) -> dict[str, Any]:
    return {reason.code: reason.to_dict() for reason in Reason if reason.code in codes}
