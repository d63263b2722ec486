"""What status lists say of one credential, whatever its format (draft-ietf-oauth-status-list, 6 and 8.3)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.vocabulary import INVALID, SUSPENDED, VALID
from signing.reasons import Reason
from signing.report import Check, Scope
from signing.trust_list import Issued
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from credentials.status_snapshot import StatusSnapshot
    from signing.certificates import Certificate
    from signing.trust_list import ServingList

_is_uri = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+").fullmatch  # RFC 3986, 3: a scheme, and no space
_MEANINGS = {VALID: None, INVALID: Reason.CREDENTIAL_REVOKED, SUSPENDED: Reason.CREDENTIAL_SUSPENDED}


class Status(NamedTuple):
    """The check, the list that it looked at (None where it was not at hand), and what reports show of it."""

    check: Check
    snapshot: StatusSnapshot | None
    findings: Mapping[str, str]


def look_up(  # noqa: PLR0913 - what a status stands on, by the door
    reference: Any,
    statuses: Mapping[str, StatusSnapshot],
    *,
    at: datetime,
    grace: timedelta,
    chain: tuple[Certificate, ...] = (),
    trust_list: ServingList | None = None,
    form: str | None = None,
) -> Status:
    """The status that a credential's reference leads to. It counts for the verdict now.

    `grace` stretches a list's ttl while its server is away, never its `exp`. `chain` is the credential's
    own, leaf first: a list by somebody else is not believed (`is_theirs`). `form` is the one that the
    credential's format demands of a list, `jwt` or `cwt`.
    """
    place = status_reference(reference)
    if place is None and type(reference) is dict and reference and "status_list" not in reference:
        other = _check(Reason.STATUS_UNKNOWN, "TSL 6.1: another mechanism, which is not known here")
        return Status(other, None, {})
    if place is None:
        return Status(_check(Reason.STATUS_REFERENCE_INVALID, "TSL 6: no idx and uri"), None, {})
    uri, index = place
    snapshot = statuses.get(uri)
    if snapshot is None:
        missing = _check(Reason.STATUS_UNKNOWN, "the status list is not at hand")
        return Status(missing, None, {"status_list": uri})
    findings = {"status_list": uri, "status_at": snapshot.issued_at.isoformat()}
    if chain and not is_theirs(snapshot, chain, trust_list):
        foreign = _check(Reason.STATUS_UNKNOWN, "TSL 11.3: the list is signed under another authority")
        return Status(foreign, snapshot, findings)
    standing = _standing(snapshot, index, at, grace)
    if form is not None and form != snapshot.form and standing.reason is not Reason.CREDENTIAL_REVOKED:
        standing = _check(Reason.STATUS_UNKNOWN, f"SD-JWT VC, 2.2.2.3: the list is no {form}")
    return tuple.__new__(Status, (standing, snapshot, findings))  # as Status(…), in half the time


def is_theirs(
    snapshot: StatusSnapshot, chain: tuple[Certificate, ...], trust_list: ServingList | None
) -> bool:
    """Whether a list is of the issuer of a credential with this chain (TSL, 11.3).

    The same key signed both; or an authority of the chain certified who signed the list; or the trust list
    names whoever signed it, or where it stands, for this issuer.
    """
    signer, leaf = snapshot.issuer, chain[0]
    if signer.issuer_der == leaf.issuer_der or signer.spki == leaf.spki:
        return True
    if signer.issuer_der in [one.issuer_der for one in chain]:
        return True
    named = trust_list.issuer(Issued(None, subject=chain[0].subject)) if trust_list else None
    if named is None:
        return False
    host = snapshot.uri.partition("://")[2].partition("/")[0].lower()
    return signer.subject in named.subjects or host in named.hosts


def status_reference(status: Any) -> tuple[str, int] | None:
    """Where the status of a credential stands, by its `status` claim; None when that leads nowhere."""
    entry = status.get("status_list") if type(status) is dict else None
    if type(entry) is not dict:
        return None
    uri, index = entry.get("uri"), entry.get("idx")
    if type(uri) is not str or type(index) is not int or index < 0 or not _is_uri(uri):
        return None
    return uri, index


def _standing(snapshot: StatusSnapshot, index: int, at: datetime, grace: timedelta) -> Check:
    try:
        value = snapshot.status(index)
    except NotFound as exc:
        return _check(Reason.STATUS_REFERENCE_INVALID, exc.detail)
    if value == VALID and snapshot.is_fresh(at, grace=grace):
        return _VALID
    # A revocation is final, so a list that is out of date still proves it.
    if value != INVALID and not snapshot.is_fresh(at, grace=grace):
        return _check(Reason.STATUS_STALE, f"as of {snapshot.issued_at.isoformat()}")
    return _check(_MEANINGS.get(value, Reason.STATUS_UNKNOWN), f"status {value}")


@lru_cache(128)
def _check(reason: Reason | None, detail: str) -> Check:
    return Check("status", reason, Scope.NOW, detail)


_VALID = _check(None, f"status {VALID}")
