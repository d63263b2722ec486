"""An authenticator in memory: makes passkeys and answers as browsers would, or as an attacker likes.

`Browser` keeps cookies and says where its requests come from.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signing.base64url import decode_base64url, encode_base64url
from world.asgi import Client

if TYPE_CHECKING:
    from world.asgi import Answer
    from yinxin.access.accounts import Enrolment, SignedIn
    from yinxin.access.service import Access

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Credential:
    id: bytes
    key: ec.EllipticCurvePrivateKey
    user: bytes
    count: int = 0


@dataclass
class Authenticator:
    """One device; `counts` makes its sign counter go up, as security keys do."""

    origin: str
    rp_id: str = ""
    flags: int = PRESENT | VERIFIED
    counts: bool = False
    credentials: list[Credential] = field(default_factory=list)
    client: dict[str, Any] = field(default_factory=dict)

    def create(self, options: dict[str, Any], **client: Any) -> dict[str, Any]:
        """What `navigator.credentials.create` gives; `client` changes the client data."""
        user = decode_base64url(options["user"]["id"])
        made = Credential(os.urandom(16), ec.generate_private_key(ec.SECP256R1()), user)
        self.credentials.append(made)
        point = made.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(made.id).to_bytes(2, "big") + made.id + cbor2.dumps(cose)
        data = self._data(options["rp"]["id"], self.flags | ATTESTED, made) + attested
        response = {
            "clientDataJSON": self._client("webauthn.create", options, client),
            "attestationObject": encode_base64url(
                cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
            ),
        }
        return _credential(made, response)

    def get(self, options: dict[str, Any], *, which: int = -1, **client: Any) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, by one of the credentials."""
        used = self.credentials[which]
        if self.counts:
            used.count += 1
        data = self._data(options["rpId"], self.flags, used)
        said = self._client("webauthn.get", options, client)
        signed = data + hashlib.sha256(decode_base64url(said)).digest()
        response = {
            "clientDataJSON": said,
            "authenticatorData": encode_base64url(data),
            "signature": encode_base64url(used.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": encode_base64url(used.user),
        }
        return _credential(used, response)

    def _data(self, rp_id: str, flags: int, credential: Credential) -> bytes:
        digest = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return digest + bytes([flags]) + credential.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], changed: dict[str, Any]) -> str:
        said = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
            **self.client,
            **changed,
        }
        return encode_base64url(json.dumps(said).encode())


class Browser(Client):
    """A client with a cookie jar, on the pages of one origin."""

    def __init__(self, app: Any, origin: str, *, address: str = "203.0.113.7") -> None:
        super().__init__(app, address=address)
        self.origin = origin
        self.cookies: dict[str, str] = {}

    def request(self, method: str, url: str, *, headers: Any = (), **more: Any) -> Answer:
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in pairs}
        if "cookie" not in names and self.cookies:
            pairs.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if method == "POST" and "origin" not in names:
            pairs += [("Origin", self.origin), ("Sec-Fetch-Site", "same-origin")]
        if "accept" not in names:
            is_script = ("Content-Type", "application/json") in pairs
            pairs.append(("Accept", "application/json" if is_script else "text/html,*/*"))
        whole = url if "://" in url else self.origin + url
        answer = super().request(method, whole, headers=pairs, **more)
        self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        for name, value in answer.pairs:
            if name == "set-cookie":
                cookie, _, rest = value.partition(";")
                key, _, content = cookie.partition("=")
                if "max-age=0" in rest.lower() or content in {"", '""'}:
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = content


def register(browser: Browser, device: Authenticator, **sent: str) -> Answer:
    """Register a passkey as the page's script does: with `code` (staff) or `name` (holders)."""
    asked = browser.post("/register/begin", json=sent)
    if asked.status_code != 200:
        return asked
    begun = asked.json()
    answer = device.create(begun["options"])
    return browser.post("/register/finish", json={**sent, "user": begun["user"], "answer": answer})


def sign_in(browser: Browser, device: Authenticator, **sent: str) -> Answer:
    """Sign in by a passkey as the page's script does."""
    asked = browser.post("/sign-in/begin", json={})
    if asked.status_code != 200:
        return asked
    return browser.post("/sign-in/finish", json={**sent, "answer": device.get(asked.json()["options"])})


def enrolled(access: Access, enrolment: Enrolment) -> tuple[SignedIn, str]:
    """A member of staff, signed in without a browser; the token goes into the cookie `__Host-yinxin`."""
    device = Authenticator(access.site.origin)
    begun = access.begin_registration(code=enrolment.code)
    entered = access.finish_registration(device.create(begun["options"]), code=enrolment.code)
    return entered.signed_in, entered.token


def _credential(used: Credential, response: dict[str, str]) -> dict[str, Any]:
    name = encode_base64url(used.id)
    return {"id": name, "rawId": name, "type": "public-key", "response": response}
