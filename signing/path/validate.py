"""Validate a certificate for a use at a time: search, rules, revocation, one result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

from signing.algorithms import algorithm_by_identifier
from signing.names import name_key
from signing.path.build import MAX_INTERMEDIATES, Path, Search
from signing.path.facts import facts_of
from signing.path.remembered import Horizon, Remembered
from signing.path.rules import (
    AUTHORITY,
    LIST_SIGNER,
    NOT_LEAF_USAGES,
    Fault,
    algorithm_faults,
    anchor_faults,
    constraint_faults,
    turning_points,
    usage_faults,
    validity_faults,
)
from signing.reasons import Reason
from signing.report import Check, Indication, Scope, worst
from signing.revocation import OcspAnswer, RevocationState, RevocationStatus
from signing.trust import END, TrustStore
from signing.usages import usage as usage_row
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.names import NameKey
    from signing.policy import Policy
    from signing.revocation import Crl, RevocationSnapshot

__all__ = ["AUTHORITY", "PathResult", "validate_path"]
MAX_PATHS = 16  # complete paths that are judged; the first that passes ends the search
MAX_LIST_SIGNERS = 4  # of one name, beside the issuer
MAX_SIGNER_SEARCHES = 32  # for one answer, among certificates that anybody may have sent
MAX_REMEMBERED_CHAIN_BYTES = 1 << 15
MAX_LIST_DEPTH = 2  # a list's signer has a status of its own, by a list that may have another signer


@dataclass(frozen=True, slots=True)
class PathResult:
    """The best path found and how it came out.

    `path` goes from leaf to anchor and is empty when there is none. `revoked_at` is since when the leaf or
    an authority above it does not hold, also when that is after the time asked about. `statuses` is what is
    known of each certificate of the path that has a status.
    """

    path: tuple[Certificate, ...]
    checks: tuple[Check, ...]
    revoked_at: datetime | None = None
    statuses: tuple[tuple[Certificate, RevocationStatus], ...] = ()

    @property
    def indication(self) -> Indication:
        """The verdict: the worst of the checks, whatever scope they count for."""
        return worst(self.checks, self.checks[0].scope if self.checks else Scope.NOW)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return self.indication is Indication.PASSED

    @property
    def reasons(self) -> frozenset[Reason]:
        """Why it did not pass."""
        return frozenset(check.reason for check in self.checks if check.reason)


@dataclass(slots=True)
class _Budget:
    """What one answer may still spend, on all its paths and at every depth."""

    signer_searches: int = MAX_SIGNER_SEARCHES


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, in one value."""

    trust: TrustStore
    at: datetime
    usage: str
    revocation: RevocationSnapshot
    policy: Policy
    scope: Scope
    known_at: datetime | None
    offered: frozenset[Certificate]
    horizon: Horizon
    depth: int = 0
    budget: _Budget = field(default_factory=_Budget)


def validate_path(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    leaf: Certificate,
    intermediates: Iterable[Certificate],
    trust: TrustStore,
    *,
    at: datetime,
    usage: str,
    revocation: RevocationSnapshot,
    policy: Policy,
    scope: Scope = Scope.BOTH,
    known_at: datetime | None = None,
) -> PathResult:
    """Whether `leaf` may be used for `usage` at the time `at`, by a path to an anchor of `trust`.

    `usage` is a row of `signing.usages`, or `AUTHORITY` when the leaf itself issues certificates.
    `intermediates` are candidates in any order, useless ones do no harm. `known_at` leaves aside
    revocation evidence of later days. A policy that names anchors trusts no others. Never raises for hostile
    certificates.
    """
    if at.tzinfo is None:
        raise UsageError("the time asked about has no time zone")
    row = usage if usage in NOT_LEAF_USAGES else usage_row(usage)
    offered, trusted = frozenset(intermediates), policy.trusted(trust)
    asked = (leaf, offered, row, trusted.snapshot_id, revocation.snapshot_id, policy.hash, scope)
    found = _REMEMBERED.find(asked, at, known_at)
    if found is None:
        horizon = Horizon.around(at, known_at)
        question = _Question(trusted, at, usage, revocation, policy, scope, known_at, offered, horizon)
        found = _answer(leaf, question)
        # Only what leads to an anchor: strangers shall not push out what agencies ask again and again.
        if found.path and sum(len(one.der) for one in (leaf, *offered)) <= MAX_REMEMBERED_CHAIN_BYTES:
            _REMEMBERED.keep(asked, horizon, found)
    return found


