"""Judge the signature of a token whose key comes as a certificate chain (`x5c`).

The one mechanism here is the chain in the protected header; `jwk`, `jku`, `x5u` and `kid` are
never looked at, so that nobody chooses how a key is found (SD-JWT VC, 7.3). What the signed claims mean is
for the caller.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from cryptography import x509

from signing.base64url import encode_base64url
from signing.certificates import MAX_CERTIFICATE_BYTES, Certificate
from signing.cose import is_in_order
from signing.jose import jose_algorithm
from signing.path import validate_path
from signing.reasons import Reason
from signing.report import Check, Indication, Scope, good
from yinxin.base.by_identity import ByIdentity
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from signing.jose import Token
    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot
    from signing.trust import TrustStore

MAX_CHAIN = 8
_ADDRESS = re.compile(r"https://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::[0-9]{1,5})?(?![^/?#])")
END_OF_CALENDAR = 253_402_300_800
_NUMBERS, _reason_of = frozenset({int, float}), attrgetter("reason")
_REMEMBERED = 256  # chains and seconds; a verifier meets the same few issuers all day
_REMEMBERED_BYTES = 32 << 10  # a larger chain is read and judged again each time, so that nobody fills memory


class Signed(NamedTuple):
    """How the signature came out: the leaf (None when there is none), the checks, the chain as sent.

    `is_genuine` is whether the leaf's key made the signature; it says nothing of trust in the leaf.
    """

    certificate: Certificate | None
    checks: tuple[Check, ...]
    chain: tuple[Certificate, ...] = ()
    is_genuine: bool = False


class _Window(NamedTuple):
    """While every certificate of a good path is valid."""

    start: datetime
    end: datetime


class _Judged(NamedTuple):
    """A path at a second: its checks, the window of a good one, and whether a key of it is in other hands.

    `signed` is what a good signature by its leaf comes to.
    """

    checks: tuple[Check, ...]
    window: _Window | None
    is_compromised: bool
    signed: Signed

    @classmethod
    def of(
        cls,
        chain: tuple[Certificate, ...],
        checks: tuple[Check, ...],
        *,
        window: _Window | None = None,
        is_compromised: bool = False,
    ) -> _Judged:
        every = _GENUINE + checks
        signed = Signed(chain[0], every, chain, _NOT_GENUINE.isdisjoint(map(_reason_of, every)))
        return cls(checks, window, is_compromised, signed)


_THUMBPRINTS = (("x5t", "4.1.7", hashlib.sha1), ("x5t#S256", "4.1.8", hashlib.sha256))
_GENUINE = good("algorithm"), good("signature")
_NOW = Scope.NOW  # as a name of its own, which is found faster
_VALID_NOW = (good("validity", _NOW),)
_FORMS = (("kid", str), ("cty", str), ("jku", str), ("x5u", str), ("jwk", dict))
_NOT_GENUINE = {
    Reason.FORMAT_FAILURE,
    Reason.TOO_LARGE,
    Reason.ALGORITHM_NOT_ALLOWED,
    Reason.SIG_CRYPTO_FAILURE,
}


class ChainSignatures:
    """Judges token signatures for one use against one trust store, revocation snapshot and policy.

    Paths are judged at whole seconds, as certificates are dated, and remembered for the same chain and
    second: the answer stays a function of the inputs alone.
    """

    def __init__(
        self, trust: TrustStore, *, usage: str, revocation: RevocationSnapshot, policy: Policy
    ) -> None:
        self._trust = trust
        self._usage = usage
        self._revocation = revocation
        self._policy = policy
        self._chain = lru_cache(_REMEMBERED)(_read_chain)
        self._path = lru_cache(_REMEMBERED)(self._validate)
        # The same, found by the very object that was met before: headers and chains are kept and shared.
        self._met: ByIdentity[tuple[Certificate, ...]] = ByIdentity(_REMEMBERED)
        self._latest: ByIdentity[tuple[datetime, _Judged]] = ByIdentity(_REMEMBERED)

    def examine(self, token: Token, *, at: datetime, issued_at: datetime | None = None) -> Signed:
        """Check algorithm, signature and path of a token at the time `at`.

        With `issued_at`, the issuer's own word, the path is also judged for the verdict `then`.
        """
        chain = self._met.find(token.header)
        if chain is None:
            found = self._chain_of(token.header, is_shared=token.shares_header)
            if isinstance(found, Check):
                return Signed(None, (found,))
            chain = found
        checks = self._signature(token, chain[0], at)
        return (
            self._judgement(chain, at, issued_at).signed if checks is _GENUINE else Signed(chain[0], checks)
        )

    def path_checks(
        self, chain: tuple[Certificate, ...], at: datetime, made: datetime | None
    ) -> tuple[Check, ...]:
        """Check the path alone, for a signature that was verified elsewhere; `made` as `issued_at` above.

        Whoever has a lost key writes any time into a token: nothing that a compromised key signed holds, now
        or then.
        """
        return self._judgement(chain, at, made).checks

    def _judgement(self, chain: tuple[Certificate, ...], at: datetime, made: datetime | None) -> _Judged:
        second = at.replace(microsecond=0) if at.microsecond else at
        latest = self._latest.find(chain)
        judged = latest[1] if latest is not None and latest[0] == second else self._judge_at(chain, second)
        # Good now, and every certificate valid then: it was good then.
        window = judged.window
        if made is None or judged.is_compromised or (window and window.start <= made <= window.end):
            return judged
        # Signed outside the certificate's validity: that is wrong for both verdicts.
        scope = Scope.THEN if chain[0].is_valid_at(made) else Scope.BOTH
        judge = self._judge(chain)
        then = judge(chain, made.replace(microsecond=0), scope)
        now = judge(chain, second, Scope.NOW)
        return _Judged.of(chain, (*now.checks, *then.checks))

    def _chain_of(self, header: Mapping[str, Any], *, is_shared: bool) -> tuple[Certificate, ...] | Check:
        """The chain that a header carries, or what is wrong with it.

        Found again by a header that others share alone: any other never comes again, and may be large.
        """
        try:
            sent = _sent(header)
            is_small = _is_small(sent)
            chain = (self._chain if is_small else _read_chain)(sent)
        except MalformedInput as exc:
            reason = Reason.TOO_LARGE if isinstance(exc, TooLarge) else Reason.FORMAT_FAILURE
            return Check("certificate", reason, detail=exc.detail)
        if not chain:
            return Check("certificate", Reason.SIGNING_CERTIFICATE_MISSING, detail="no x5c")
        if fault := _fault_of(header, chain[0]):
            return Check("certificate", Reason.FORMAT_FAILURE, detail=fault)
        if is_small and is_shared:
            self._met.keep(header, chain)
        return chain

    def _judge(self, chain: tuple[Certificate, ...]) -> Callable[..., _Judged]:
        return self._path if _is_small([one.der for one in chain]) else self._validate

    def _judge_at(self, chain: tuple[Certificate, ...], second: datetime) -> _Judged:
        judge = self._judge(chain)
        judged = judge(chain, second, Scope.BOTH)
        if judge is self._path:
            self._latest.keep(chain, (second, judged))
        return judged

    def _signature(self, token: Token, leaf: Certificate, at: datetime) -> tuple[Check, ...]:
        """The checks of algorithm and signature: `_GENUINE` itself where both are good."""
        row = jose_algorithm(token.header.get("alg"))
        try:
            key = leaf.public_key
        except MalformedInput as exc:
            return (Check("certificate", Reason.FORMAT_FAILURE, detail=exc.detail),)
        objection = self._policy.objection_to(row, key, at=at) if row else "no such algorithm"
        if row is None or objection:
            return (Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection or ""),)
        if token.verify_as(row, key):
            return _GENUINE
        return good("algorithm"), Check("signature", Reason.SIG_CRYPTO_FAILURE)

    def _validate(self, chain: tuple[Certificate, ...], second: datetime, scope: Scope) -> _Judged:
        result = validate_path(
            chain[0],
            chain[1:],
            self._trust,
            at=second,
            usage=self._usage,
            revocation=self._revocation,
            policy=self._policy,
            scope=scope,
        )
        lost = [one for one, status in result.statuses if status.is_compromised]
        if lost and not any(check.reason for check in result.checks):  # asked about a day before it was lost
            detail = f"{lost[0].common_name}: its key is compromised, so its times prove nothing"
            again = Check("certificate_revocation", Reason.CERTIFICATE_REVOKED, scope, detail)
            return _Judged.of(chain, (*result.checks, again), is_compromised=True)
        if not result.path or any(check.reason for check in result.checks):
            return _Judged.of(chain, result.checks, is_compromised=bool(lost))
        start, end = max(c.not_before for c in result.path), min(c.not_after for c in result.path)
        return _Judged.of(chain, result.checks, window=_Window(start, end))


def moment_check(
    claims: Mapping[str, Any], *, at: datetime, skew: timedelta, scope: Scope = Scope.BOTH
) -> tuple[Check, ...]:
    """The rules of `exp`, `nbf` and `iat` (RFC 7519, 4.1.4 to 4.1.6).

    `skew` is how far the issuer's clock may be ahead; the end is never stretched.
    """
    moment = at.timestamp()
    made, start, end = claims.get("iat", 0), claims.get("nbf", 0), claims.get("exp", moment + 1)
    are_numbers = _NUMBERS.issuperset((type(made), type(start), type(end)))
    if are_numbers and 0 <= made <= moment and 0 <= start <= moment < end < END_OF_CALENDAR:
        return _VALID_NOW if scope is _NOW else (good("validity", scope),)
    late = (at + skew).timestamp()
    for name in ("iat", "nbf", "exp"):
        if name in claims and not is_date(claims[name]):
            return (Check("validity", Reason.CLAIM_INVALID, detail=f"RFC 7519, 2: {name} is no date"),)
    checks: list[Check] = []
    if claims.get("iat", moment) > late:
        checks.append(
            Check("validity", Reason.NOT_YET_VALID, scope, "RFC 7519, 4.1.6: iat lies in the future")
        )
    elif claims.get("nbf", moment) > late:
        checks.append(Check("validity", Reason.NOT_YET_VALID, scope, "RFC 7519, 4.1.5: nbf"))
    if claims.get("exp", moment + 1) <= moment:
        checks.append(Check("validity", Reason.EXPIRED, scope, "RFC 7519, 4.1.4: exp"))
    return tuple(checks) or (good("validity", scope),)


@lru_cache(_REMEMBERED)
def uris_of(certificate: Certificate) -> tuple[str, ...]:
    """The addresses (URIs) among a certificate's alternative names."""
    names = _names_of(certificate)
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else ()


