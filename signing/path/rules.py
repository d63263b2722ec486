"""The rules that a found path must keep: validity, constraints, usage, algorithms (RFC 5280, 6.1).

Each rule is a function from a path to the faults it finds. What we do not process fails closed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from signing.path.certificate_policies import certificate_policy_faults
from signing.path.facts import Facts, facts_of
from signing.path.name_constraints import name_faults
from signing.reasons import Reason
from signing.usages import Usage
from signing.usages import usage as usage_row
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.path.build import Path
    from signing.policy import Policy
    from signing.trust import TrustStore

# Asked for instead of a row of `signing.usages` when the end of the path is itself an authority.
AUTHORITY = "authority"
# Asked for when the end of the path signs revocation lists for others than itself (RFC 5280, 6.3.3 (f)).
LIST_SIGNER = "list signer"
NOT_LEAF_USAGES = frozenset({AUTHORITY, LIST_SIGNER})
_ANY_EXTENDED = "2.5.29.37.0"


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that a certificate breaks."""

    reason: Reason
    certificate: Certificate
    why: str

    @property
    def detail(self) -> str:
        """Which certificate and why, for people."""
        return f"{self.certificate.common_name}: {self.why}"


def validity_faults(path: Path, at: datetime) -> Iterator[Fault]:
    """Certificates that are not valid at that time; the anchor's own dates count too."""
    for certificate in path:
        if at < certificate.not_before:
            why = f"valid from {certificate.not_before.isoformat()}"
            yield Fault(Reason.CERTIFICATE_NOT_YET_VALID, certificate, why)
        elif not certificate.is_valid_at(at):
            yield Fault(
                Reason.CERTIFICATE_EXPIRED, certificate, f"valid to {certificate.not_after.isoformat()}"
            )


def constraint_faults(path: Path, policy: Policy) -> Iterator[Fault]:
    """Basic constraints, path length, names, policies, certificate signing, extensions not understood."""
    for certificate in path:
        for why in _extension_faults(certificate):
            yield Fault(Reason.CHAIN_CONSTRAINTS_FAILURE, certificate, why)
    below = 0  # authorities below the one looked at that are not self-issued (RFC 5280, 4.2.1.9)
    if not facts_of(path[0]).is_authority and "key_cert_sign" in (facts_of(path[0]).key_usage or ()):
        # RFC 5280, 4.2.1.9
        yield Fault(Reason.CHAIN_CONSTRAINTS_FAILURE, path[0], "may sign certificates and is no authority")
    for authority in path[1:]:
        facts = facts_of(authority)
        for why in _authority_faults(facts, below):
            yield Fault(Reason.CHAIN_CONSTRAINTS_FAILURE, authority, why)
        below += not authority.is_self_issued
    for certificate, why in (*name_faults(path), *certificate_policy_faults(path, policy)):
        yield Fault(Reason.CHAIN_CONSTRAINTS_FAILURE, certificate, why)


def anchor_faults(path: Path, usage: str, trust: TrustStore, at: datetime) -> Iterator[Fault]:
    """Whether the anchor counted at that time: a trust list may have named it for a while only."""
    anchor = trust.anchor_of(path[-1])
    named = None if usage in NOT_LEAF_USAGES else usage
    if anchor is not None and not anchor.counts_at(at, named):
        why = f"this trust anchor did not count for the use {usage} at that time"
        yield Fault(Reason.NO_CERTIFICATE_CHAIN_FOUND, path[-1], why)


def turning_points(path: Path, trust: TrustStore, policy: Policy) -> Iterator[datetime | None]:
    """Every moment at which a rule here may come out otherwise: what depends on time is listed here."""
    for certificate in path:
        yield from (certificate.not_before, certificate.not_after)
    if anchor := trust.anchor_of(path[-1]):
        for period in anchor.periods:
            yield from (period.since, period.until)
    for certificate, issuer in pairwise(path):
        with suppress(UnknownAlgorithm, MalformedInput):
            key = issuer.public_key
            yield policy.end_of(certificate.signature_algorithm(key), key)