def _answer(leaf: Certificate, question: _Question) -> PathResult:
    scope, offered = question.scope, question.offered
    search = Search(question.trust, question.at, question.horizon)
    search.add(offered)
    results = []
    for path in search.paths(leaf):
        result = _judged(path, question)
        if result.passed:
            return result
        results.append(result)
        if len(results) == MAX_PATHS:
            search.is_cut_short = True
            break
    if results:
        return min(results, key=lambda result: _BADNESS[result.indication])
    is_cut_short = search.is_cut_short or len(offered) > MAX_INTERMEDIATES
    return PathResult((), (_no_path(leaf, scope, is_cut_short=is_cut_short),))


_REMEMBERED: Remembered[PathResult] = Remembered()
_BADNESS = {Indication.PASSED: 0, Indication.INDETERMINATE: 1, Indication.FAILED: 2}


def _no_path(leaf: Certificate, scope: Scope, *, is_cut_short: bool) -> Check:
    if is_cut_short:
        detail = "the search was ended: too many certificates that certify each other"
    else:
        detail = f"{leaf.common_name}, issued by {leaf.issuer}"
    return Check("certificate_path", Reason.NO_CERTIFICATE_CHAIN_FOUND, scope, detail)


def _judged(path: Path, question: _Question) -> PathResult:
    policy, at, scope = question.policy, question.at, question.scope
    question.horizon.at.turn(turning_points(path, question.trust, policy))
    names = " < ".join(certificate.common_name for certificate in path)
    found = tuple(f"certificate:{certificate.fingerprint}" for certificate in path)
    checks = [Check("certificate_path", None, scope, names, found)]
    usage = usage_faults(path, question.usage, question.trust, strict=policy.strict_usage)
    checks += _checks("certificate_validity", validity_faults(path, at), scope)
    checks += _checks("certificate_constraints", constraint_faults(path, policy), scope)
    checks += _checks("certificate_usage", usage, scope)
    lapsed = anchor_faults(path, question.usage, question.trust, at)
    checks += [Check("trust_anchor", fault.reason, scope, fault.detail) for fault in lapsed]
    checks += _checks("certificate_algorithms", algorithm_faults(path, policy, at), scope)
    statuses: list[tuple[Certificate, RevocationStatus]] = []
    signers = _ListSigners(path, question)
    for certificate, issuer in pairwise(path):
        if _needs_no_status(certificate, question.usage, is_leaf=certificate is path[0]):
            continue
        status = question.revocation.status(
            certificate,
            issuer,
            at=at,
            known_at=question.known_at,
            list_signers=signers,
            accepts=partial(_is_accepted, issuer, question),
        )
        _note(status, question)
        checks.append(_revocation_check(certificate, status, question))
        statuses.append((certificate, status))
    revoked = [status.revoked_at for _, status in statuses if status.revoked_at]
    return PathResult(path, tuple(checks), min(revoked, default=None), tuple(statuses))


def _is_accepted(
    issuer: Certificate, question: _Question, evidence: Crl | OcspAnswer, signer: Certificate
) -> bool:
    """Whether the policy takes the algorithms behind a list or an answer, as it does those of the path."""
    policy = question.policy
    try:
        key = signer.public_key
        used = [(algorithm_by_identifier(evidence.signature_identifier, key.kind), key)]
        if isinstance(evidence, OcspAnswer) and signer != issuer:  # a responder is on no path
            used.append((signer.signature_algorithm(issuer.public_key), issuer.public_key))
    except (UnknownAlgorithm, MalformedInput):
        return False
    question.horizon.at.turn(policy.end_of(*one) for one in used)
    return all(policy.objection_to(*one, at=question.at) is None for one in used)