@lru_cache(_REMEMBERED)
def hosts_of(certificate: Certificate) -> tuple[str, ...]:
    """The hosts (DNS names) among a certificate's alternative names, in small letters."""
    names = _names_of(certificate)
    return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)) if names else ()


def host_of(address: str) -> str | None:
    """The host of an https address, in small letters; None for one that some would read otherwise."""
    match = _ADDRESS.match(address)
    return match[1].lower() if match else None


def _names_of(certificate: Certificate) -> x509.SubjectAlternativeName | None:
    found = certificate.extension(x509.SubjectAlternativeName)
    return found.value if found else None


def is_date(value: Any) -> TypeGuard[float]:
    """Whether this is a NumericDate (RFC 7519, 2) that the calendar has: seconds from 1970 to 9999."""
    return type(value) in _NUMBERS and 0 <= value < END_OF_CALENDAR


def is_failed(checks: Iterable[Check]) -> bool:
    """Whether one of these settles it."""
    reasons = set(map(_reason_of, checks))
    reasons.discard(None)
    return bool(reasons) and any(reason.indication is Indication.FAILED for reason in reasons)


def chain_of(token: Token) -> tuple[Certificate, ...]:
    """The certificates that a token carries, leaf first; nothing about them is checked."""
    return _read_chain(_sent(token.header))