def usage_faults(path: Path, usage: str, trust: TrustStore, *, strict: bool) -> Iterator[Fault]:
    """Whether the leaf may be used so, and everybody above it may certify for that use."""
    leaf, anchor = path[0], trust.anchor_of(path[-1])
    if anchor is None or (usage not in NOT_LEAF_USAGES and not anchor.serves(usage)):
        yield Fault(Reason.WRONG_KEY_USAGE, path[-1], f"this trust anchor is not trusted for the use {usage}")
    if usage == AUTHORITY:
        for why in _authority_faults(facts_of(leaf), 0):
            yield Fault(Reason.WRONG_KEY_USAGE, leaf, why)
        return
    if usage == LIST_SIGNER:
        if "crl_sign" not in (facts_of(leaf).key_usage or ()):
            yield Fault(Reason.WRONG_KEY_USAGE, leaf, "its key may not sign revocation lists")
        return
    row = usage_row(usage)
    for why in _leaf_faults(facts_of(leaf), row, strict=strict):
        yield Fault(Reason.WRONG_KEY_USAGE, leaf, why)
    for authority in path[1:]:
        extended = facts_of(authority).extended
        if extended is not None and extended.isdisjoint({row.extended, _ANY_EXTENDED}):
            yield Fault(Reason.WRONG_KEY_USAGE, authority, f"may not certify for the use {usage}")


def algorithm_faults(path: Path, policy: Policy, at: datetime) -> Iterator[Fault]:
    """Signatures and keys that the policy does not accept; the anchor's own signature proves nothing."""
    for certificate, issuer in pairwise(path):
        try:
            key = issuer.public_key
            objection = policy.objection_to(certificate.signature_algorithm(key), key, at=at)
        except (UnknownAlgorithm, MalformedInput) as exc:
            objection = str(exc)
        if objection:
            yield Fault(Reason.ALGORITHM_NOT_ALLOWED, certificate, objection)
    try:
        objection = policy.objection_to_key(path[0].public_key)
    except MalformedInput as exc:
        objection = str(exc)
    if objection:
        yield Fault(Reason.ALGORITHM_NOT_ALLOWED, path[0], objection)


def _extension_faults(certificate: Certificate) -> Iterator[str]:
    facts = facts_of(certificate)
    if facts.constrains_names and not facts.is_authority:  # RFC 5280, 4.2.1.10
        yield "constrains names and is no authority"
    for oid in facts.unknown_critical:
        yield f"unknown critical extension {oid}"


def _authority_faults(facts: Facts, below: int) -> Iterator[str]:
    if not facts.is_authority:
        yield "not an authority, and has issued a certificate"
    if not facts.has_subject:  # RFC 5280, 4.1.2.6
        yield "an authority without a name"
    if facts.key_usage is not None and "key_cert_sign" not in facts.key_usage:
        yield "its key may not sign certificates"
    if facts.path_length is not None and below > facts.path_length:
        yield f"allows {facts.path_length} authorities below it, and there are {below}"


def _leaf_faults(facts: Facts, row: Usage, *, strict: bool) -> Iterator[str]:
    if strict and facts.is_authority:
        yield "an authority's certificate is for certificates only"
    yield from _bit_faults(facts, row, strict=strict)
    if facts.extended is None:
        if strict or row.name in {"timestamp", "ocsp"}:
            yield f"has no extended key usage; {row.name} needs {row.extended}"
    elif row.extended not in facts.extended and (strict or _ANY_EXTENDED not in facts.extended):
        yield f"extended key usage lacks {row.extended} ({row.name})"
    elif row.name == "timestamp" and (len(facts.extended) != 1 or not facts.is_extended_critical):
        yield "RFC 3161, 2.3: time-stamping is the one extended key usage, and critical"


def _bit_faults(facts: Facts, row: Usage, *, strict: bool) -> Iterator[str]:
    # Foreign signers of documents carry either of the two (EN 319 412-2, 4.3.2).
    either = {"digital_signature", "content_commitment"}
    wanted = {row.key_usage} if strict or row.key_usage not in either else either
    if facts.key_usage is None:
        if strict:
            yield f"has no key usage; {row.name} needs {row.key_usage}"
    elif facts.key_usage.isdisjoint(wanted):
        yield f"key usage lacks {row.key_usage} ({row.name})"
