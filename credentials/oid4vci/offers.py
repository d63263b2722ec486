"""Credential offers (OpenID4VCI, 4.1): who may fetch which licences, and the texts that reach the wallet.

An offer is made for a holder whom somebody authenticated before; it says how. Its codes are secrets of the
link: the database keeps digests only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from credentials.oid4vci import vocabulary as names
from signing.jose import dump_json
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime


class AuthenticationMethod(StrEnum):
    """How a holder proved who they are."""

    COUNTER = "counter"  # in person, with their identity document
    IDENTITY_PLATFORM = "identity_platform"  # signed in at the city's identity platform
    PASSKEY = "passkey"
    MAIL = "mail"  # a letter to the registered address


class Flow(StrEnum):
    """Which grant an offer leads to."""

    PRE_AUTHORIZED = "pre_authorized"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who was authenticated.

    `code` is the holder's code as their licences have it; `evidence` is where the proof is filed (a
    protocol's number, a session of the identity platform). The audit log keeps its digest.
    """

    code: str
    method: AuthenticationMethod
    evidence: str

    def __post_init__(self) -> None:
        if not self.code.strip() or not 1 <= len(self.evidence.strip()) <= 500:
            raise UsageError("a holder has a code, and evidence of how they were authenticated")


@dataclass(frozen=True, slots=True)
class Offer:
    """What the office wants to offer: licences of one holder, by any version's identifier."""

    licences: tuple[str, ...]
    holder: Holder
    flow: Flow = Flow.PRE_AUTHORIZED
    with_tx_code: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(set(self.licences)) == len(self.licences) <= names.MAX_OFFERED:
            raise UsageError(f"an offer names 1 to {names.MAX_OFFERED} licences, each once")


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer as it left. Everything in it is for the holder alone.

    `tx_code` goes to the holder by another way than the link. `document` is what wallets fetch.
    """

    id: str
    document: dict[str, Any]
    uri: str
    tx_code: str | None
    expires_at: datetime

    @property
    def by_reference(self) -> str:
        """The link that names where the offer stands: short enough for a QR code."""
        return f"{names.OFFER_SCHEME}?{urlencode({'credential_offer_uri': self.uri}, quote_via=quote)}"

    @property
    def by_value(self) -> str:
        """The link that holds the offer itself."""
        text = dump_json(self.document).decode()
        return f"{names.OFFER_SCHEME}?{urlencode({'credential_offer': text}, quote_via=quote)}"

    @property
    def page(self) -> str:
        """The page with the QR code."""
        return f"{self.uri}/page"


def offer_document(
    url: str, *, configurations: tuple[str, ...], flow: Flow, secret: str, has_tx_code: bool
) -> dict[str, Any]:
    """The offer as JSON; `secret` is the pre-authorised code, or the issuer's state of a code flow."""
    grant: dict[str, Any]
    if flow is Flow.CODE:
        grants = {names.AUTHORIZATION_CODE: {"issuer_state": secret}}
    else:
        grant = {"pre-authorized_code": secret}
        if has_tx_code:
            grant["tx_code"] = {
                "input_mode": "numeric",
                "length": names.TX_CODE_DIGITS,
                "description": "请输入发证机关另行告知的验证码 / The code from the authority, given apart",
            }
        grants = {names.PRE_AUTHORIZED_CODE: grant}
    return {
        "credential_issuer": url,
        "credential_configuration_ids": list(configurations),
        "grants": grants,
    }
