"""An identity platform in memory: signs people in as OpenID Connect says, or misbehaves as it is told.

It is reached like the real one, by `Outbound`'s verbs; `browse` is what a person's browser does there.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from signing.base64url import encode_base64url
from signing.jose import dump_json, parse_jws, sign_jws
from signing.signers.file import FileSigner
from yinxin.base.errors import Unreachable
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.keys import PublicKey
    from yinxin.base.clock import FixedClock

ISSUER, CLIENT, SECRET = "https://id.city.example", "yinxin-counter", "a secret: of ours+"


@dataclass
class Platform:
    """The platform, and what it does wrong: `claims` and `header` change tokens, `discovery` its metadata."""

    clock: FixedClock
    issuer: str = ISSUER
    signer: FileSigner = field(default_factory=lambda: FileSigner.generate("P-256"))
    client_key: PublicKey | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str] = field(default_factory=dict)
    mint: Callable[[dict[str, Any]], str] | None = None
    published: list[dict[str, Any]] | None = None
    requests: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    # What a browser does there

    def browse(self, url: str, *, subject: str = "u-17") -> str:
        """Sign in as somebody; the address that the platform sends the browser back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["scope"] == "openid"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = {**query, "subject": subject}
        back = {"code": code, "state": query["state"], "iss": self.issuer, **self.answer}
        return f"{query['redirect_uri']}?{urlencode({k: v for k, v in back.items() if v})}"

    # What `Outbound` does there

    def get(self, url: str, **_options: Any) -> Response:
        self.requests.append(url)
        if url == f"{self.issuer}/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "authorization_response_iss_parameter_supported": True,
                    **self.discovery,
                }
            )
        if url == f"{self.issuer}/keys":
            return _json({"keys": self.jwks() if self.published is None else self.published})
        raise Unreachable(url)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], **_options: Any) -> Response:
        self.requests.append(url)
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        known = self._codes.pop(form["code"], None)
        digest = encode_base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        if (
            known is None
            or known["redirect_uri"] != form["redirect_uri"]
            or known["code_challenge"] != digest
            or not self._is_client(form, headers)
        ):
            return _json({"error": "invalid_grant"}, status=400)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self.token(known)})

    def token(self, known: Mapping[str, str]) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": known["subject"],
            "aud": known["client_id"],
            "nonce": known["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.mint:
            return self.mint(claims)
        return sign_jws(claims, self.signer, headers={"typ": "JWT", "kid": self.signer.public_key.thumbprint})

    def jwks(self) -> list[dict[str, Any]]:
        key = self.signer.public_key
        return [{**key.to_jwk(), "kid": key.thumbprint, "use": "sig"}]

    def _is_client(self, form: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        if self.client_key is not None:
            token = parse_jws(form["client_assertion"])
            claims = token.claims()
            return claims["aud"] == self.issuer and token.verify(self.client_key, algorithms={"ES256"})
        pair = b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        return [unquote_plus(part) for part in pair.split(":")] == [CLIENT, SECRET]


def _json(value: Any, status: int = 200) -> Response:
    return Response(status, {"content-type": "application/json"}, dump_json(value))
