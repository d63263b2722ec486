"""A licence as an mdoc: which type, which elements, from when to when.

The type's `vct` is the document type and the one namespace, so that a verifier asks for the same thing by the
same name in either format. Registered claims of the JSON form have their place in the security object.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from credentials.credential import credential_claims
from credentials.fields import FieldKind
from credentials.mdoc.issuing import MdocValidity, issue_mdoc

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.catalogue import LicenceType
    from credentials.licence import Licence
    from signing.keys import PublicKey
    from signing.signer import Signer
    from yinxin.base.randomness import Randomness

# What stands elsewhere in an mdoc: type, times and status in the security object, the issuer in `x5chain`.
_ELSEWHERE = frozenset({"iss", "vct", "iat", "nbf", "exp", "status"})
_DAYS = frozenset({"issued_on", "valid_from", "valid_until"})
LONGEST = timedelta(days=366)  # of a copy whose licence has no last day


def mdoc_of(  # noqa: PLR0913 - what a copy is made of
    licence: Licence,
    kind: LicenceType,
    *,
    url: str,
    status: tuple[str, int],
    holder_key: PublicKey,
    signer: Signer,
    now: datetime,
    randomness: Randomness,
) -> bytes:
    """A copy of a licence, bound to a key; it ends with the licence, and with its signer's certificate."""
    claims = credential_claims(licence, kind, url=url, status=status)
    starts = max(now, licence.starts_at)
    ends = min(licence.ends_at or starts + LONGEST, signer.certificate.not_after)
    return issue_mdoc(
        kind.vct,
        {kind.vct: _elements(claims, kind)},
        signer=signer,
        holder_key=holder_key,
        valid=MdocValidity(now, starts, ends),
        status=status,
        randomness=randomness,
    )


def _elements(claims: dict[str, Any], kind: LicenceType) -> dict[str, Any]:
    """Days as full-date (7.2.1), the rest as it is in JSON."""
    days = _DAYS | {field.name for field in kind.fields if field.kind is FieldKind.DATE}
    return {
        name: date.fromisoformat(value) if name in days and value else value
        for name, value in claims.items()
        if name not in _ELSEWHERE
    }
