"""The whole issuer and authorization server behind its routes, without HTTP.

Each verb takes what came in as plain values and gives a JSON object or raises `Refused`. State is in the
database, decisions are in the modules that this one puts together.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.authorization import AuthorizationDesk
from credentials.oid4vci.dpop import check_dpop
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.forms import CopyForms
from credentials.oid4vci.grants import grant_of, refresh, use_up
from credentials.oid4vci.issuing import CredentialDesk
from credentials.oid4vci.login import LoginCodes
from credentials.oid4vci.metadata import issuer_metadata, server_metadata
from credentials.oid4vci.nonces import Nonces
from credentials.oid4vci.offering import OfferDesk
from credentials.oid4vci.repository import IssuanceRepository
from credentials.oid4vci.requests import PreAuthorizedRequest, RefreshRequest, read_token_request
from credentials.sd_jwt import chain_header
from signing.jose import sign_jws
from yinxin.base import once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from credentials.copies import CopyMaker
    from credentials.licence import Agency
    from credentials.oid4vci.clients import WalletClient
    from credentials.oid4vci.dpop import DpopProof
    from credentials.oid4vci.login import SignIn
    from credentials.oid4vci.repository import Grant
    from credentials.oid4vci.requests import TokenRequest
    from signing.signer import Signer
    from yinxin.base.database import Session
    from yinxin.base.text import Text

TIDY_INTERVAL = timedelta(minutes=10)


class IssuanceServer:
    """OpenID4VCI for one issuer.

    `secret` (32 bytes or more) is shared by all workers. `metadata_signer` signs the metadata for who asks
    for that; without it they get plain JSON. `clients` may use the code flow, by their client_id; with
    none of them it is not offered. `sign_in` authenticates holders there; the counter's codes by default.
    """

    def __init__(  # noqa: PLR0913 - what an issuer decides, by name
        self,
        copies: CopyMaker,
        *,
        agency: Agency,
        secret: bytes,
        metadata_signer: Signer | None = None,
        clients: Mapping[str, WalletClient] | None = None,
        sign_in: SignIn | None = None,
    ) -> None:
        self._copies, self._agency, self._metadata_signer = copies, agency, metadata_signer
        self._database, self._clock, self._randomness = copies.database, copies.clock, copies.randomness
        self._tidied_at = copies.clock.now()
        self.url = copies.url
        self.nonces = Nonces(secret, "c_nonce", randomness=copies.randomness)
        self._dpop_nonces = Nonces(secret, "dpop", randomness=copies.randomness)
        self._forms = CopyForms(copies.catalogue, with_mdoc=copies.mdoc_signer is not None)
        self.credentials = CredentialDesk(copies, self._forms, self.nonces)
        self.login_codes = LoginCodes(
            copies.database, agency=copies.agency, clock=copies.clock, randomness=copies.randomness
        )
        self._clients = clients or {}
        self.authorizations = AuthorizationDesk(
            copies, self._forms, clients=self._clients, sign_in=sign_in or self.login_codes
        )
        self.offers = OfferDesk(
            copies.url,
            forms=self._forms,
            database=copies.database,
            secret=secret,
            agency=copies.agency,
            clock=copies.clock,
            randomness=copies.randomness,
            holders=copies.holders,
        )

    @property
    def with_code(self) -> bool:
        """Whether the authorization code flow is offered."""
        return bool(self._clients)

    def issuer_metadata(self) -> dict[str, Any]:
        """What the issuer says of itself."""
        algorithm = self._copies.credential_signer.algorithm.name
        return issuer_metadata(self.url, forms=self._forms, agency=self._agency, signing_algorithm=algorithm)

    def signed_issuer_metadata(self) -> str | None:
        """The same as a signed token (12.2.3); None without a key for it."""
        if self._metadata_signer is None:
            return None
        issued = int(self._clock.now().timestamp())
        claims = {**self.issuer_metadata(), "iss": self.url, "sub": self.url, "iat": issued}
        headers = {"typ": names.METADATA_TYP, **chain_header(self._metadata_signer.chain)}
        return sign_jws(claims, self._metadata_signer, headers=headers)

    def server_metadata(self) -> dict[str, Any]:
        """What the authorization server says of itself."""
        scopes = [kind.code for kind in self._copies.catalogue]
        return server_metadata(self.url, scopes=scopes, with_code=self.with_code)

    def names_of(self, configurations: Iterable[str]) -> list[Text]:
        """What people call the licences of these configurations."""
        kinds = dict.fromkeys(self._forms.kind_of(one) for one in configurations)
        return [kind.name for kind in kinds]

    def now(self) -> datetime:
        """The time that this server goes by."""
        return self._clock.now()

    def nonce(self) -> str:
        """A fresh `c_nonce` (7.2)."""
        return self.nonces.make(now=self._clock.now())

    def dpop_nonce(self) -> str:
        """A fresh DPoP nonce (RFC 9449, 8)."""
        return self._dpop_nonces.make(now=self._clock.now())

    def token(self, form: Mapping[str, str], dpop: str | None) -> dict[str, Any]:
        """The token response."""
        request = read_token_request(form, configurations=self._forms)
        proof = self._proof(dpop, "POST", names.TOKEN_PATH) if dpop is not None else None
        with self._database.transaction() as session:
            use_up(session, proof)
            answer = self._redeem(session, request, proof)
        self._tidy()
        if isinstance(answer, Refused):  # raised here, so that what was counted stays counted
            raise answer
        return answer

    def push(self, form: Mapping[str, str], dpop: str | None) -> dict[str, Any]:
        """The answer to a pushed authorization request."""
        proof = self._proof(dpop, "POST", names.PAR_PATH) if dpop is not None else None
        with self._database.transaction() as session:
            use_up(session, proof)
            return self.authorizations.push(session, form, proof)

    def grant(self, authorization: Sequence[str], dpop: Sequence[str], *, path: str) -> Grant:
        """The grant that a request's `Authorization` and `DPoP` headers open, or `Refused` with 401."""
        scheme, token = _credentials(authorization)
        try:
            proof = self._access_proof(dpop, token, path) if scheme == "DPoP" else None
            with self._database.transaction() as session:
                use_up(session, proof)
                grant = grant_of(session, token, now=self._clock.now())
        except Refused as exc:
            nonce = exc.needs_nonce
            raise Refused(exc.error, exc.detail, status=401, scheme=scheme, needs_nonce=nonce) from exc
        if grant is None or grant.key_thumbprint != (proof.thumbprint if proof else None):
            raise _invalid_token("the token is unknown, over, or bound to another key", scheme)
        return grant

    def purge(self) -> int:
        """Forget what is over; token requests see to it now and then."""
        now = self._clock.now()
        with self._database.transaction() as session:
            return IssuanceRepository(session).purge(now=now) + once.purge(session, now=now)

    def _tidy(self) -> None:
        now = self._clock.now()
        if now - self._tidied_at >= TIDY_INTERVAL:
            self._tidied_at = now
            self.purge()

    def _redeem(
        self,
        session: Session,
        request: TokenRequest,
        proof: DpopProof | None,
    ) -> dict[str, Any] | Refused:
        if isinstance(request, PreAuthorizedRequest):
            return self.offers.redeem(session, request, proof)
        if proof is None:
            return Refused("invalid_dpop_proof", "this grant goes with DPoP only", needs_nonce=True)
        if isinstance(request, RefreshRequest):
            return refresh(
                session,
                request.token,
                client_id=request.client_id,
                proof=proof,
                now=self._clock.now(),
                randomness=self._randomness,
            )
        return self.authorizations.redeem(session, request, proof)

    def _proof(self, text: str, method: str, path: str, access_token: str | None = None) -> DpopProof:
        return check_dpop(
            text,
            method=method,
            url=self.url + path,
            nonces=self._dpop_nonces,
            now=self._clock.now(),
            access_token=access_token,
        )

    def _access_proof(self, dpop: Sequence[str], token: str, path: str) -> DpopProof:
        return self._proof(dpop[0] if len(dpop) == 1 else "", "POST", path, token)


def _credentials(authorization: Sequence[str]) -> tuple[str, str]:
    """Scheme and token of the one `Authorization` header."""
    scheme, _, token = authorization[0].partition(" ") if len(authorization) == 1 else ("", "", "")
    known = {"dpop": "DPoP", "bearer": "Bearer"}.get(scheme.lower())
    token = token.strip()
    if known is None or not token or len(token) > 512 or not token.isascii():
        # RFC 6750, 3.1: who brought nothing is told no error, only how to come.
        raise Refused("", "an access token is needed", status=401, scheme="DPoP")
    return known, token


def _invalid_token(why: str, scheme: str) -> Refused:
    return Refused("invalid_token", why, status=401, scheme=scheme)