def _note(status: RevocationStatus, question: _Question) -> None:
    """When this status, or what the policy says of its age, may be another."""
    horizon, limit = question.horizon, question.policy.max_revocation_age
    horizon.at.turn(status.turning_points)
    if horizon.known_at:
        horizon.known_at.turn(status.turning_points)
    if limit is not None and status.as_of is not None and status.as_of < END - limit:
        horizon.at.turn((status.as_of + limit,))


class _ListSigners:
    """Who may sign lists beside the issuer: certificates of the wanted name, by a path to the same anchor.

    Asked only for lists that the issuer's own key did not sign. A signer may clear itself where its
    certificate points to its own list; it could clear everybody else as well.
    """

    def __init__(self, path: Path, question: _Question) -> None:
        self._path = path
        self._asked_by = question
        self._found: dict[NameKey, tuple[Certificate, ...]] = {}

    def __call__(self, name: NameKey) -> tuple[Certificate, ...]:
        """The signers of this name."""
        if name not in self._found:
            self._found[name] = tuple(self._search(name))
        return self._found[name]

    @cached_property
    def _question(self) -> _Question:
        above, anchor = self._asked_by, self._path[-1]
        trust = TrustStore([above.trust.anchor_of(anchor) or anchor], above.trust.known)
        return replace(above, trust=trust, usage=LIST_SIGNER, depth=above.depth + 1)

    def _search(self, name: NameKey) -> Iterator[Certificate]:
        leaf, asked = self._path[0], self._question
        known = [certificate for certificate in self._path if name_key(certificate.subject_der) == name]
        yield from (one for one in known if one != leaf or asked.depth > 1)
        if asked.depth > MAX_LIST_DEPTH:
            return
        # First those that we have gathered: nobody crowds them out with certificates of the same name.
        gathered = asked.trust.known_as(name)
        others = asked.offered.difference(known, gathered)
        offered = sorted(others, key=lambda one: one.fingerprint)
        named = [one for one in offered if name_key(one.subject_der) == name]
        candidates = [*(one for one in gathered if one not in known), *named]
        for candidate in candidates[:MAX_LIST_SIGNERS]:
            if candidate not in gathered:
                if not asked.budget.signer_searches:
                    return
                asked.budget.signer_searches -= 1
            if _answer(candidate, asked).passed:
                yield candidate


def _checks(name: str, faults: Iterable[Fault], scope: Scope) -> list[Check]:
    found = [Check(name, fault.reason, scope, fault.detail) for fault in faults]
    return found or [Check(name, None, scope)]


def _needs_no_status(certificate: Certificate, usage: str, *, is_leaf: bool) -> bool:
    """RFC 6960, 4.2.2.2.1 (a responder with no-check) and RFC 9608 (no revocation is available)."""
    facts = facts_of(certificate)
    if not is_leaf or facts.is_authority:
        return False
    return facts.is_never_revoked or (usage == "ocsp" and facts.is_ocsp_no_check)


def _revocation_check(certificate: Certificate, status: RevocationStatus, question: _Question) -> Check:
    reason, detail = _revocation_reason(status, question), [certificate.common_name, str(status.state)]
    if status.reason and status.revoked_at:
        detail.append(f"{status.reason} at {status.revoked_at.isoformat()}")
    if status.as_of:
        detail.append(f"as of {status.as_of.isoformat()}")
    if status.detail:
        detail.append(status.detail)
    evidence = (f"certificate:{certificate.fingerprint}", *([status.source] if status.source else []))
    told = ": ".join((detail[0], ", ".join(detail[1:])))
    return Check("certificate_revocation", reason, question.scope, told, evidence)


def _revocation_reason(status: RevocationStatus, question: _Question) -> Reason | None:
    policy = question.policy
    if status.state is RevocationState.REVOKED:
        return Reason.CERTIFICATE_ON_HOLD if status.is_on_hold else Reason.CERTIFICATE_REVOKED
    if policy.revocation == "if_available":
        return None
    if status.state is RevocationState.UNKNOWN:
        return Reason.REVOCATION_UNKNOWN
    limit = policy.max_revocation_age
    is_old = limit is not None and status.as_of is not None and question.at - status.as_of > limit
    return Reason.REVOCATION_STALE if is_old or status.state is RevocationState.STALE else None
