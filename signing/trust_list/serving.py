"""A trust list while it serves: whether it is still in time, and what it says of who issued something.

An issuer must have been permitted when it issued, and is asked for today as well: where nothing but the
issuer's own word says when that was (`iat`, a claimed time), whoever lost a permission could still write a
day on which it had one. So a lost permission leaves the verdict now open, unless the time is proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from signing.reasons import Reason
from signing.report import Check, Scope
from signing.trust import TrustStore
from signing.trust_list.contents import Freshness

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from signing.trust_list.contents import ListedIssuer, ListedType, TrustList

PERMISSION, AGE = "issuer_permission", "trust_list"


@dataclass(frozen=True, slots=True)
class Issued:
    """What was issued, by whom, and when: the question to a list.

    The issuer is known by the `subject` of its certificate (RFC 4514 text) or the `credit_codes` in it.
    `kind` is the licence type, by its `vct` or type code; None asks whether any is permitted. `agency` is the
    credit code of the agency that the licence names, where it names one: another agency must not issue
    copies of it. `made` is when; without it now counts. `is_proved` says that a trusted time stands
    behind `made`.
    """

    kind: str | None
    subject: str | None = None
    credit_codes: Collection[str] = ()
    agency: str | None = None
    made: datetime | None = None
    is_proved: bool = False


@dataclass(frozen=True)
class ServingList:
    """The list that a verifier goes by; `listed` is None when one is demanded and none is at hand.

    Past its end it serves for the `grace` and says so; after that it decides nothing, and nothing passes.
    """

    listed: TrustList | None
    grace: timedelta = timedelta(0)

    def freshness(self, now: datetime) -> Freshness:
        """How old it is; one that is not there is over."""
        return self.listed.freshness(now, grace=self.grace) if self.listed else Freshness.OVER

    def trust(self, now: datetime) -> TrustStore:
        """Its anchors; none once it is over."""
        if self.listed is None or self.freshness(now) is Freshness.OVER:
            return TrustStore(())
        return self.listed.trust

    @property
    def ends_at(self) -> datetime | None:
        """When it stops serving."""
        return self.listed.next_update + self.grace if self.listed else None

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of all issuers."""
        return self.listed.hosts if self.listed else frozenset()

    @cached_property
    def snapshots(self) -> Mapping[str, str]:
        """What a report names it by."""
        return {AGE: self.listed.digest} if self.listed else {}

    def check_age(self, now: datetime) -> Check:
        """Whether it is in time; within the grace the check passes, and its detail says so."""
        if self.listed is None:
            return Check(AGE, Reason.TRUST_LIST_UNAVAILABLE, detail="no trust list is at hand")
        listed, age = self.listed, self.freshness(now)
        words = f"{listed.name}, version {listed.version}"
        if age is Freshness.FRESH:
            return Check(AGE, detail=words)
        ended = f"{words}, ended {listed.next_update.isoformat()}"
        if age is Freshness.STALE:
            return Check(AGE, detail=f"{ended}, serves until {listed.next_update + self.grace}")
        return Check(AGE, Reason.TRUST_LIST_UNAVAILABLE, detail=ended)

    def check(self, issued: Issued, *, now: datetime) -> tuple[Check, ...]:
        """Whether it is in time, and whether the issuer might issue this, then and now."""
        age = self.check_age(now)
        if self.listed is None or age.reason:
            return (age,)
        found = self.issuer(issued)
        if found is None:
            name = issued.subject or ", ".join(issued.credit_codes)
            detail = f"{name or 'the issuer'} is not in the list {self.listed.name}"
            return age, Check(PERMISSION, Reason.ISSUER_NOT_PERMITTED, detail=detail)
        if issued.agency and issued.agency != found.credit_code:
            detail = f"issued by {found.credit_code}, the licence is of {issued.agency}"
            return age, Check(PERMISSION, Reason.ISSUER_MISMATCH, detail=detail)
        return age, *_permission(found, issued, now)

    def issuer(self, issued: Issued) -> ListedIssuer | None:
        """Who issued it, as the list knows them."""
        found = self._by_subject.get(issued.subject or "")
        codes = (self._by_code.get(code) for code in issued.credit_codes)
        return found or next((row for row in codes if row), None)

    @cached_property
    def _by_subject(self) -> dict[str, ListedIssuer]:
        return {subject: row for row in self._rows for subject in row.subjects}

    @cached_property
    def _by_code(self) -> dict[str, ListedIssuer]:
        return {row.credit_code: row for row in self._rows}

    @property
    def _rows(self) -> tuple[ListedIssuer, ...]:
        return self.listed.listed if self.listed else ()


def _permission(issuer: ListedIssuer, issued: Issued, now: datetime) -> tuple[Check, ...]:
    if issued.kind is None:
        good = issuer.may_issue(now)
        return (Check(PERMISSION, None if good else Reason.ISSUER_NOT_PERMITTED),)
    then = issuer.standing(issued.kind, issued.made or now)
    if then is None or then.status != "granted":
        return (Check(PERMISSION, Reason.ISSUER_NOT_PERMITTED, detail=_words(issuer, issued.kind, then)),)
    today = issuer.standing(issued.kind, now) or then
    detail = _words(issuer, issued.kind, today)
    if today.status == "granted" or issued.is_proved:
        return (Check(PERMISSION, detail=detail),)
    lost = today.status == "withdrawn"
    reason = Reason.ISSUER_PERMISSION_WITHDRAWN if lost else Reason.ISSUER_PERMISSION_SUSPENDED
    granted = Check(PERMISSION, scope=Scope.THEN, detail=_words(issuer, issued.kind, then))
    return granted, Check(PERMISSION, reason, Scope.NOW, detail)


def _words(issuer: ListedIssuer, kind: str, row: ListedType | None) -> str:
    if row is None:
        return f"{issuer.credit_code}: {kind} was not granted by then"
    return f"{issuer.credit_code}: {kind} {row.status} since {row.since.isoformat()}"
