"""Past validation (EN 319 102-1, 5.6.2): whether what a path was at a proved time is known today.

A path is validated at the time when something was signed. But whoever can sign with an authority's key later
(because it was lost, because its algorithm was broken, because nobody guards a key whose certificate has
ended) can make certificates, lists and time-stamps that bear an earlier date. So, from the anchor downwards,
each authority sets a limit: what it signed counts when it is known to have existed before. The standard
slides a control time down the path in the same way (5.6.2.2); ours keeps who set it, to say so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from signing.algorithms import algorithm_by_identifier
from signing.existence import NO_PROOFS, Proofs
from signing.path import PathResult, validate_path
from signing.reasons import Reason
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot
from signing.revocation.snapshot import ORDERLY_ENDINGS
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.policy import Policy
    from signing.revocation import RevocationStatus
    from signing.trust import TrustStore

HOLD = "certificate_hold"
MAX_RETRIES = 16  # with older evidence


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """A path that is asked about in the past.

    The path is validated at `signed_at`. What nothing in `proofs` says the age of is taken to exist at `at`,
    the time that the whole verification is about; `known_at` is up to when facts count.
    """

    usage: str
    signed_at: datetime
    trust: TrustStore
    revocation: RevocationSnapshot
    policy: Policy
    at: datetime
    known_at: datetime | None
    proofs: Proofs = NO_PROOFS
    offered: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a thing does not count today: a reason, whose thing it is, and what is missing.

    `evidence` is the fingerprint of the list or answer that it is about, if it is about one.
    """

    reason: Reason
    certificate: Certificate
    why: str
    evidence: str = ""

    @property
    def detail(self) -> str:
        """For people."""
        return f"{self.certificate.common_name}: {self.why}"


@dataclass(frozen=True, slots=True)
class _Limit:
    """The time up to which things that an authority signed must be known to exist, and why.

    Where the key may be in other hands (`is_revoked`), a thing without any proof is never early enough.
    """

    time: datetime
    authority: Certificate
    is_revoked: bool

    def excludes(self, proved: datetime | None, assumed: datetime) -> bool:
        """Whether a thing proved, or else assumed, to be of that time is too late."""
        if self.is_revoked:
            return proved is None or proved >= self.time
        return (proved or assumed) > self.time


def validate_in_past(
    leaf: Certificate, question: PathQuestion, *, signed: datetime | None
) -> tuple[PathResult, tuple[Objection, ...]]:
    """The path at the time of signing, and what speaks against it today.

    `signed` is since when the thing that the leaf signed is proved to exist, None without a proof. Where the
    newest evidence of a path that passes is not old enough, the path is judged again without it, as long as
    there is older one; a revocation that any evidence knows of stays known. Never raises.
    """
    first = result = _path(leaf, question, question.revocation)
    found = left = tuple(_objections(first, question, signed))
    dropped: set[str] = set()
    for _ in range(MAX_RETRIES if question.proofs and first.passed else 0):
        late = {one.evidence for one in left if one.evidence}
        if not late:
            break
        dropped |= late
        result = _path(leaf, question, _without(question.revocation, dropped))
        if not result.passed or result.path != first.path:
            return first, found
        result = replace(result, statuses=_with_known(result, first), revoked_at=first.revoked_at)
        left = tuple(_objections(result, question, signed))
    return (first, found) if left else (result, left)


def survives(status: RevocationStatus, proved: datetime | None, policy: Policy) -> bool:
    """Whether what a key signed outlives a later revocation of its certificate.

    `proved` is since when the signed thing is known to exist. Not where the key may have been in other hands
    before the revocation says so: unless the authority states since when (RFC 5280, 5.3.2), or the policy
    takes the day of the revocation for it, as EN 319 102-1 does.
    """
    if status.revoked_at is None:
        return True
    if policy.later_revocation != "counts" and status.reason in ORDERLY_ENDINGS:
        return True
    if proved is None or proved >= status.revoked_at:
        return False
    return status.since_is_stated or policy.later_revocation == "ignored"


def _path(leaf: Certificate, question: PathQuestion, revocation: RevocationSnapshot) -> PathResult:
    return validate_path(
        leaf,
        question.offered,
        question.trust,
        at=question.signed_at,
        usage=question.usage,
        revocation=revocation,
        policy=question.policy,
        known_at=question.known_at,
    )


def _objections(result: PathResult, question: PathQuestion, signed: datetime | None) -> Iterator[Objection]:
    """From the anchor down: every certificate and its evidence against the limits of those above it."""
    if _is_untouched(result, question):
        return
    statuses = dict(result.statuses)
    limits: list[_Limit] = []
    for below, authority in reversed(list(pairwise(result.path))):
        limits += _limits_of(authority, statuses.get(authority), question)
        yield from _broken(below, authority, question)
        proved = question.proofs.of(below.fingerprint)
        for limit in _first(limits, proved, question.at):
            yield _too_late(limit, below, "the certificate")
        status = statuses.get(below)
        proved = question.proofs.of(status.source.partition(":")[2]) if status and status.source else None
        if status and status.source:
            yield from _broken_evidence(below, authority, status, question)
            for limit in _first(limits, proved, question.at):
                late = _too_late(limit, below, "the evidence of its status")
                yield replace(late, evidence=status.source.partition(":")[2])
    for limit in _first(limits, signed, question.at):
        yield _too_late(limit, result.path[0], "what it signed")


