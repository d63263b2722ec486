"""Token requests and what comes back (6): for a pre-authorised code, a code of a sign-in, a refresh token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from credentials.oid4vci import vocabulary as names
from wallet.receiving.errors import DeliveryRefused
from wallet.receiving.wire import AccessToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet.keys import HolderKey
    from wallet.receiving.metadata import ServerMetadata
    from wallet.receiving.wire import Wire

MAX_TOKEN_CHARACTERS = 16 * 1024
MAX_IDENTIFIERS = 50


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token, and what goes with it.

    `identifiers` are the credentials that it opens, by configuration; empty where the issuer names none and
    the configuration itself is asked for.
    """

    access: AccessToken
    refresh: str | None = field(repr=False)
    identifiers: Mapping[str, tuple[str, ...]]


def ask_for_tokens(
    wire: Wire,
    server: ServerMetadata,
    form: Mapping[str, str],
    *,
    key: HolderKey | None,
    client_id: str | None,
) -> Tokens:
    """Ask the token endpoint. `key` is what tokens are to be bound to; None where the server has no DPoP."""
    sent = {**form, "client_id": client_id} if client_id else dict(form)
    return _read(wire.form(server.token_endpoint, sent, key=key), key)


def pre_authorized_form(code: str, tx_code: str | None) -> dict[str, str]:
    """The form for a pre-authorised code (6.1)."""
    form = {"grant_type": names.PRE_AUTHORIZED_CODE, "pre-authorized_code": code}
    return {**form, "tx_code": tx_code} if tx_code is not None else form


def code_form(code: str, *, verifier: str, redirect_uri: str) -> dict[str, str]:
    """The form for an authorisation code (RFC 6749, 4.1.3; RFC 7636, 4.5)."""
    return {
        "grant_type": names.AUTHORIZATION_CODE,
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }


def refresh_form(token: str) -> dict[str, str]:
    """The form for a refresh token (RFC 6749, 6)."""
    return {"grant_type": names.REFRESH_TOKEN, "refresh_token": token}


def _read(answer: Mapping[str, Any], key: HolderKey | None) -> Tokens:
    text, kind = answer.get("access_token"), answer.get("token_type")
    if not _is_token(text) or not isinstance(kind, str):
        raise DeliveryRefused("RFC 6749, 5.1: the token response has no token, or no type")
    wanted = "dpop" if key else "bearer"
    if kind.lower() != wanted:
        # RFC 9449, 5: a token that anybody can use, where one of ours was asked for, is a downgrade.
        raise DeliveryRefused(f"the access token is not of the type {wanted}")
    refresh = answer.get("refresh_token")
    return Tokens(
        AccessToken(str(text), key),
        str(refresh) if _is_token(refresh) else None,
        _identifiers(answer.get("authorization_details", [])),
    )


def _identifiers(details: object) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if not isinstance(details, list):
        raise DeliveryRefused("OpenID4VCI, 6.2: authorization_details is no array")
    for detail in details:
        if not isinstance(detail, dict) or detail.get("type") != names.AUTHORIZATION_DETAILS_TYPE:
            continue
        configuration, named = detail.get("credential_configuration_id"), detail.get("credential_identifiers")
        if named is None:
            continue
        if (
            not isinstance(configuration, str)
            or not isinstance(named, list)
            or not all(map(_is_token, named))
        ):
            raise DeliveryRefused("OpenID4VCI, 6.2: credential_identifiers is no array of texts")
        found[configuration] = (*found.get(configuration, ()), *named)
    if sum(map(len, found.values())) > MAX_IDENTIFIERS:
        raise DeliveryRefused(f"over {MAX_IDENTIFIERS} credentials")
    return found


def _is_token(value: object) -> bool:
    """A text that can stand in a header and a form."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_TOKEN_CHARACTERS
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )
