"""Whom a wallet believes, and the evidence for it today: anchors, and the lists that certificates name.

The wallet keeps no lists: what a credential or a request stands on is fetched when it comes in. Nothing is
fetched for a signer whose chain does not lead to an anchor of ours, so that no stranger sends us anywhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509

from credentials.mdoc import MdocVerifier
from credentials.mdoc.structures import IssuerSigned
from credentials.oid4vp.request_objects import RequestReader
from credentials.signed_tokens import ChainSignatures, Signed, chain_of
from credentials.status_snapshot import StatusSnapshot
from credentials.verifier import Verifier
from credentials.vocabulary import STATUS_LIST_MEDIA_TYPE
from signing.base64url import decode_base64url
from signing.jose import parse_jws
from signing.path import validate_path
from signing.policy import Policy
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import MalformedInput, VerificationFailed, YinxinError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from credentials.oid4vp.request_objects import VerifiedRequest
    from signing.certificates import Certificate
    from signing.jose import Token
    from signing.trust import TrustStore
    from signing.trust_list import ServingList
    from wallet.copies import CopyReport, ReadCopy
    from yinxin.base.outbound import Outbound

MAX_CRL_BYTES, MAX_STATUS_BYTES = 16 << 20, 4 << 20
MAX_POINTS, MAX_LISTS = 4, 8
CRL_AGE = timedelta(minutes=5)


class TrustedParties:
    """The anchors of one wallet, with policy and the way to fetch evidence.

    `revocation` is evidence at hand already; `issuers` and the `trust_list`, where given, say who may issue
    which type, as `credentials.verifier.Verifier` has it.
    """

    def __init__(  # noqa: PLR0913 - snapshots and policy, by the door
        self,
        trust: TrustStore,
        outbound: Outbound,
        *,
        policy: Policy | None = None,
        revocation: RevocationSnapshot | None = None,
        issuers: Mapping[str, Collection[str]] | None = None,
        trust_list: ServingList | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._trust, self._outbound = trust, outbound
        self._policy = policy or Policy.default()
        self._revocation = revocation or RevocationSnapshot()
        self._issuers, self._trust_list = issuers, trust_list
        self._clock = clock or SystemClock()

    def verify_copy(self, copy: ReadCopy) -> Certificate:
        """The certificate of the trusted issuer of a copy that stands today; else `VerificationFailed`."""
        report = self.examine(copy)
        issuer = report.require().issuer
        if issuer is None:  # an issuer that publishes its keys; no policy of a wallet's names one
            raise VerificationFailed(report)
        return issuer

    def examine(self, copy: ReadCopy) -> CopyReport:
        """The report on a copy, with what can be fetched of its status today."""
        now = self._clock.now()
        usage = "mdoc" if isinstance(copy.parsed, IssuerSigned) else "credential"
        try:
            revocation = self._evidence(_chain_of(copy), usage, now)
        except MalformedInput:
            revocation = self._revocation  # the report says what is wrong
        first = self._look(copy, revocation, {}, now)
        uri = first.findings.get("status_list")
        if isinstance(uri, str) and first.reasons == {Reason.STATUS_UNKNOWN}:
            return self._look(copy, revocation, self._status(uri, now), now)
        return first

    def read_request(
        self,
        text: object,
        *,
        client_id: str,
        now: datetime,
        wallet_nonce: str | None = None,
        allow_http: bool = False,
    ) -> VerifiedRequest:
        """A request of a verifier that is trusted; else `RequestRefused`, as `RequestReader.read`."""
        try:
            revocation = self._evidence(chain_of(parse_jws(text)), "request", now)
        except MalformedInput:
            revocation = self._revocation  # the reader says what is wrong
        reader = RequestReader(self._trust, revocation=revocation, policy=self._policy, allow_http=allow_http)
        return reader.read(text, client_id=client_id, now=now, wallet_nonce=wallet_nonce)

    def judge(self, token: Token, *, usage: str) -> Signed:
        """The signature of a token for one use, and whether its signer is trusted."""
        now = self._clock.now()
        try:
            revocation = self._evidence(chain_of(token), usage, now)
        except MalformedInput:
            revocation = self._revocation  # what is wrong with the chain stands in the answer
        signatures = ChainSignatures(self._trust, usage=usage, revocation=revocation, policy=self._policy)
        return signatures.examine(token, at=now)

    def _look(
        self,
        copy: ReadCopy,
        revocation: RevocationSnapshot,
        statuses: Mapping[str, StatusSnapshot],
        now: datetime,
    ) -> CopyReport:
        grounds: dict[str, Any] = {
            "policy": self._policy,
            "statuses": statuses,
            "revocation": revocation,
            "clock": self._clock,
            "issuers": self._issuers,
            "trust_list": self._trust_list,
        }
        if isinstance(copy.parsed, IssuerSigned):
            return MdocVerifier(self._trust, **grounds).verify_issued(decode_base64url(copy.text), now=now)
        return Verifier(self._trust, **grounds).verify(copy.text, now=now, require_key_binding=False)

    def _status(self, uri: str, now: datetime) -> dict[str, StatusSnapshot]:
        """The status list of a credential that is good otherwise; nothing when it cannot be had."""
        try:
            answer = self._outbound.get(
                uri, headers={"Accept": STATUS_LIST_MEDIA_TYPE}, max_bytes=MAX_STATUS_BYTES
            )
            if answer.status != 200:
                return {}
            text = answer.body.decode("ascii")
            revocation = self._evidence(chain_of(parse_jws(text)), "status", now)
            found = StatusSnapshot.from_token(
                text, self._trust, uri=uri, at=now, revocation=revocation, policy=self._policy
            )
        except (YinxinError, UnicodeDecodeError):
            return {}  # the verifier then says that the status is not known
        return {uri: found}

    def _evidence(self, chain: tuple[Certificate, ...], usage: str, now: datetime) -> RevocationSnapshot:
        """What is known of the signer's certificates; more is fetched only for a path to our anchors."""
        if not chain:
            return self._revocation
        found = validate_path(
            chain[0],
            chain[1:],
            self._trust,
            at=now,
            usage=usage,
            revocation=self._revocation,
            policy=self._policy.with_changes(revocation="if_available"),
        )
        if not found.passed:
            return self._revocation
        points = dict.fromkeys(url for one in found.path[:-1] for url in crl_urls(one))
        crls = [crl for url in list(points)[:MAX_LISTS] for crl in self._crl(url)]
        return self._revocation.merged_with(RevocationSnapshot(crls)) if crls else self._revocation

    def _crl(self, url: str) -> Iterable[Crl]:
        """The list at an address, unsigned as far as we know: who reads it checks the signature."""
        try:
            answer = self._outbound.get(url, max_bytes=MAX_CRL_BYTES, max_age=CRL_AGE)
            return (Crl.from_der(answer.body),) if answer.status == 200 else ()
        except YinxinError:
            return ()  # the path then says that the revocation status is not known


def _chain_of(copy: ReadCopy) -> tuple[Certificate, ...]:
    if isinstance(copy.parsed, IssuerSigned):
        return copy.parsed.authentication.chain
    return chain_of(copy.parsed.issuer_jwt)


def crl_urls(certificate: Certificate) -> tuple[str, ...]:
    """Where the lists lie that may name this certificate (RFC 5280, 4.2.1.13)."""
    try:
        found = certificate.extension(x509.CRLDistributionPoints)
    except MalformedInput:
        return ()
    points: Any = found.value if found else ()
    names = [name for point in list(points)[:MAX_POINTS] for name in point.full_name or ()]
    return tuple(
        name.value
        for name in names[:MAX_POINTS]
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith(("http://", "https://"))
    )


def is_trusted(signed: Signed) -> bool:
    """Whether nothing was found against a signature or its signer."""
    return signed.certificate is not None and not any(check.reason for check in signed.checks)
