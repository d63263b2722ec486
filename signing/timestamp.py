"""Time-stamps (RFC 3161): ask an authority for one, and check one.

The structures are read and written here by hand; the token's signature is `signing.cms`, its path
`signing.path`. An authority of our own is `ca.tsa`, which uses `read_request`, `token_for` and `granted`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from cryptography import x509

from signing import cms, der
from signing.existence import NO_PROOFS, Proofs
from signing.past import PathQuestion, survives, validate_in_past
from signing.reasons import Reason
from signing.report import Check, Indication
from signing.revocation.snapshot import ORDERLY_ENDINGS
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, Unreachable, YinxinError
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.certificates import Certificate
    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot, RevocationStatus
    from signing.signer import Signer
    from signing.trust import TrustStore
    from yinxin.base.outbound import Outbound
    from yinxin.base.randomness import Randomness

QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"
GRANTED, GRANTED_WITH_MODS, REJECTION = 0, 1, 2
MAX_REPLY_BYTES = 256 * 1024
_LENGTHS = {"sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32}
_TIME_STAMPING = x509.oid.ExtendedKeyUsageOID.TIME_STAMPING
_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,8}[1-9]))?Z")


class Timestamper(Protocol):
    """Gives a token that proves a digest existed at a time."""

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        """A TimeStampToken in DER; raises `Unreachable` when there is none to be had."""
        ...


@dataclass(frozen=True, slots=True)
class TimestampRequest:
    """What a requester asks for (RFC 3161, 2.4.1)."""

    digest_algorithm: str
    digest: bytes
    nonce: int | None = None
    wants_certificates: bool = True
    policy: str | None = None

    def to_der(self) -> bytes:
        """As TimeStampReq."""
        parts = [der.integer(1), _imprint(self.digest_algorithm, self.digest)]
        if self.policy:
            parts.append(der.oid(self.policy))
        if self.nonce is not None:
            parts.append(der.integer(self.nonce))
        if self.wants_certificates:
            parts.append(der.boolean(value=True))
        return der.sequence(*parts)


@dataclass(frozen=True, slots=True)
class TimestampToken:
    """A parsed token (TSTInfo, RFC 3161, 2.4.2). Nothing in it is trustworthy before `verify_timestamp`."""

    signed: cms.SignedData
    digest_algorithm: str
    digest: bytes
    serial: int
    gen_time: datetime
    nonce: int | None
    policy: str


@dataclass(frozen=True, slots=True)
class TimestampResult:
    """What came of a time-stamp: its time when every check passed, else None; the authority's path.

    `is_sound` says that the token itself is in order (what it covers, its signature, what its key is for),
    whoever made it: one that is not was tampered with.
    """

    gen_time: datetime | None
    checks: tuple[Check, ...]
    authority: Certificate | None = None
    path: tuple[Certificate, ...] = ()
    is_sound: bool = False


class HttpTimestamper:
    """Asks an authority over HTTP (RFC 3161, 3.4)."""

    def __init__(self, url: str, outbound: Outbound, *, randomness: Randomness | None = None) -> None:
        """Keep the authority's address and the way out."""
        self._url = url
        self._outbound = outbound
        self._randomness = randomness or SystemRandomness()

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        """A token whose imprint, nonce and signature were checked against the request.

        Whether the authority is trusted shows when the document is verified. Raises `Unreachable` for no
        answer, a refusal, and an answer that is none.
        """
        nonce = int.from_bytes(self._randomness.bytes(8), "big") | 1
        request = TimestampRequest(digest_algorithm, digest, nonce)
        answer = self._outbound.post(
            self._url, request.to_der(), content_type=QUERY_TYPE, max_bytes=MAX_REPLY_BYTES
        )
        kind = _header(answer.headers, "content-type").split(";")[0].strip().lower()
        if answer.status != 200 or kind != REPLY_TYPE:
            raise Unreachable(f"time-stamp authority answered {answer.status} {kind or 'without a type'}")
        try:
            return token_of_reply(answer.body, request)
        except MalformedInput as exc:
            raise Unreachable(f"time-stamp authority: {exc.detail}") from exc


