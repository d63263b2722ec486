"""What a verification says: checks, two verdicts, and evidence that nothing else can make.

The words are those of ETSI EN 319 102-1: passed, failed, indeterminate. Every check names the clause behind
it and the evidence that was looked at; one that did not pass carries a `Reason` with a stable code. Where the
answer can differ, a report has two verdicts: `then`, at the time of signing (or the time asked about), and
`now`. The JSON form follows `signing/report/report.schema.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

from signing.report.checks import kind_of
from signing.report.sub_indications import in_standard_words, sub_indication
from yinxin.base.errors import VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from signing.reasons import Reason


FORMAT = "yinxin-report/1"


class Indication(StrEnum):
    """The verdict of a check or of a whole report (EN 319 102-1, 5.1.1)."""

    PASSED = "passed"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"


class Scope(StrEnum):
    """Which verdict a check counts for."""

    BOTH = "both"
    THEN = "then"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its plain name, how it came out, why, and the evidence that was looked at.

    `detail` is for people. `evidence` names what was looked at so that it can be had again: `certificate:`,
    `crl:`, `ocsp:` or `timestamp:` and the SHA-256 in hex.
    """

    name: str
    reason: Reason | None = None
    scope: Scope = Scope.BOTH
    detail: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def indication(self) -> Indication:
        """Passed without a reason, else what the reason means."""
        return self.reason.indication if self.reason else Indication.PASSED

    @property
    def clause(self) -> str:
        """The clause behind the reason, else the one that asks for this check; empty where none is known."""
        kind = kind_of(self.name)
        return self.reason.clause if self.reason and not kind.is_exact else kind.clause

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        answer: dict[str, Any] = {
            "name": self.name,
            "indication": str(self.indication),
            "scope": str(self.scope),
            "clause": self.clause,
        }
        if self.detail:
            answer["detail"] = self.detail
        if self.evidence:
            answer["evidence"] = list(self.evidence)
        if self.reason:
            answer["reason"] = self.reason.code
            if sub := sub_indication(self.reason.code):
                answer["sub_indication"] = sub
        return answer


@lru_cache(512)
def good(name: str, scope: Scope = Scope.BOTH) -> Check:
    """A check that passed and says no more; one object for each, because most checks are such."""
    return Check(name, None, scope)


@final
class EvidenceKey:
    """What a `Report` hands to the maker of its evidence; nobody else has one."""

    __slots__ = ()


_KEY = EvidenceKey()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Base of values that prove a passed verification: only `Report.require` can make them."""

    key: EvidenceKey = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.key is not _KEY:
            raise TypeError("evidence comes from Report.require() only")


T = TypeVar("T", bound=Evidence)
_DIGESTED = "_digested"  # what a report is about whose digest nobody asked for yet


@dataclass(frozen=True)
class Report(Generic[T]):
    """The answer to "is this genuine, and does it hold?".

    `subject` names the kind of thing verified (pdf, sd-jwt-vc, licence), `digest` its SHA-256 in hex,
    `at` the time the question is about, `known_at` up to when facts count, `policy` the hash of the
    policy used, `snapshots` the ages and hashes of trust, revocation and status data. `findings` is
    what the thing says, for display; it is trustworthy only when the report passed, and code that
    acts on it calls `require()`.
    """

    subject: str
    digest: str
    at: datetime
    known_at: datetime
    checks: tuple[Check, ...]
    policy: str = ""
    snapshots: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)
    make_evidence: Callable[[EvidenceKey], T] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def about(cls, thing: str | bytes, **told: Any) -> Report[T]:
        """The report on a text or bytes, whose digest is made when it is asked for.

        `told` are the fields but the digest, each of them: this is what a verifier does last, a thousand
        times a second.
        """
        report = cls.__new__(cls)
        report.__dict__.update(told)
        report.__dict__[_DIGESTED] = thing
        return report

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> str:
            """The digest that was put off; nothing else is ever missing."""
            thing = self.__dict__.get(_DIGESTED)
            if name != "digest" or thing is None:
                raise AttributeError(name)
            data = thing if isinstance(thing, bytes) else thing.encode("utf-8", "replace")
            digest = self.__dict__["digest"] = sha256(data).hexdigest()
            return digest

    @property
    def indication(self) -> Indication:
        """The verdict now: the worst of the checks that count for it."""
        return worst(self.checks, Scope.NOW)

    @property
    def then(self) -> Indication:
        """The verdict at the time of signing."""
        return worst(self.checks, Scope.THEN)

    @property
    def passed(self) -> bool:
        """Whether the thing is genuine and holds now."""
        return self.indication is Indication.PASSED

    @property
    def reasons(self) -> frozenset[Reason]:
        """Why it did not pass (also reasons that count for one of the verdicts only)."""
        return frozenset(check.reason for check in self.checks if check.reason)

    def require(self) -> T:
        """The evidence value, or `VerificationFailed` with this report."""
        if not self.passed or self.make_evidence is None:
            raise VerificationFailed(self)
        return self.make_evidence(_KEY)

    def in_standard_words(self) -> dict[str, str | None] | None:
        """The verdict now as EN 319 102-1 calls it; None where only reasons of ours speak against it."""
        now = [check.reason.code for check in self.checks if check.reason and check.scope is not Scope.THEN]
        return in_standard_words(now, passed=self.passed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: verdicts, reasons in both languages, checks, snapshots, findings."""
        ordered = sorted(self.reasons, key=lambda reason: reason.code)
        return {
            "format": FORMAT,
            "subject": self.subject,
            "digest": self.digest,
            "indication": str(self.indication),
            "then": str(self.then),
            "en_319_102_1": self.in_standard_words(),
            "at": self.at.isoformat(),
            "known_at": self.known_at.isoformat(),
            "reasons": [reason.to_dict() for reason in ordered],
            "checks": [check.to_dict() for check in self.checks],
            "policy": self.policy,
            "snapshots": dict(self.snapshots),
            "findings": dict(self.findings),
        }

    def to_json(self) -> str:
        """Deterministic JSON: same inputs, same bytes."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def worst(checks: Iterable[Check], scope: Scope = Scope.NOW) -> Indication:
    """The verdict that checks make together, of those that count for `scope`."""
    found: Indication | None = None
    for check in checks:
        if check.scope is not scope and check.scope is not Scope.BOTH:
            continue
        if check.reason is None:
            found = found or Indication.PASSED
        elif check.reason.indication is Indication.FAILED:
            return Indication.FAILED
        elif check.reason.indication is Indication.INDETERMINATE:
            found = Indication.INDETERMINATE
    # A report without any check proves nothing.
    return found or Indication.INDETERMINATE
