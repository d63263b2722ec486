"""Read pushed authorization requests (RFC 9126) and what a person answers at the authorization endpoint."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.requests import read_authorization_details, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.oid4vci.clients import WalletClient

_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # SHA-256 in base64url
_MAX_STATE = 1000


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """What a wallet asks for. `by_details`: by authorization details, and not by scope alone."""

    client_id: str
    redirect_uri: str
    challenge: str
    state: str | None
    wanted: tuple[str, ...]
    by_details: bool
    issuer_state: str | None
    key_thumbprint: str | None


def read_pushed_request(
    form: Mapping[str, str],
    *,
    clients: Mapping[str, WalletClient],
    configurations: Collection[str],
    proven_key: str | None,
) -> PushedRequest:
    """The request, or `Refused`. `proven_key`: the thumbprint of the DPoP proof that came along."""
    if "request_uri" in form:
        raise Refused("invalid_request", "RFC 9126, 2.1: request_uri has no place here")
    if "request" in form:
        raise Refused("request_not_supported", "request objects are not read")
    if "client_secret" in form or "client_assertion" in form:
        raise Refused("invalid_client", "clients are not authenticated here", status=401)
    client = clients.get(text_of(form, "client_id") or "")
    if client is None:
        raise Refused("invalid_client", "this client is not registered", status=401)
    redirect_uri = text_of(form, "redirect_uri") or ""
    if not client.allows(redirect_uri):
        raise Refused("invalid_request", "this redirect_uri is not registered for the client")
    if text_of(form, "response_type") != "code":
        raise Refused("unsupported_response_type", "response_type must be code")
    if form.get("response_mode", "query") != "query":
        raise Refused("invalid_request", "response_mode must be query")
    wanted, by_details = _wanted(form, configurations)
    state = text_of(form, "state", required=False)
    if state is not None and len(state) > _MAX_STATE:
        raise Refused("invalid_request", "state is too long")
    return PushedRequest(
        client_id=client.id,
        redirect_uri=redirect_uri,
        challenge=_challenge(form),
        state=state,
        wanted=wanted,
        by_details=by_details,
        issuer_state=text_of(form, "issuer_state", required=False),
        key_thumbprint=_key(form, proven_key),
    )


def scope_of(configuration: str) -> str:
    """The scope that asks for a configuration: the kind's code, whatever its version."""
    return configuration.partition(".")[0]


def challenge_is_met(challenge: str, verifier_digest: str) -> bool:
    """Compare a PKCE challenge with the digest of the verifier, in constant time."""
    return hmac.compare_digest(challenge.encode(), verifier_digest.encode())


def _challenge(form: Mapping[str, str]) -> str:
    # RFC 7636, 4.3: without the method it would be plain, which anybody who sees the request can answer.
    if form.get("code_challenge_method") != "S256":
        raise Refused("invalid_request", "code_challenge_method must be S256")
    challenge = form.get("code_challenge", "")
    if not _DIGEST.match(challenge):
        raise Refused("invalid_request", "code_challenge is no SHA-256 in base64url")
    return challenge


def _key(form: Mapping[str, str], proven: str | None) -> str | None:
    named = form.get("dpop_jkt") or None
    if named is not None and not _DIGEST.match(named):
        raise Refused("invalid_request", "dpop_jkt is no thumbprint")
    if named and proven and named != proven:
        raise Refused("invalid_dpop_proof", "RFC 9449, 10.1: dpop_jkt is another key's")
    return named or proven


def _wanted(form: Mapping[str, str], configurations: Collection[str]) -> tuple[tuple[str, ...], bool]:
    scopes = (text_of(form, "scope", required=False) or "").split(" ")
    # 5.1.2: unknown scopes are ignored.
    wanted = [one for one in configurations if scope_of(one) in scopes]
    details = form.get("authorization_details") or None
    if details is not None:
        wanted += read_authorization_details(details, configurations=configurations)
    if not wanted or len(set(wanted)) > names.MAX_OFFERED:
        raise Refused("invalid_scope", "no known scope, and no authorization_details")
    return tuple(dict.fromkeys(wanted)), details is not None
