"""Access tokens: a client proves its key (RFC 7523), we answer with a short token (RFC 9068).

Departments are clients of the verification service; staff and systems of an agency are clients of its office.
The client assertion is signed by one of the client's registered keys, names the service as its audience and
is good once. Whatever is wrong with it, the caller hears `invalid_client` and nothing else; our log has the
reason. A token is a bearer token of at most five minutes; binding it to the sender (RFC 8705, RFC 9449) is
not done yet, so it must travel over TLS only.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from signing.jose import Token, parse_jws, sign_jws
from signing.keys import PublicKey
from yinxin.base import audit, once
from yinxin.base.errors import Conflict, MalformedInput, Unauthenticated, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Session

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# RFC 7523 names no type; its revision asks for the last one. Our own access tokens never pass here.
ASSERTION_TYPES = {None, "JWT", "client-authentication+jwt"}
ACCESS_TYP = "at+jwt"  # RFC 9068, 2.1
ASSERTION_LIFE = TOKEN_LIFE = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=30)
ALGORITHMS = frozenset({"ES256", "ES384", "Ed25519", "RS256", "RS384", "RS512"})
MAX_ASSERTION_CHARACTERS = 8 * 1024
_REMEMBERED = 4096
_LOG = logging.getLogger("yinxin.access.tokens")
# An unknown client costs as much time as a known one with a wrong signature: this is nobody's key.
_NOBODY = PublicKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
        "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    }
)


class OAuthError(UsageError):
    """A token request that is refused, in OAuth's own words (RFC 6749, 5.2); never a problem document."""

    code = "oauth_error"
    title = Text("令牌申请被拒绝", "The token request is refused")

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class Client(Protocol):
    """Somebody who may prove a key here."""

    @property
    def id(self) -> str:
        """The client id: issuer and subject of its assertions."""
        ...

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Its registered keys."""
        ...

    @property
    def actor(self) -> Actor:
        """The client as somebody who acts."""
        ...


ClientT_co = TypeVar("ClientT_co", bound=Client, covariant=True)


@dataclass(frozen=True, slots=True)
class ClientAssertion(Generic[ClientT_co]):
    """A client assertion whose signature, audience and times are right; not yet used up."""

    client: ClientT_co
    jti: str
    expires_at: datetime

    def use_up(self, session: Session, *, at: datetime) -> None:
        """Consume it and record the authentication; `OAuthError` invalid_client when it was used before."""
        client = self.client
        try:
            once.consume(session, f"client-assertion {client.id}", self.jti, expires_at=self.expires_at)
        except Conflict as exc:
            raise invalid_client() from exc
        audit.record(session, action="token.issue", subject=client.id, actor=client.actor, at=at)


class ClientAuthenticator(Generic[ClientT_co]):
    """Judges client assertions."""

    def __init__(
        self, find: Callable[[str], ClientT_co | None], *, audiences: frozenset[str], clock: Clock
    ) -> None:
        """`find` gives the client of an id, None for those who are not let in.

        `audiences`: the issuer's URL and the token endpoint's, either of which an assertion may name.
        """
        self._find = find
        self._audiences = audiences
        self._clock = clock

    def authenticate(self, assertion: str) -> ClientAssertion[ClientT_co]:
        """The assertion, or `OAuthError` invalid_client."""
        try:
            return self._judge(assertion)
        except (MalformedInput, Unauthenticated) as exc:
            _LOG.info("client assertion refused: %s", exc.detail)
            raise invalid_client() from exc

    def _judge(self, assertion: str) -> ClientAssertion[ClientT_co]:
        if len(assertion) > MAX_ASSERTION_CHARACTERS:
            raise MalformedInput("client assertion", "too long")
        token = parse_jws(assertion)
        if token.header.get("typ") not in ASSERTION_TYPES:
            raise MalformedInput("client assertion", "of another type")
        claims = token.claims()
        subject = claims.get("sub")
        client = self._find(subject) if isinstance(subject, str) else None
        genuine = _is_signed_by_one(token, client.keys if client else (_NOBODY,))
        if client is None or not genuine or claims.get("iss") != subject:
            raise Unauthenticated("client, key or signature is not right")
        if not self._is_for_us(claims.get("aud")):
            raise Unauthenticated("made for another audience")
        expires_at = _times(claims, now=self._clock.now())
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 8 <= len(jti) <= 128:
            raise Unauthenticated("jti must be a text of 8 to 128 characters")
        return ClientAssertion(client, jti, expires_at + CLOCK_SKEW)

    def _is_for_us(self, audience: object) -> bool:
        # One audience only: an assertion that serves two servers can be replayed by either.
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        return isinstance(audience, str) and audience in self._audiences


class AccessTokens:
    """Issues and checks access tokens. `signer` is a key for this alone; it needs no certificate."""

    def __init__(
        self, signer: Signer, *, issuer: str, clock: Clock, randomness: Randomness | None = None
    ) -> None:
        self._signer = signer
        self._issuer = issuer
        self._clock = clock
        self._randomness = randomness or SystemRandomness()
        self._seen: OrderedDict[bytes, Mapping[str, Any]] = OrderedDict()

    @property
    def public_key(self) -> PublicKey:
        """What the tokens verify with."""
        return self._signer.public_key

    def issue(self, client: str, *, scope: str) -> str:
        """A token for the client of this id and for this scope, good for five minutes."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "sub": client,
            "client_id": client,
            "aud": self._issuer,
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            "jti": random_text(self._randomness),
            "scope": scope,
        }
        headers = {"typ": ACCESS_TYP, "kid": self._signer.public_key.thumbprint}
        return sign_jws(claims, self._signer, headers=headers)

    def check(self, text: str, *, scope: str) -> str:
        """The client id of a good token, or `Unauthenticated`.

        A token's signature is checked once and remembered; its age and scope each time.
        """
        claims = self._genuine(text)
        now = self._clock.now().timestamp()
        if not claims["iat"] - CLOCK_SKEW.total_seconds() <= now < claims["exp"]:
            raise Unauthenticated("the access token is out of date")
        if scope not in str(claims.get("scope", "")).split():
            raise Unauthenticated("the access token is for another scope")
        return str(claims["sub"])

    def _genuine(self, text: str) -> Mapping[str, Any]:
        if len(text) > MAX_ASSERTION_CHARACTERS:
            raise Unauthenticated("the access token is not ours")
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if name not in self._seen:
            self._seen[name] = self._read(text)
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return self._seen[name]

    def _read(self, text: str) -> Mapping[str, Any]:
        try:
            token = parse_jws(text)
            good = token.verify(self._signer.public_key, algorithms={self._signer.algorithm.name})
            claims = token.claims()
        except MalformedInput as exc:
            raise Unauthenticated("the access token is not ours") from exc
        ours = claims.get("iss") == claims.get("aud") == self._issuer
        times = all(type(claims.get(name)) is int for name in ("iat", "exp"))
        if not (good and ours and times and token.header.get("typ") == ACCESS_TYP):
            raise Unauthenticated("the access token is not ours")
        return claims