def _sent(header: Mapping[str, Any]) -> tuple[str, ...]:
    x5c = header.get("x5c", [])
    if not isinstance(x5c, list) or not all(isinstance(item, str) for item in x5c):
        raise MalformedInput("x5c", "RFC 7515, 4.1.6: not an array of texts")
    if len(x5c) > MAX_CHAIN or any(len(item) > 2 * MAX_CERTIFICATE_BYTES for item in x5c):
        raise TooLarge("x5c", f"over {MAX_CHAIN} certificates, or one is too large")
    return tuple(x5c)


def _fault_of(header: Mapping[str, Any], leaf: Certificate) -> str:
    """What a header says wrongly of the key that is to have signed; empty for nothing.

    A thumbprint of another certificate; and a name, an address or a key of another form, which some readers
    go by without asking.
    """
    for name, kind in _FORMS:
        if name in header and not isinstance(header[name], kind):
            return f"RFC 7515, 4.1: {name} is of another form"
    for name, clause, hashed in _THUMBPRINTS:
        if name in header and header[name] != encode_base64url(
            hashed(leaf.der, usedforsecurity=False).digest()
        ):
            return f"RFC 7515, {clause}: {name} is of another certificate"
    return ""


def _is_small(chain: Sequence[str | bytes]) -> bool:
    return sum(map(len, chain)) <= _REMEMBERED_BYTES


def _read_chain(sent: tuple[str, ...]) -> tuple[Certificate, ...]:
    try:
        chain = tuple(Certificate(b64decode(item, validate=True)) for item in sent)
    except (binascii.Error, ValueError) as exc:
        raise MalformedInput("x5c", "RFC 7515, 4.1.6: not base64") from exc
    if not is_in_order(chain):
        raise MalformedInput("x5c", "RFC 7515, 4.1.6: a certificate does not certify the one before it")
    return chain
