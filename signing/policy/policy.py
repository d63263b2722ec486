"""What a verifier demands, as one frozen value with a hash.

The hash stands in every report: two offices with the same policy, snapshots and time reach the same
verdict. How a policy is written down is `signing.policy.files`; what it demands of a signature that is right
otherwise is checked by `signing.policy.demands`. Certificate policies (RFC 5280, 4.2.1.4) are another thing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import Field, dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from signing.algorithms import ALGORITHMS
from signing.policy.files import read_fields, write_fields
from signing.policy.levels import CHANGES, Changes, Demand, Level
from signing.policy.strength import strength_table
from signing.trust import TrustStore
from signing.usages import usage as usage_row
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.algorithms import Algorithm
    from signing.keys import PublicKey

    Anchors = tuple[tuple[str, frozenset[str]], ...]

_KNOWN = frozenset(row.name for row in ALGORITHMS)


_CHOICES: dict[str, tuple[str, ...]] = {
    "revocation": ("require", "if_available"),
    "after_end": ("needs_proof", "believed"),
    "later_revocation": ("counts", "counts_if_compromised", "ignored"),
    "allowed_changes": CHANGES,
    "type_metadata": ("if_available", "require"),
}
ISSUER_WAYS = ("x5c", "metadata")
# Demands that came later are told only where they differ from the default, so that a policy written before
# has the hash that it had.
_LATER = frozenset({"issuer_keys", "type_metadata"})


@dataclass(frozen=True, slots=True)
class Policy:
    """A validation policy (验证策略).

    Algorithms: `algorithms` are names of the algorithm table; `algorithm_ends` the moments after which an
    algorithm no longer counts, as pairs of name and time; `strength` names a published table of ends
    (`signing.policy.strength`), where the earlier end counts; `min_rsa_bits` is the shortest RSA key.

    Trust: `anchors` are fingerprints (SHA-256, hex) with the uses that each may serve here (none: all that
    the trust store gives it); empty means every anchor of the store. `trust_snapshots` are the only trust
    stores, by their snapshot, that this policy decides by (empty: any). With `strict_usage` a certificate
    must carry the key usage and extended key usage of its use; without, absence means no restriction (RFC
    5280, 4.2.1.12). `certificate_policies` are the certificate policies (RFC 5280, 4.2.1.4) that are
    accepted, as object identifiers (empty: any); they bind where `require_certificate_policy` or an
    authority demands one. `inhibit_policy_mapping` and `inhibit_any_policy` refuse mapped policies and
    anyPolicy (6.1.1).

    Revocation: with `require`, a certificate of which nothing is known leaves the verdict indeterminate; with
    `if_available` it may pass. `max_revocation_age` bounds how old evidence may be at the time asked about
    (None: up to its own next update). With `evidence_after_proof` a signer's status counts only from evidence
    of the proved time or later. `after_end` says of what an ended certificate signed (an authority's
    certificates and lists, an authority's time-stamps) whether it needs a proof that it existed before that
    end. `later_revocation` says when a revocation after the proved time counts now: always, only where the
    key may be in other hands, or never (EN 319 102-1); a stated moment since when the key is bad goes first.

    Documents: `demand` holds for every signature on a document, `licence_types` holds more for documents that
    are a licence of a type, by its code. `allowed_changes` says what may be added behind a signature:
    nothing, archive data, later signatures and fields filled in before one of those (`form`), empty fields
    that nobody signed for and notes that the signature permits (`permitted`), other values of fields that
    nobody signed for (`filled`), comments (`annotation`). `require_timestamp` is level B-T.

    Credentials: `issuer_keys` says how the keys of an issuer, by its `iss`, are found: by certificates
    (`x5c`), or among those that it publishes (`metadata`); every other issuer is known by its certificates,
    and no credential chooses (SD-JWT VC, 7.3). With `type_metadata` required, a type that nothing is known of
    does not pass.

    Time: `clock_skew` is how far another machine's clock may be ahead; it never stretches a certificate's
    validity.
    """

    name: str = "default"
    version: str = "1"
    algorithms: frozenset[str] = _KNOWN
    algorithm_ends: tuple[tuple[str, datetime], ...] = ()
    strength: str = ""
    min_rsa_bits: int = 2048
    anchors: Anchors = ()
    trust_snapshots: frozenset[str] = frozenset()
    require_timestamp: bool = False
    demand: Demand = Demand()  # noqa: RUF009 - frozen
    licence_types: tuple[tuple[str, Demand], ...] = ()
    allowed_changes: Changes = "permitted"
    issuer_keys: tuple[tuple[str, str], ...] = ()
    type_metadata: Literal["if_available", "require"] = "if_available"
    revocation: Literal["require", "if_available"] = "require"
    max_revocation_age: timedelta | None = None
    evidence_after_proof: bool = False
    after_end: Literal["needs_proof", "believed"] = "needs_proof"
    later_revocation: Literal["counts", "counts_if_compromised", "ignored"] = "counts_if_compromised"
    clock_skew: timedelta = timedelta(minutes=5)
    strict_usage: bool = True
    certificate_policies: frozenset[str] = frozenset()
    require_certificate_policy: bool = False
    inhibit_policy_mapping: bool = False
    inhibit_any_policy: bool = False
    publishing_issuers: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())
    _ends: Mapping[str, datetime] = field(init=False, repr=False, compare=False, default_factory=dict)
    _hash: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        if unknown := (self.algorithms | {name for name, _ in self.algorithm_ends}) - _KNOWN:
            raise UsageError(f"unknown algorithms: {', '.join(sorted(unknown))}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} is {' or '.join(choices)}")
        if self.strength:
            strength_table(self.strength)
        for _, usages in self.anchors:
            for name in usages:
                usage_row(name)
        if any(way not in ISSUER_WAYS for _, way in self.issuer_keys):
            raise UsageError(f"the way to an issuer's keys is {' or '.join(ISSUER_WAYS)}")
        for name in ("algorithm_ends", "anchors", "issuer_keys", "licence_types"):
            pairs: tuple[tuple[str, Any], ...] = getattr(self, name)
            if len(dict(pairs)) != len(pairs):
                raise UsageError(f"{name} says something twice")
            object.__setattr__(self, name, tuple(sorted(pairs, key=lambda pair: pair[0])))
        object.__setattr__(self, "_ends", dict(self.algorithm_ends))
        published = frozenset(name for name, way in self.issuer_keys if way == "metadata")
        object.__setattr__(self, "publishing_issuers", published)

    @classmethod
    def default(cls) -> Policy:
        """What we demand unless told otherwise: every algorithm we know, and known revocation status."""
        return _default()

    @classmethod
    def from_toml(cls, data: bytes) -> Policy:
        """A policy from a TOML file; `MalformedInput` for an unknown key or a value of another kind."""
        try:
            return cls(**read_fields(data))
        except UsageError as exc:
            raise MalformedInput("policy", exc.detail) from exc

    def to_toml(self) -> str:
        """As a file that says every demand, also those that are the default's."""
        return write_fields({item.name: getattr(self, item.name) for item in _demands()})

    def to_dict(self) -> dict[str, Any]:
        """As JSON, in the form that the hash is made of: a table of strength with its rows."""
        told = [
            item for item in _demands() if item.name not in _LATER or getattr(self, item.name) != item.default
        ]
        answer = {item.name: _plain(getattr(self, item.name)) for item in told}
        answer["strength"] = strength_table(self.strength).to_dict() if self.strength else None
        return answer

    @property
    def hash(self) -> str:
        """SHA-256 of the policy, in hex."""
        if not self._hash:
            text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            object.__setattr__(self, "_hash", hashlib.sha256(text.encode()).hexdigest())
        return self._hash

    def objection_to(self, algorithm: Algorithm, key: PublicKey, *, at: datetime) -> str | None:
        """Why a signature of this algorithm and key, made at that time, is not accepted; None when it is."""
        if algorithm.name not in self.algorithms:
            return f"{algorithm.name} is not in the policy"
        if self._ends or self.strength:
            end = self.end_of(algorithm, key)
            if end is not None and at > end:
                return f"{algorithm.name} counts up to {end.date()} only"
        return self.objection_to_key(key) if key.kind == "RSA" else None

    def objection_to_key(self, key: PublicKey) -> str | None:
        """Why this key is not accepted, whatever it signs; None when it is."""
        if key.kind == "RSA" and key.size_bits < self.min_rsa_bits:
            return f"RSA key of {key.size_bits} bits, at least {self.min_rsa_bits} are demanded"
        return None

    def end_of(self, algorithm: Algorithm, key: PublicKey) -> datetime | None:
        """Until when a signature of this algorithm and key counts, by policy and table; None: no end."""
        ends = [self._ends.get(algorithm.name)]
        if self.strength:
            ends.append(strength_table(self.strength).ends(algorithm, key))
        return min((end for end in ends if end), default=None)

    def trusted(self, trust: TrustStore) -> TrustStore:
        """What of a trust store counts under this policy: the store itself where the policy names nothing."""
        if not self.anchors and not self.trust_snapshots:
            return trust
        return _restricted(self.anchors, self.trust_snapshots, trust)

    def demand_for(self, licence_type: str | None = None) -> Demand:
        """What is demanded of the signatures on a document, or on a licence of this type."""
        found = dict(self.licence_types).get(licence_type or "", self.demand)
        if self.require_timestamp and found.level is Level.B_B:
            return replace(found, level=Level.B_T)
        return found

    def without_levels(self) -> Policy:
        """The same demands but for levels: whoever extends a signature is about to bring it there."""
        types = tuple((code, replace(own, level=Level.B_B)) for code, own in self.licence_types)
        demand = replace(self.demand, level=Level.B_B)
        return replace(self, demand=demand, licence_types=types, require_timestamp=False)

    def allows_change(self, change: Changes) -> bool:
        """Whether this may stand behind a signature, as far as the policy goes."""
        return CHANGES.index(change) <= CHANGES.index(self.allowed_changes)

    def with_changes(self, **changes: Any) -> Policy:
        """A copy with some fields changed."""
        return replace(self, **changes)


def _demands() -> list[Field[Any]]:
    return [item for item in fields(Policy) if item.init]


@lru_cache(maxsize=16)
def _restricted(anchors: Anchors, snapshots: frozenset[str], trust: TrustStore) -> TrustStore:
    if snapshots and trust.snapshot_id not in snapshots:
        return TrustStore(())
    named, kept = dict(anchors), []
    for anchor in trust.anchors:
        wanted = named.get(anchor.certificate.fingerprint, frozenset() if not anchors else None)
        if wanted is None:
            continue
        usages = anchor.usages & wanted if anchor.usages and wanted else anchor.usages | wanted
        if usages or not (anchor.usages or wanted):  # no use in common: not trusted here at all
            periods = tuple(period for period in anchor.periods if period.usage in usages)
            kept.append(replace(anchor, usages=usages, periods=periods))
    return TrustStore(kept, trust.known)


def _plain(value: Any) -> Any:
    if isinstance(value, Demand):
        return {"level": str(value.level), "usages": sorted(value.usages)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [[name, _plain(item)] for name, item in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime) else value


@cache
def _default() -> Policy:
    return Policy()
