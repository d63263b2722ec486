"""Signed request objects (RFC 9101; OpenID4VP 1.0, 5 and 5.10): written by verifiers, judged by wallets.

A wallet reads none that is unsigned, out of date, signed with a certificate that its trust does not carry
for the usage `request`, or by another than the client that it names. Only what stands inside the signature
counts.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.requests import AuthorizationRequest
from credentials.oid4vp.vocabulary import MAX_REQUEST_CHARACTERS, REQUEST_TYP, ErrorCode
from credentials.sd_jwt import chain_header
from credentials.signed_tokens import ChainSignatures, is_date, moment_check
from signing.jose import parse_jws, sign_jws
from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.certificates import Certificate
    from signing.jose import Token
    from signing.signer import Signer
    from signing.trust import TrustStore

REQUEST_LIFE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """A request whose signer, client identifier and times were in order when it was read."""

    request: AuthorizationRequest
    certificate: Certificate
    expires_at: datetime | None = None


def sign_request(
    request: AuthorizationRequest,
    signer: Signer,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    wallet_nonce: str | None = None,
) -> str:
    """The signed request object; `wallet_nonce` is the one that came with a POST (5.10)."""
    claims = request.to_claims()
    claims["iat"] = int(now.timestamp())
    claims["exp"] = int((expires_at or now + REQUEST_LIFE).timestamp())
    if wallet_nonce is not None:
        claims["wallet_nonce"] = wallet_nonce
    return sign_jws(claims, signer, headers={"typ": REQUEST_TYP, **chain_header(signer.chain)})


class RequestReader:
    """Reads request objects against one trust store, revocation snapshot and policy."""

    def __init__(
        self,
        trust: TrustStore,
        *,
        revocation: RevocationSnapshot | None = None,
        policy: Policy | None = None,
        allow_http: bool = False,
    ) -> None:
        self._policy = policy or Policy.default()
        self._allow_http = allow_http
        self._signatures = ChainSignatures(
            trust, usage="request", revocation=revocation or RevocationSnapshot(), policy=self._policy
        )

    def read(
        self, text: object, *, client_id: str, now: datetime, wallet_nonce: str | None = None
    ) -> VerifiedRequest:
        """The request, or `RequestRefused`.

        `client_id` is what stood outside, in the link; `wallet_nonce` what we sent with a POST.
        """
        token, claims = _parse(text)
        certificate = self._judge(token, claims, now)
        if claims.get("client_id") != client_id:
            raise _refused("5.10: the client_id inside is another one than outside", ErrorCode.INVALID_CLIENT)
        _check_wallet_nonce(claims, wallet_nonce)
        request = AuthorizationRequest.from_claims(claims, allow_http=self._allow_http)
        objection = request.client_id.objection_to(certificate, request.response_uri)
        if objection:
            raise _refused(f"5.9.3: {objection}", ErrorCode.INVALID_CLIENT)
        end = claims.get("exp")
        expires_at = datetime.fromtimestamp(end, UTC) if is_date(end) else None
        return VerifiedRequest(request, certificate, expires_at)

    def _judge(self, token: Token, claims: Mapping[str, Any], now: datetime) -> Certificate:
        signed = self._signatures.examine(token, at=now)
        times = moment_check(claims, at=now, skew=self._policy.clock_skew)
        bad = [check for check in (*signed.checks, *times) if check.reason]
        if bad or signed.certificate is None:
            why = ", ".join(f"{check.name}: {check.reason.code}" for check in bad if check.reason)
            raise _refused(
                f"the request is not signed by a verifier that is trusted ({why})", ErrorCode.INVALID_CLIENT
            )
        return signed.certificate


def _parse(text: object) -> tuple[Token, dict[str, Any]]:
    if isinstance(text, str) and len(text) > MAX_REQUEST_CHARACTERS:
        raise _refused("the request is too large")
    try:
        token = parse_jws(text)
        claims = token.claims()
    except MalformedInput as exc:
        raise _refused(f"not a signed request object: {exc.detail}") from exc
    if token.header.get("typ") != REQUEST_TYP:
        raise _refused(f"5: typ is not {REQUEST_TYP}")
    return token, claims


def _check_wallet_nonce(claims: Mapping[str, Any], wanted: str | None) -> None:
    found = claims.get("wallet_nonce")
    if wanted is None:
        return
    if not isinstance(found, str) or not hmac.compare_digest(
        found.encode("utf-8", "surrogatepass"), wanted.encode()
    ):
        raise _refused("5.10: wallet_nonce is not the one that was sent")


def _refused(detail: str, error: ErrorCode = ErrorCode.INVALID_REQUEST) -> RequestRefused:
    return RequestRefused(error, detail if not detail[:1].isdigit() else f"OpenID4VP, {detail}")
