"""The authorisation code flow of a wallet: what is asked, what is remembered meanwhile, what comes back.

The answer comes by the holder's browser, through which anybody can send anything. It counts once, only for a
`state` that this wallet gave out, only from the server that was asked (RFC 9207), and its code is good only
with the PKCE verifier and the DPoP key that never left the wallet.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from credentials.oid4vci import vocabulary as names
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json
from wallet.keys import HolderKey
from wallet.links import read_parameters
from wallet.receiving.errors import IssuerRefused, OfferRefused
from wallet.receiving.offers import MAX_LINK_CHARACTERS
from wallet.receiving.proofs import digest_text
from yinxin.base.errors import MalformedInput, NotPermitted, UsageError
from yinxin.base.randomness import random_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet.receiving.considered import ConsideredOffer
    from wallet.receiving.wire import Wire
    from yinxin.base.randomness import Randomness

LIFE = timedelta(minutes=30)
MAX_REQUEST_URI_CHARACTERS = 2000
_MAX_PARAMETERS = 32


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that was begun. It lies in the encrypted store until its answer comes, or it runs out."""

    state: str
    issuer: str
    server: str
    configurations: tuple[str, ...]
    redirect_uri: str
    client_id: str
    verifier: str = field(repr=False)
    key: HolderKey | None = field(repr=False)
    expires_at: datetime

    @classmethod
    def begin(
        cls,
        considered: ConsideredOffer,
        *,
        redirect_uri: str,
        client_id: str,
        now: datetime,
        randomness: Randomness,
    ) -> Pending:
        """A new one, with secrets of its own."""
        return cls(
            random_text(randomness, 32),
            considered.issuer,
            considered.server.issuer,
            considered.offer.configurations,
            redirect_uri,
            client_id,
            random_text(randomness, 48),
            HolderKey.generate() if considered.server.has_dpop else None,
            now + LIFE,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for the encrypted store."""
        return {
            "state": self.state,
            "issuer": self.issuer,
            "server": self.server,
            "configurations": list(self.configurations),
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "verifier": self.verifier,
            "key": encode_base64url(self.key.to_secret()) if self.key else None,
            "expires_at": self.expires_at.isoformat(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pending:
        """Read what `to_dict` made."""
        try:
            values = dict(data)
            key = HolderKey.from_secret(decode_base64url(values["key"])) if values["key"] else None
            ends = datetime.fromisoformat(values["expires_at"])
            return cls(
                **{
                    **values,
                    "key": key,
                    "expires_at": ends,
                    "configurations": tuple(values["configurations"]),
                }
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise MalformedInput("wallet", "a sign-in that was begun does not parse") from exc


def authorization_url(wire: Wire, considered: ConsideredOffer, pending: Pending) -> str:
    """Where the holder's browser goes: by a pushed request where the server takes one (RFC 9126)."""
    endpoint = considered.server.authorization_endpoint
    if endpoint is None:
        raise OfferRefused("the issuer has no page to sign in on, or none that protects its codes (PKCE)")
    parameters = _parameters(considered, pending)
    if considered.server.par_endpoint is not None:
        answer = wire.form(considered.server.par_endpoint, parameters, key=pending.key)
        handle = answer.get("request_uri")
        if not isinstance(handle, str) or not 0 < len(handle) <= MAX_REQUEST_URI_CHARACTERS:
            raise OfferRefused("RFC 9126, 2.2: the issuer gave no request_uri")
        parameters = {"client_id": pending.client_id, "request_uri": handle}
    joint = "&" if "?" in endpoint else "?"
    return endpoint + joint + urlencode(parameters)


def state_of(callback: str) -> str:
    """The `state` of an answer; `NotPermitted` when there is none."""
    state = _values(callback).get("state")
    if not state:
        raise NotPermitted("the answer carries no state: it is none to a question of this wallet")
    return state


def code_of(callback: str, pending: Pending, *, names_itself: bool) -> str:
    """The code of an answer to this very sign-in; `NotPermitted`, or `IssuerRefused` when it says no.

    `names_itself`: the server says that its answers carry `iss`, so one without is not its own.
    """
    values = _values(callback)
    if _place(callback) != _place(pending.redirect_uri):
        raise NotPermitted("the answer came to another address than was named")
    issuer = values.get("iss")
    if (issuer is None and names_itself) or (issuer is not None and not _same(issuer, pending.server)):
        raise NotPermitted("RFC 9207, 2.4: the answer is another server's")
    if "error" in values:
        raise IssuerRefused(values["error"], values.get("error_description"))
    code = values.get("code")
    if not code:
        raise NotPermitted("RFC 6749, 4.1.2: the answer carries no code")
    return code


def check_redirect_uri(uri: str) -> str:
    """An address without query and fragment that an answer may come to; `UsageError` for any other."""
    if not uri or not uri.isascii() or not uri.isprintable() or "#" in uri or "?" in uri or " " in uri:
        raise UsageError("a redirect URI has neither query nor fragment")
    return uri


def _parameters(considered: ConsideredOffer, pending: Pending) -> dict[str, str]:
    found = {
        "response_type": "code",
        "client_id": pending.client_id,
        "redirect_uri": pending.redirect_uri,
        "state": pending.state,
        "code_challenge": digest_text(pending.verifier),
        "code_challenge_method": "S256",
        **_wish(considered),
    }
    if considered.offer.issuer_state is not None:
        found["issuer_state"] = considered.offer.issuer_state
    return found


def _wish(considered: ConsideredOffer) -> dict[str, str]:
    """What is asked for: by authorization details where the server takes them, else by scope (5.1)."""
    if not considered.server.takes_details:
        scopes = [one.scope for one in considered.types]
        if all(scopes):
            return {"scope": " ".join(str(one) for one in scopes)}
    named = considered.metadata.servers != (considered.issuer,)
    details = [
        {
            "type": names.AUTHORIZATION_DETAILS_TYPE,
            "credential_configuration_id": one.configuration,
            **({"locations": [considered.issuer]} if named else {}),  # 5.1.1
        }
        for one in considered.types
    ]
    return {"authorization_details": dump_json(details).decode()}


def _values(callback: str) -> dict[str, str]:
    try:
        return read_parameters(
            callback, what="answer", max_characters=MAX_LINK_CHARACTERS, max_fields=_MAX_PARAMETERS
        )
    except MalformedInput as exc:
        raise NotPermitted(exc.detail) from exc


def _place(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())