def token_of_reply(reply: bytes, request: TimestampRequest) -> bytes:
    """The token in a TimeStampResp, checked against its request; `Unreachable` for a refusal."""
    status, *rest = der.children(der.read_exactly(reply, der.SEQUENCE))
    code, *explanation = der.children(status)
    if der.read_integer(code) not in {GRANTED, GRANTED_WITH_MODS} or not rest:
        raise Unreachable(f"time-stamp refused, status {der.read_integer(code)}{_said(explanation)}")
    token = parse_token(rest[0].encoded)
    if (token.digest_algorithm, token.digest) != (request.digest_algorithm, request.digest):
        raise MalformedInput("timestamp", "the token is for another digest")
    if token.nonce != request.nonce:
        raise MalformedInput("timestamp", "the token answers another request")
    if not cms.verifies(token.signed):
        raise MalformedInput("timestamp", "the token's signature does not verify")
    return rest[0].encoded


def read_request(data: bytes) -> TimestampRequest:
    """Read a TimeStampReq; `MalformedInput` for anything else, `UnknownAlgorithm` for an unknown hash."""
    version, imprint, *rest = _children(data, at_least=2)
    if der.read_integer(version) != 1:
        raise MalformedInput("timestamp", "not version 1")
    name, digest = _read_imprint(imprint)
    if name not in _LENGTHS:
        raise UnknownAlgorithm(name)
    policy = nonce = None
    certificates = False
    for item in rest:
        if item.tag == der.OID:
            policy = der.read_oid(item)
        elif item.tag == der.INTEGER and len(item.content) <= 32:
            nonce = der.read_integer(item)
        elif item.tag == der.BOOLEAN:
            certificates = item.content == b"\xff"
        else:
            raise MalformedInput("timestamp", "extensions are not known here")
    return TimestampRequest(name, digest, nonce, certificates, policy)


def token_for(request: TimestampRequest, signer: Signer, *, at: datetime, serial: int, policy: str) -> bytes:
    """A TimeStampToken that answers a request; `signer` holds a certificate for time-stamps only."""
    parts = [
        der.integer(1),
        der.oid(policy),
        _imprint(request.digest_algorithm, request.digest),
        der.integer(serial),
        der.generalized_time(at),
        der.sequence(der.integer(1)),  # accuracy: one second
    ]
    if request.nonce is not None:
        parts.append(der.integer(request.nonce))
    info = der.sequence(*parts)
    digest = cms.hash_with(cms.cms_digest(signer.algorithm), info)
    return cms.sign(
        signer, digest, content_type=cms.TST_INFO, content=info, with_chain=request.wants_certificates
    )


def granted(token: bytes) -> bytes:
    """A TimeStampResp with a token."""
    return der.sequence(der.sequence(der.integer(GRANTED)), token)


