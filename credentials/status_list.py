"""Token Status List (draft-ietf-oauth-status-list): the list, and a verified snapshot of one.

A list is an array of small numbers, one for each credential copy. A snapshot is a list whose token was
verified; nothing else can make one. Fetching tokens is the caller's work, keeping and publishing
them that of `credentials.status_service`.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.signed_messages import MessageSignatures
from credentials.signed_tokens import ChainSignatures, is_failed, moment_check
from credentials.status_tokens import read_status_cwt
from credentials.vocabulary import STATUS_LIST_BITS, STATUS_LIST_CWT_TYP, STATUS_LIST_TYP
from signing.base64url import decode_base64url, encode_base64url
from signing.cose import TYP
from signing.jose import parse_jws
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, Report
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.certificates import Certificate
    from signing.trust import TrustStore

MAX_TTL = timedelta(days=1)  # no issuer can make us keep a list for longer, or
MAX_LIFETIME = timedelta(days=31)  # trust one for longer than this
DEFAULT_TTL = timedelta(hours=1)
MAX_LIST_BYTES = 16 << 20  # inflated: 64 million entries of two bits
_COMPRESSION = 6  # 15 % larger than 9 and fifteen times faster for a million entries


class StatusList:
    """Numbers of 1, 2, 4 or 8 bits in a row, the first in the lowest bits of the first byte (4.1)."""

    __slots__ = ("_per_byte", "_values", "bits")

    def __init__(self, size: int, *, bits: int = 2) -> None:
        """A list of `size` entries, all 0 (valid), rounded up to whole bytes."""
        if bits not in STATUS_LIST_BITS:
            raise UsageError("a status has 1, 2, 4 or 8 bits")
        if not 0 < size <= MAX_LIST_BYTES * 8 // bits:
            raise UsageError("a status list of this size cannot be published")
        self.bits = bits
        self._per_byte = 8 // bits
        self._values = bytearray(-(-size // self._per_byte))

    @classmethod
    def from_bytes(cls, values: bytes, *, bits: int) -> StatusList:
        """The list that these bytes are, uncompressed."""
        answer = cls(max(len(values), 1) * 8 // bits if bits in STATUS_LIST_BITS else 1, bits=bits)
        answer._values = bytearray(values)
        return answer

    @classmethod
    def from_claim(cls, claim: Any, *, limit: int = MAX_LIST_BYTES) -> StatusList:
        """Read the `status_list` claim; `TooLarge` as soon as more than `limit` bytes are inflated."""
        if not isinstance(claim, dict):
            raise MalformedInput("status list", "not an object")
        bits = claim.get("bits")
        if type(bits) is not int or bits not in STATUS_LIST_BITS:
            raise MalformedInput("status list", "TSL 4.2: bits is not 1, 2, 4 or 8")
        return cls.from_bytes(_inflate(decode_base64url(claim.get("lst")), limit), bits=bits)

    def to_claim(self) -> dict[str, Any]:
        """The `status_list` claim of a token."""
        return {"bits": self.bits, "lst": encode_base64url(zlib.compress(self._values, _COMPRESSION))}

    @classmethod
    def from_cbor(cls, claim: Any, *, limit: int = MAX_LIST_BYTES) -> StatusList:
        """Read the status list of a CWT, whose `lst` is a byte string (4.3)."""
        if not isinstance(claim, dict) or not isinstance(claim.get("lst"), bytes):
            raise MalformedInput("status list", "TSL 4.3: no map with lst in bytes")
        return cls.from_claim({**claim, "lst": encode_base64url(claim["lst"])}, limit=limit)

    def to_cbor(self) -> dict[str, Any]:
        """The status list of a CWT."""
        return {"bits": self.bits, "lst": zlib.compress(self._values, _COMPRESSION)}

    def to_bytes(self) -> bytes:
        """The entries, uncompressed."""
        return bytes(self._values)

    def get(self, index: int) -> int:
        """The value of one entry; `NotFound` outside the list."""
        self._check(index)
        shift = index % self._per_byte * self.bits
        return self._values[index // self._per_byte] >> shift & (1 << self.bits) - 1

    def set(self, index: int, value: int) -> None:
        """Change one entry."""
        self._check(index)
        if not 0 <= value < 1 << self.bits:
            raise UsageError(f"{value} does not fit in {self.bits} bits")
        place, shift = index // self._per_byte, index % self._per_byte * self.bits
        cleared = self._values[place] & ~((1 << self.bits) - 1 << shift)
        self._values[place] = cleared | value << shift

    def __len__(self) -> int:
        return len(self._values) * self._per_byte

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StatusList) and (self.bits, self._values) == (other.bits, other._values)

    __hash__ = None  # type: ignore[assignment] # it changes

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise NotFound(f"the status list has no entry {index}")


@dataclass(frozen=True, slots=True)
class StatusSnapshot(Evidence):
    """A status list whose token was verified; only `verify_status_token` leads to one.

    `issued_at` is the token's `iat`, `refresh_at` the end of its ttl counted from when it was fetched,
    `expires_at` the hard end. `digest` is the SHA-256 of the token, in hex.
    """

    uri: str
    statuses: StatusList
    issuer: Certificate
    issued_at: datetime
    refresh_at: datetime
    expires_at: datetime
    digest: str

    @classmethod
    def from_token(  # noqa: PLR0913 - what a verification needs, by the door
        cls,
        token: str | bytes,
        trust: TrustStore,
        *,
        uri: str,
        at: datetime,
        revocation: RevocationSnapshot | None = None,
        policy: Policy | None = None,
    ) -> StatusSnapshot:
        """The snapshot of a token fetched from `uri` at the time `at`; `VerificationFailed` says why not."""
        report = verify_status_token(token, trust, uri=uri, at=at, revocation=revocation, policy=policy)
        return report.require()

    def status(self, index: int) -> int:
        """The status of one credential; `NotFound` outside the list."""
        return self.statuses.get(index)

    def is_fresh(self, now: datetime, *, grace: timedelta = timedelta(0)) -> bool:
        """Whether it may still be relied on: within its ttl and `grace`, and never past its end."""
        return now < self.expires_at and now < self.refresh_at + grace


def verify_status_token(  # noqa: PLR0913 - what a verification needs, by the door
    token: str | bytes,
    trust: TrustStore,
    *,
    uri: str,
    at: datetime,
    revocation: RevocationSnapshot | None = None,
    policy: Policy | None = None,
    signatures: ChainSignatures | None = None,
) -> Report[StatusSnapshot]:
    """Verify a Status List Token (5, 8.3) that was fetched from `uri` at the time `at`.

    A text is read as a JWT, bytes as a CWT. Never raises for a bad token. `signatures` may be handed in to
    remember chains between calls.
    """
    policy = policy or Policy.default()
    revocation = revocation or RevocationSnapshot()
    judge = signatures or ChainSignatures(trust, usage="status", revocation=revocation, policy=policy)
    if isinstance(token, bytes):
        checks, made = _examine_cwt(token, judge, uri, at, policy)
    else:
        checks, made = _examine_jwt(token, judge, uri, at, policy)
    snapshots = {"trust": trust.snapshot_id, "revocation": revocation.snapshot_id}
    raw = token if isinstance(token, bytes) else str(token).encode("utf-8", "replace")
    digest = hashlib.sha256(raw).hexdigest()
    return Report(
        "status-list",
        digest,
        at,
        at,
        checks,
        policy.hash,
        snapshots,
        {"uri": uri},
        (lambda key: StatusSnapshot(key, uri, **made, digest=digest)) if made else None,
    )


_Made = dict[str, Any] | None


def _examine_jwt(
    text: str, judge: ChainSignatures, uri: str, at: datetime, policy: Policy
) -> tuple[tuple[Check, ...], _Made]:
    try:
        token = parse_jws(text)
        claims = token.claims()
    except MalformedInput as exc:
        return (_format_check(exc),), None
    signed = judge.examine(token, at=at)
    checks = (Check("format"), _type_check(token.header.get("typ"), STATUS_LIST_TYP), *signed.checks)
    if is_failed(checks) or signed.certificate is None:
        return checks, None
    return _examine_claims(checks, claims, StatusList.from_claim, signed.certificate, uri, at, policy)


def _examine_cwt(
    data: bytes, judge: ChainSignatures, uri: str, at: datetime, policy: Policy
) -> tuple[tuple[Check, ...], _Made]:
    try:
        message, claims = read_status_cwt(data)
        chain, checks = MessageSignatures(policy).examine(message, at=at)
    except MalformedInput as exc:
        return (_format_check(exc),), None
    checks = (Check("format"), _type_check(message.protected.get(TYP), STATUS_LIST_CWT_TYP), *checks)
    if is_failed(checks) or not chain or any(check.reason for check in checks):
        return checks, None
    checks += judge.path_checks(chain, at, None)
    if is_failed(checks):
        return checks, None
    return _examine_claims(checks, claims, StatusList.from_cbor, chain[0], uri, at, policy)


def _examine_claims(  # noqa: PLR0913, PLR0917 - what both forms have in common
    checks: tuple[Check, ...],
    claims: Mapping[str, Any],
    read: Callable[[Any], StatusList],
    issuer: Certificate,
    uri: str,
    at: datetime,
    policy: Policy,
) -> tuple[tuple[Check, ...], _Made]:
    checks += (_subject_check(claims, uri), *_lifetime_checks(claims, at, policy))
    if is_failed(checks):
        return checks, None
    try:
        statuses = read(claims.get("status_list"))
    except MalformedInput as exc:
        return (*checks, _format_check(exc)), None
    return checks, {"statuses": statuses, "issuer": issuer, **_times(claims, at)}


def _format_check(exc: MalformedInput) -> Check:
    reason = Reason.TOO_LARGE if isinstance(exc, TooLarge) else Reason.FORMAT_FAILURE
    return Check("format", reason, detail=exc.detail)


def _type_check(found: Any, wanted: str) -> Check:
    if found == wanted:
        return Check("type")
    return Check("type", Reason.WRONG_TYPE, detail=f"TSL 5: typ is not {wanted}")


def _subject_check(claims: Mapping[str, Any], uri: str) -> Check:
    if claims.get("sub") == uri:
        return Check("subject")
    return Check("subject", Reason.STATUS_REFERENCE_INVALID, detail="TSL 8.3: sub is not the list's address")


def _lifetime_checks(claims: Mapping[str, Any], at: datetime, policy: Policy) -> tuple[Check, ...]:
    ttl = claims.get("ttl", 1)
    if "iat" not in claims or type(ttl) not in {int, float} or ttl <= 0:
        return (
            Check("validity", Reason.CLAIM_INVALID, detail="TSL 5.1: iat is missing or ttl is not positive"),
        )
    return moment_check(claims, at=at, skew=policy.clock_skew)


def _times(claims: Mapping[str, Any], at: datetime) -> dict[str, datetime]:
    issued = datetime.fromtimestamp(claims["iat"], UTC)
    ttl = timedelta(seconds=min(claims.get("ttl", DEFAULT_TTL.total_seconds()), MAX_TTL.total_seconds()))
    end = issued + MAX_LIFETIME
    if "exp" in claims:
        end = datetime.fromtimestamp(min(claims["exp"], end.timestamp()), UTC)
    return {"issued_at": issued, "refresh_at": at + ttl, "expires_at": end}


def _inflate(data: bytes, limit: int) -> bytes:
    work = zlib.decompressobj()
    try:
        values = work.decompress(data, limit + 1)
    except zlib.error as exc:
        raise MalformedInput("status list", "TSL 4.1: not a ZLIB stream") from exc
    if len(values) > limit:
        raise TooLarge("status list", f"inflates to more than {limit} bytes")
    if not work.eof or work.unused_data or work.unconsumed_tail:
        raise MalformedInput("status list", "TSL 4.1: the ZLIB stream is cut off or followed by more")
    if not values:
        raise MalformedInput("status list", "no entries")
    return values