def _is_untouched(result: PathResult, question: PathQuestion) -> bool:
    """The usual case: nothing on the path has ended or was revoked, and no algorithm ends by this policy."""
    return (
        not question.policy.algorithm_ends
        and not question.policy.strength
        and all(status.revoked_at is None for _, status in result.statuses)
        and all(question.at <= authority.not_after for authority in result.path[1:])
    )


def _limits_of(
    authority: Certificate, status: RevocationStatus | None, question: PathQuestion
) -> Iterator[_Limit]:
    if question.policy.after_end == "needs_proof" and question.at > authority.not_after:
        yield _Limit(authority.not_after, authority, is_revoked=False)
    if status is None or status.revoked_at is None or status.reason in ORDERLY_ENDINGS | {HOLD}:
        return
    yield _Limit(status.revoked_at, authority, is_revoked=True)


def _first(limits: list[_Limit], proved: datetime | None, assumed: datetime) -> list[_Limit]:
    """The limit that a thing breaks, the worst one; none for a thing that keeps them all."""
    broken = [limit for limit in limits if limit.excludes(proved, assumed)]
    return sorted(broken, key=lambda limit: (not limit.is_revoked, limit.time))[:1]


def _too_late(limit: _Limit, certificate: Certificate, what: str) -> Objection:
    name, day = limit.authority.common_name, limit.time.isoformat()
    if limit.is_revoked:
        why = f"{what} is not proved to be older than the revocation of {name} on {day}"
        return Objection(Reason.AUTHORITY_REVOKED_WITHOUT_PROOF, certificate, why)
    why = f"{what} is not proved to be older than the end of {name} on {day}"
    return Objection(Reason.NO_PROOF_OF_EXISTENCE, certificate, why)


def _broken(below: Certificate, authority: Certificate, question: PathQuestion) -> Iterator[Objection]:
    """A certificate by an algorithm that counts no longer, and nothing proves that it is older than that."""
    existed = question.proofs.of(below.fingerprint) or question.at
    if existed <= question.signed_at:  # judged with the path
        return
    try:
        key = authority.public_key
        objection = question.policy.objection_to(below.signature_algorithm(key), key, at=existed)
    except (UnknownAlgorithm, MalformedInput):  # said by the path
        return
    if objection:
        why = f"{objection}, and the certificate is not proved to be older"
        yield Objection(Reason.ALGORITHM_ENDED, below, why)


def _broken_evidence(
    below: Certificate, authority: Certificate, status: RevocationStatus, question: PathQuestion
) -> Iterator[Objection]:
    """Evidence by an algorithm that counts no longer, where nothing proves that it is older than that."""
    kind, _, name = status.source.partition(":")
    existed = question.proofs.of(name) or question.at
    if existed <= question.signed_at:
        return
    known = question.revocation
    evidence: tuple[Crl | OcspAnswer, ...] = known.crls if kind == "crl" else known.ocsp
    for one in (one for one in evidence if one.fingerprint == name):
        signers = (authority, *(one.certificates if isinstance(one, OcspAnswer) else ()))
        if objection := _objection_to(one.signature_identifier, signers, existed, question.policy):
            why = f"{objection}, and the evidence of its status is not proved to be older"
            yield Objection(Reason.ALGORITHM_ENDED, below, why, name)


def _objection_to(
    identifier: bytes, signers: Iterable[Certificate], at: datetime, policy: Policy
) -> str | None:
    """What a policy has against a signature of that time, by the first of the keys that it can be of."""
    for signer in signers:
        try:
            key = signer.public_key
            return policy.objection_to(algorithm_by_identifier(identifier, key.kind), key, at=at)
        except (UnknownAlgorithm, MalformedInput):
            continue
    return None


def _without(known: RevocationSnapshot, dropped: set[str]) -> RevocationSnapshot:
    """The evidence but for some of it."""
    return RevocationSnapshot(
        (crl for crl in known.crls if crl.fingerprint not in dropped),
        (answer for answer in known.ocsp if answer.fingerprint not in dropped),
    )


def _with_known(proved: PathResult, known: PathResult) -> tuple[tuple[Certificate, RevocationStatus], ...]:
    """The statuses by older evidence, with the revocations that all of the evidence together knows of."""
    said = dict(known.statuses)
    return tuple(
        (
            one,
            replace(
                status,
                revoked_at=said[one].revoked_at,
                reason=said[one].reason,
                since_is_stated=said[one].since_is_stated,
            )
            if one in said
            else status,
        )
        for one, status in proved.statuses
    )