def refused(explanation: str, *, failure_bit: int) -> bytes:
    """A TimeStampResp without one; `failure_bit` is a PKIFailureInfo (RFC 3161, 2.4.2), 2 is badRequest."""
    bits = bytearray(failure_bit // 8 + 1)
    bits[-1] = 0x80 >> failure_bit % 8
    failure = der.tlv(der.BIT_STRING, bytes((7 - failure_bit % 8,)), bytes(bits))
    text = der.sequence(der.tlv(der.UTF8_STRING, explanation.encode()))
    return der.sequence(der.sequence(der.integer(REJECTION), text, failure))


def parse_token(token: bytes, *, padded: bool = False) -> TimestampToken:
    """Read a TimeStampToken; `MalformedInput` for anything else. `padded` allows zeros behind it."""
    signed = cms.parse(token, padded=padded)
    if signed.content_type != cms.TST_INFO or signed.content is None:
        raise MalformedInput("timestamp", "not a time-stamp token")
    version, policy, imprint, serial, time, *rest = _children(signed.content, at_least=5)
    if der.read_integer(version) != 1:
        raise MalformedInput("timestamp", "not version 1")
    name, digest = _read_imprint(imprint)
    nonce = next((der.read_integer(item) for item in rest if item.tag == der.INTEGER), None)
    return TimestampToken(
        signed, name, digest, der.read_integer(serial), _read_time(time), nonce, der.read_oid(policy)
    )


def verify_timestamp(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
    token: bytes | TimestampToken,
    *,
    digest: bytes,
    trust: TrustStore,
    revocation: RevocationSnapshot,
    policy: Policy,
    at: datetime,
    known_at: datetime | None = None,
    asked_at: datetime | None = None,
    proofs: Proofs = NO_PROOFS,
    offered: tuple[Certificate, ...] = (),
) -> TimestampResult:
    """Check a token over `digest` (the hash that the token itself names, see `parse_token`).

    The authority's path is validated at the token's own time, with evidence up to `known_at`; a time
    after `at` is refused. A token proves its time as long as nobody else can have the authority's key and
    its algorithm counts: at the time `asked_at` (default: `at`), or at the time when `proofs` say that the
    token itself existed (EN 319 102-1, 5.6.2.4). `offered` are further certificates for its path. Never
    raises for a bad token.
    """
    try:
        parsed = parse_token(token) if isinstance(token, bytes) else token
        content_digest = cms.hash_with(parsed.signed.digest_algorithm, parsed.signed.content or b"")
    except YinxinError as exc:
        return TimestampResult(None, (Check("timestamp", Reason.TIMESTAMP_INVALID, detail=str(exc)),))
    signed = parsed.signed
    existed = proofs.of_signature(signed)
    latest = max(asked_at or at, parsed.gen_time)
    checks = [_imprint_check(parsed, digest), _time_check(parsed, at + policy.clock_skew)]
    checks += [
        _as_timestamp(check)
        for check in cms.check_signature(
            signed, content_digest, content_type=cms.TST_INFO, policy=policy, at=existed or latest
        )
    ]
    if signed.signer is None:
        return TimestampResult(None, tuple(checks), is_sound=_passed(checks))
    checks.append(_usage_check(signed.signer))
    # An algorithm that counts no longer is the fate of an honest token too.
    is_sound = _passed([check for check in checks if check.name != "timestamp_algorithm"])
    asked = PathQuestion(
        "timestamp", parsed.gen_time, trust, revocation, policy, latest, known_at, proofs,
        (*signed.others, *offered),
    )  # fmt: skip
    path, found = _authority_checks(signed.signer, asked, existed)
    checks += found
    proved = parsed.gen_time if _passed(checks) else None
    return TimestampResult(proved, tuple(checks), signed.signer, path, is_sound)


def _authority_checks(
    authority: Certificate, asked: PathQuestion, existed: datetime | None
) -> tuple[tuple[Certificate, ...], list[Check]]:
    """The authority's path and the checks of it: then, and whether its word still counts."""
    result, objections = validate_in_past(authority, asked, signed=existed)
    checks = [_as_timestamp(check) for check in result.checks]
    checks += [
        _as_timestamp(Check("proof_of_existence", one.reason, detail=one.detail)) for one in objections
    ]
    is_over = asked.policy.after_end == "needs_proof" and (existed or asked.at) > authority.not_after
    if is_over:
        day = authority.not_after.isoformat()
        detail = f"{authority.common_name} ended on {day}, and no other time-stamp covers this one"
        checks.append(_as_timestamp(Check("proof_of_existence", Reason.NO_PROOF_OF_EXISTENCE, detail=detail)))
    for certificate, status in result.statuses:
        # RFC 3161, 4: what was stamped before an orderly ending stays valid.
        is_orderly = status.reason in ORDERLY_ENDINGS
        if certificate == authority and not is_orderly and not survives(status, existed, asked.policy):
            checks.append(_lost(authority.common_name, status))
    return result.path, checks


def _passed(checks: list[Check]) -> bool:
    return all(check.indication is Indication.PASSED for check in checks)


def _imprint_check(token: TimestampToken, digest: bytes) -> Check:
    fits = token.digest == digest and len(digest) == _LENGTHS.get(token.digest_algorithm)
    detail = token.digest_algorithm
    return Check("timestamp_imprint", None if fits else Reason.TIMESTAMP_INVALID, detail=detail)


def _time_check(token: TimestampToken, latest: datetime) -> Check:
    reason = None if token.gen_time <= latest else Reason.TIMESTAMP_INVALID
    return Check("timestamp_time", reason, detail=token.gen_time.isoformat())


def _usage_check(certificate: Certificate) -> Check:
    # RFC 3161, 2.3: extended key usage is critical and holds id-kp-timeStamping alone.
    extended = certificate.extension(x509.ExtendedKeyUsage)
    alone = extended is not None and extended.critical and list(extended.value) == [_TIME_STAMPING]
    return Check("timestamp_certificate", None if alone else Reason.TIMESTAMP_INVALID)


def _lost(name: str, status: RevocationStatus) -> Check:
    # RFC 3161, 4: without a reason that says something else, the key may be in other hands.
    detail = (
        f"{name} is revoked ({status.reason}); its key may write any time, and nothing proves this one older"
    )
    return Check("timestamp_certificate_revocation", Reason.TIMESTAMP_INVALID, detail=detail)


_WANTING = frozenset({Reason.REVOCATION_UNKNOWN, Reason.REVOCATION_STALE})


def _as_timestamp(check: Check) -> Check:
    """A check of the token, under a name and a reason that speak of the time-stamp.

    Where only revocation data are wanting, that is said: nobody is to trust an authority for it.
    """
    reason = check.reason
    if reason is not None and reason not in _WANTING:
        failed = reason.indication is Indication.FAILED
        reason = Reason.TIMESTAMP_INVALID if failed else Reason.TIMESTAMP_NOT_TRUSTED
    said = f"{check.reason.code}: {check.detail}".strip(": ") if check.reason else check.detail
    return Check(f"timestamp_{check.name}", reason, check.scope, said, check.evidence)


def _imprint(name: str, digest: bytes) -> bytes:
    return der.sequence(cms.digest_identifier(name), der.octet_string(digest))


def _read_imprint(imprint: der.Element) -> tuple[str, bytes]:
    parts = list(der.children(imprint)) if imprint.tag == der.SEQUENCE else []
    if len(parts) != 2 or parts[1].tag != der.OCTET_STRING:
        raise MalformedInput("timestamp", "no imprint")
    name = cms.read_digest(parts[0])
    if len(parts[1].content) != _LENGTHS.get(name, len(parts[1].content)):
        raise MalformedInput("timestamp", "the imprint has the wrong length")
    return name, parts[1].content


def _children(data: bytes, *, at_least: int) -> list[der.Element]:
    parts = list(der.children(der.read_exactly(data, der.SEQUENCE)))
    if len(parts) < at_least:
        raise MalformedInput("timestamp", "fields are missing")
    return parts


def _read_time(element: der.Element) -> datetime:
    # RFC 3161, 2.4.2: GeneralizedTime, seconds, `Z`, a fraction without trailing zeros allowed.
    match = _TIME.fullmatch(element.content)
    if element.tag != der.GENERALIZED_TIME or match is None:
        raise MalformedInput("timestamp", "not a time")
    try:
        whole = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as exc:
        raise MalformedInput("timestamp", "not a time") from exc
    return whole + timedelta(microseconds=int((match[2] or b"0").ljust(6, b"0")[:6]))


def _said(explanation: list[der.Element]) -> str:
    texts = [item for item in explanation if item.tag == der.SEQUENCE]
    said = b" ".join(part.content for item in texts for part in der.children(item)).decode("utf-8", "replace")
    return f": {said[:200]}" if said else ""


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
