"""What authenticators are asked, and how their answers are judged (WebAuthn 3): by py_webauthn, strictly.

User verification is required, passkeys are discoverable, origin and relying party are ours to the letter.
Nothing here knows accounts or a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from signing.base64url import decode_base64url, encode_base64url
from signing.jose import load_json_object
from yinxin.base.errors import MalformedInput, Unauthenticated, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIMEOUT_MILLISECONDS = 120_000
ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, and RS256 for what Windows makes
MAX_CLIENT_DATA_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that an authenticator made."""

    id: str
    public_key: bytes
    sign_count: int
    is_backed_up: bool


@dataclass(frozen=True, slots=True)
class Site:
    """The place that passkeys are for: `origin` as browsers write it, `https://wallet.example`."""

    origin: str
    name: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
            raise UsageError(f"{self.origin}: sign-in needs https, or http on this machine only")
        if self.origin != f"{parts.scheme}://{parts.netloc}".lower() or "@" in parts.netloc:
            raise UsageError(f"{self.origin} is no origin: scheme, host and port, in small letters")

    @property
    def host(self) -> str:
        """The relying party's id."""
        return urlsplit(self.origin).hostname or ""

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.origin.startswith("https:")

    @property
    def takes_passkeys(self) -> bool:
        """Whether browsers make passkeys for this host: not for bare addresses (WebAuthn 3, 5.1.3)."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False


def registration_options(
    site: Site, challenge: bytes, *, user_id: str, name: str, known: Iterable[str]
) -> dict[str, Any]:
    """What `navigator.credentials.create` is given, in JSON; `known` passkeys are not made again."""
    return {
        "rp": {"id": site.host, "name": site.name},
        "user": {"id": encode_base64url(user_id.encode()), "name": name, "displayName": name},
        "challenge": encode_base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "timeout": TIMEOUT_MILLISECONDS,
        "attestation": "none",
        "excludeCredentials": [{"type": "public-key", "id": one} for one in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
    }


def sign_in_options(site: Site, challenge: bytes) -> dict[str, Any]:
    """What `navigator.credentials.get` is given, in JSON; it names nobody."""
    return {
        "rpId": site.host,
        "challenge": encode_base64url(challenge),
        "timeout": TIMEOUT_MILLISECONDS,
        "userVerification": "required",
        "allowCredentials": [],
    }


def challenge_of(answer: Mapping[str, Any]) -> bytes:
    """The challenge that an answer says it is for; it proves nothing yet."""
    client = _client_data(answer)
    # An answer given inside somebody else's page is none to us (WebAuthn 3, 13.4.2).
    if client.get("crossOrigin") not in {None, False} or "topOrigin" in client:
        raise Unauthenticated("the answer comes from a page inside another one")
    return _bytes(client.get("challenge"))


def check_registration(answer: Mapping[str, Any], *, site: Site, challenge: bytes) -> Registered:
    """The passkey that was made, or `Unauthenticated`."""
    try:
        found = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(alg) for alg in ALGORITHMS],
        )
    except Exception as exc:  # whatever its parsers throw at hostile bytes is a refusal
        raise Unauthenticated("the authenticator's answer was not accepted") from exc
    return Registered(
        encode_base64url(found.credential_id),
        found.credential_public_key,
        found.sign_count,
        found.credential_backed_up,
    )


def check_sign_in(answer: Mapping[str, Any], *, site: Site, challenge: bytes, public_key: bytes) -> int:
    """The authenticator's count of uses, or `Unauthenticated`; whether it grew is the caller's to see."""
    try:
        found = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as exc:  # whatever its parsers throw at hostile bytes is a refusal
        raise Unauthenticated("the authenticator's answer was not accepted") from exc
    return found.new_sign_count


def passkey_of(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Which passkey an answer says it is from, and the user it says it is of."""
    passkey, response = answer.get("id"), answer.get("response")
    if not isinstance(passkey, str) or not 0 < len(passkey) <= 1400 or not isinstance(response, dict):
        raise MalformedInput("passkey", "no id or no response")
    user = _bytes(response.get("userHandle"))
    try:
        return encode_base64url(decode_base64url(passkey)), user.decode("ascii")
    except UnicodeDecodeError as exc:
        raise MalformedInput("passkey", "the user is none of ours") from exc


def _client_data(answer: Mapping[str, Any]) -> dict[str, Any]:
    response = answer.get("response")
    if not isinstance(response, dict):
        raise MalformedInput("passkey", "no response")
    data = _bytes(response.get("clientDataJSON"))
    if len(data) > MAX_CLIENT_DATA_BYTES:
        raise MalformedInput("passkey", "the client data are too long")
    return load_json_object(data)


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise MalformedInput("passkey", "a value is missing")
    return decode_base64url(value)
