"""What a verifier demands, as one frozen value with a hash.

The hash stands in every report: two offices with the same policy, snapshots and time reach the same
verdict. A policy file is TOML with strict keys, because a misspelt demand is a demand that is not made.
Certificate policies (RFC 5280, 4.2.1.4) are another thing.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from signing.algorithms import ALGORITHMS
from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.algorithms import Algorithm
    from signing.keys import PublicKey

MAX_POLICY_BYTES = 64 * 1024
_IDENTIFIER = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,63}")
_KNOWN = frozenset(row.name for row in ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Policy:
    """A validation policy (验证策略).

    `algorithms` are names of the algorithm table; `algorithm_ends` the moments after which an algorithm
    no longer counts, as pairs of name and time. `revocation` says whether a certificate whose status
    is not known may pass. `max_revocation_age` bounds how old evidence may be at the time asked about
    (None: up to its own next update). `clock_skew` is how far another machine's clock may be ahead; it
    never stretches a certificate's validity. With `strict_usage` a certificate must carry the key
    usage and extended key usage of its use; without, absence means no restriction (RFC 5280, 4.2.1.12).
    With `evidence_after_proof` a certificate's status counts only from evidence of the proved time or later.
    `after_end` says of what an ended certificate signed (an authority's certificates and lists, an
    authority's time-stamps) whether it needs a proof that it existed before that end. `later_revocation`
    says when a revocation after the proved time counts now: always, only where the key may be in other
    hands, or never (EN 319 102-1); a stated moment since when the key is bad goes before all three.
    `certificate_policies` are the certificate policies (RFC 5280, 4.2.1.4) that are accepted, as object
    identifiers (empty: any); they bind where `require_certificate_policy` or an authority demands one.
    `inhibit_policy_mapping` and `inhibit_any_policy` refuse mapped policies and anyPolicy (6.1.1).
    """

    name: str = "default"
    version: str = "1"
    algorithms: frozenset[str] = _KNOWN
    algorithm_ends: tuple[tuple[str, datetime], ...] = ()
    min_rsa_bits: int = 2048
    require_timestamp: bool = False
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
    _ends: Mapping[str, datetime] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := (self.algorithms | {name for name, _ in self.algorithm_ends}) - _KNOWN:
            raise UsageError(f"unknown algorithms: {', '.join(sorted(unknown))}")
        if self.revocation not in {"require", "if_available"}:
            raise UsageError("revocation is require or if_available")
        if self.after_end not in {"needs_proof", "believed"}:
            raise UsageError("after_end is needs_proof or believed")
        if self.later_revocation not in {"counts", "counts_if_compromised", "ignored"}:
            raise UsageError("later_revocation is counts, counts_if_compromised or ignored")
        object.__setattr__(self, "algorithm_ends", tuple(sorted(self.algorithm_ends)))
        object.__setattr__(self, "_ends", dict(self.algorithm_ends))

    @classmethod
    def default(cls) -> Policy:
        """What we demand unless told otherwise: every algorithm we know, and known revocation status."""
        return cls()

    @classmethod
    def from_toml(cls, data: bytes) -> Policy:
        """A policy from a TOML file; `MalformedInput` for an unknown key or a value of another kind.

        Keys are the field names above; durations are `clock_skew_seconds` and
        `max_revocation_age_seconds`, ends are a table `[algorithm_ends]` of name and date.
        """
        if len(data) > MAX_POLICY_BYTES:
            raise TooLarge("policy", f"over {MAX_POLICY_BYTES} bytes")
        try:
            table = tomllib.loads(data.decode("utf-8"))
            return cls(**{_field(key): _value(key, value) for key, value in table.items()})
        except (ValueError, RecursionError) as exc:
            raise MalformedInput("policy", str(exc)[:200]) from exc
        except UsageError as exc:
            raise MalformedInput("policy", exc.detail) from exc

    def to_dict(self) -> dict[str, Any]:
        """As JSON, in the form that the hash is made of."""
        answer: dict[str, Any] = {}
        for item in fields(self):
            if not item.name.startswith("_"):
                answer[item.name] = _plain(getattr(self, item.name))
        return answer

    @property
    def hash(self) -> str:
        """SHA-256 of the policy, in hex."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def objection_to(self, algorithm: Algorithm, key: PublicKey, *, at: datetime) -> str | None:
        """Why a signature of this algorithm and key, made at that time, is not accepted; None when it is."""
        if algorithm.name not in self.algorithms:
            return f"{algorithm.name} is not in the policy"
        end = self._ends.get(algorithm.name)
        if end is not None and at > end:
            return f"{algorithm.name} counts up to {end.date()} only"
        return self.objection_to_key(key)

    def objection_to_key(self, key: PublicKey) -> str | None:
        """Why this key is not accepted, whatever it signs; None when it is."""
        if key.kind == "RSA" and key.size_bits < self.min_rsa_bits:
            return f"RSA key of {key.size_bits} bits, at least {self.min_rsa_bits} are demanded"
        return None

    def with_changes(self, **changes: Any) -> Policy:
        """A copy with some fields changed."""
        return replace(self, **changes)


_DURATIONS = {"clock_skew_seconds": "clock_skew", "max_revocation_age_seconds": "max_revocation_age"}
_LONGEST_SECONDS = 100 * 365 * 86400


def _field(key: str) -> str:
    if key not in _READERS:
        raise ValueError(f"unknown key {key!r}")
    return _DURATIONS.get(key, key)


def _value(key: str, value: Any) -> Any:
    kind, reader = _READERS[key]
    if type(value) is not kind:
        raise ValueError(f"{key} is not of the kind {kind.__name__}")
    return reader(value) if reader else value


def _duration(seconds: int) -> timedelta:
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise ValueError("a duration is out of range")
    return timedelta(seconds=seconds)


def _names(value: list[Any]) -> frozenset[str]:
    if not all(isinstance(name, str) for name in value):
        raise ValueError("algorithms are names")
    return frozenset(value)


def _identifiers(value: list[Any]) -> frozenset[str]:
    if not all(isinstance(name, str) and _IDENTIFIER.fullmatch(name) for name in value):
        raise ValueError("certificate policies are object identifiers, as 1.2.156.1")
    return frozenset(value)


def _ends(value: dict[str, Any]) -> tuple[tuple[str, datetime], ...]:
    return tuple((name, _end_of(day)) for name, day in value.items())


def _end_of(day: Any) -> datetime:
    if type(day) is not date:
        raise ValueError("an algorithm ends on a date")
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)


_READERS: dict[str, tuple[type, Callable[[Any], Any] | None]] = {
    "name": (str, None),
    "version": (str, None),
    "algorithms": (list, _names),
    "algorithm_ends": (dict, _ends),
    "min_rsa_bits": (int, None),
    "require_timestamp": (bool, None),
    "revocation": (str, None),
    "evidence_after_proof": (bool, None),
    "after_end": (str, None),
    "later_revocation": (str, None),
    "strict_usage": (bool, None),
    "certificate_policies": (list, _identifiers),
    "require_certificate_policy": (bool, None),
    "inhibit_policy_mapping": (bool, None),
    "inhibit_any_policy": (bool, None),
    **dict.fromkeys(_DURATIONS, (int, _duration)),
}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [[name, when.isoformat()] for name, when in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value
