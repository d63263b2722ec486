"""The identity platform as its client sees it: discovery, keys, and a code exchanged for an identity.

Everything is fetched by `Outbound`; nothing that the platform says is believed beyond what its signature and
the exact name of its issuer cover.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode, urlsplit

from signing.base64url import encode_base64url
from signing.jose import load_json_object, sign_jws
from yinxin.access.openid.id_token import check_id_token, names_unknown_key
from yinxin.base.errors import MalformedInput, Unauthenticated, Unreachable, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from signing.signer import Signer
    from yinxin.access.openid.travel import Traveller
    from yinxin.base.clock import Clock
    from yinxin.base.outbound import Outbound, Response

DISCOVERY_PATH = "/.well-known/openid-configuration"
DISCOVERY_AGE, KEYS_AGE, NEW_KEYS_AGE = timedelta(hours=1), timedelta(hours=1), timedelta(minutes=1)
MAX_BYTES = 1 << 18
MAX_CODE = 4096


@dataclass(frozen=True, slots=True)
class Authentication:
    """How we prove to the platform who we are: by a shared secret, or better by a key (`private_key_jwt`)."""

    secret: str | None = field(default=None, repr=False)
    signer: Signer | None = None

    def __post_init__(self) -> None:
        if (self.secret is None) == (self.signer is None):
            raise UsageError("a client has either a secret or a key")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at the platform: nothing else of them comes to us."""

    issuer: str
    subject: str


class OpenIdProvider:
    """One identity platform, and ourselves as its client."""

    def __init__(  # noqa: PLR0913 - a client's facts, by name
        self,
        issuer: str,
        client_id: str,
        authentication: Authentication,
        *,
        outbound: Outbound,
        clock: Clock,
        randomness: Randomness | None = None,
    ) -> None:
        parts = urlsplit(issuer)
        is_local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not (parts.scheme == "https" or is_local) or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"{issuer} is no issuer (OpenID Connect Discovery, 3)")
        self.issuer, self.client_id = issuer, client_id
        self._authentication, self._outbound = authentication, outbound
        self._clock, self._randomness = clock, randomness or SystemRandomness()

    def authorization_url(self, traveller: Traveller, *, redirect_uri: str, language: str) -> str:
        """Where the browser goes to sign in."""
        endpoint = self._endpoint("authorization_endpoint")
        digest = hashlib.sha256(traveller.verifier.encode("ascii")).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": traveller.state,
            "nonce": traveller.nonce,
            "code_challenge": encode_base64url(digest),
            "code_challenge_method": "S256",
            "ui_locales": "zh-CN" if language == "zh" else language,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def check_issuer(self, named: str | None) -> None:
        """Raise `Unauthenticated` for an answer of another issuer (RFC 9207), or one that should name it."""
        must = self._discovery().get("authorization_response_iss_parameter_supported") is True
        if named != self.issuer and (named is not None or must):
            raise Unauthenticated("the answer is not the identity platform's")

    def identify(self, code: str, traveller: Traveller, *, redirect_uri: str) -> Identity:
        """Exchange a code; `Unauthenticated` when the platform refuses it or its token is not for us."""
        if not 0 < len(code) <= MAX_CODE:
            raise Unauthenticated("no code")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": traveller.verifier,
        }
        token = self._exchange(form).get("id_token")
        keys = self._keys(KEYS_AGE)
        if names_unknown_key(token, keys):
            keys = self._keys(NEW_KEYS_AGE)
        subject = check_id_token(
            token,
            keys,
            issuer=self.issuer,
            client_id=self.client_id,
            nonce=traveller.nonce,
            now=self._clock.now(),
        )
        return Identity(self.issuer, subject)

    def _exchange(self, form: dict[str, str]) -> dict[str, Any]:
        endpoint = self._endpoint("token_endpoint")
        headers = {"Accept": "application/json"}
        if self._authentication.signer:
            form |= {
                "client_id": self.client_id,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self._assertion(self._authentication.signer),
            }
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self._authentication.secret or '')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        answer = self._outbound.post(
            endpoint,
            urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
            max_bytes=MAX_BYTES,
        )
        if answer.status in {400, 401, 403}:
            raise Unauthenticated("the identity platform refused the code")
        return _json(answer, "token endpoint")

    def _assertion(self, signer: Signer) -> str:
        """RFC 7523; its only audience is the issuer, so that no other server can use it."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": random_text(self._randomness),
            "iat": now,
            "exp": now + 60,
        }
        return sign_jws(claims, signer, headers={"typ": "JWT", "kid": signer.public_key.thumbprint})

    def _discovery(self) -> dict[str, Any]:
        url = self.issuer.rstrip("/") + DISCOVERY_PATH
        found = _json(self._outbound.get(url, max_bytes=MAX_BYTES, max_age=DISCOVERY_AGE), "discovery")
        if found.get("issuer") != self.issuer:
            raise Unreachable("the identity platform says that it is another one")
        return found

    def _endpoint(self, name: str) -> str:
        """An address of the platform; never a weaker one than the issuer's own."""
        found = self._discovery().get(name)
        scheme = urlsplit(found).scheme if isinstance(found, str) else ""
        if not isinstance(found, str) or scheme not in {"https", urlsplit(self.issuer).scheme}:
            raise Unreachable(f"the identity platform has no {name}")
        if not found.isascii() or not found.isprintable() or urlsplit(found).fragment:
            raise Unreachable(f"the identity platform's {name} is no address")
        return found

    def _keys(self, max_age: timedelta) -> Sequence[Mapping[str, Any]]:
        url = self._endpoint("jwks_uri")
        found = _json(self._outbound.get(url, max_bytes=MAX_BYTES, max_age=max_age), "keys").get("keys")
        if not isinstance(found, list):
            raise Unreachable("the identity platform publishes no keys")
        return [key for key in found if isinstance(key, dict)]


def _json(answer: Response, what: str) -> dict[str, Any]:
    if answer.status != 200:
        raise Unreachable(f"the identity platform's {what} answers {answer.status}")
    try:
        return load_json_object(answer.body)
    except MalformedInput as exc:
        raise Unreachable(f"the identity platform's {what} does not answer in JSON") from exc