def read_token_request(form: Mapping[str, str], *, scopes: Collection[str]) -> tuple[str, str]:
    """The assertion and the scope of a token request (RFC 6749, 4.4; RFC 7523, 2.2), or `OAuthError`.

    `scopes` are those that are known here; a request that names none asks for all.
    """
    if form.get("grant_type") != "client_credentials":
        raise OAuthError("unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
        raise invalid_client()
    wanted = form.get("scope", "").split() or list(scopes)
    if any(scope not in scopes for scope in wanted):
        raise OAuthError("invalid_scope", f"known scopes: {' '.join(scopes)}")
    return form["client_assertion"], " ".join(dict.fromkeys(wanted))


def invalid_client() -> OAuthError:
    """The one answer to every bad assertion."""
    return OAuthError("invalid_client", "the client assertion was not accepted", status=401)


def token_answer(token: str, *, scope: str) -> dict[str, object]:
    """What a token endpoint answers (RFC 6749, 5.1)."""
    life = int(TOKEN_LIFE.total_seconds())
    return {"access_token": token, "token_type": "Bearer", "expires_in": life, "scope": scope}


def _is_signed_by_one(token: Token, keys: tuple[PublicKey, ...]) -> bool:
    # `kid` picks among the registered keys; without it each is tried.
    kid = token.header.get("kid")
    named = [key for key in keys if key.thumbprint == kid] if isinstance(kid, str) else []
    return any(token.verify(key, algorithms=ALGORITHMS) for key in named or keys)


def _times(claims: Mapping[str, Any], *, now: datetime) -> datetime:
    """When the assertion ends; `Unauthenticated` unless `iat` and `exp` are whole, near and in order."""
    issued, expires, before = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if type(issued) is not int or type(expires) is not int or type(before) is not int:
        raise Unauthenticated("iat and exp must be whole numbers")
    moment, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    if issued > moment + skew or before > moment + skew or expires <= moment:
        raise Unauthenticated("out of date, or not yet in force")
    if expires - issued > ASSERTION_LIFE.total_seconds() or expires <= issued:
        raise Unauthenticated("it may live five minutes at most")
    return datetime.fromtimestamp(expires, now.tzinfo)
