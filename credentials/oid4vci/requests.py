"""What wallets send, read into values: token, credential and notification requests, authorization details.

Pure functions over forms (names to texts, none repeated) and JSON objects. Whatever is not understood is
refused in the protocol's own words; parameters that nobody knows are ignored (RFC 6749, 3.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.errors import Refused
from signing.jose import load_json
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_CLIENT_ID = 200
_TEXT = re.compile(r"[\x20-\x7e]{1,4096}\Z")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")  # RFC 7636, 4.1


@dataclass(frozen=True, slots=True)
class PreAuthorizedRequest:
    """Redeem a pre-authorised code (6.1)."""

    code: str
    tx_code: str | None
    client_id: str | None
    wanted: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """Redeem an authorisation code (RFC 6749, 4.1.3; RFC 7636, 4.5)."""

    code: str
    verifier: str
    redirect_uri: str | None
    client_id: str


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """Ask for a new access token (RFC 6749, 6)."""

    token: str
    client_id: str | None


TokenRequest = PreAuthorizedRequest | CodeRequest | RefreshRequest


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """Ask for copies of one licence (8.2): by identifier or by configuration, exactly one of them."""

    identifier: str | None
    configuration: str | None
    proofs: tuple[object, ...]


class NotificationEvent(StrEnum):
    """What became of copies in the wallet (11.1)."""

    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


@dataclass(frozen=True, slots=True)
class Notification:
    """A wallet's word about the copies of one credential response."""

    identifier: str
    event: NotificationEvent


def read_token_request(form: Mapping[str, str], *, configurations: Collection[str]) -> TokenRequest:
    """The request, or `Refused`. `configurations`: the credential configurations that there are."""
    grant = form.get("grant_type")
    if grant is None:
        raise Refused("invalid_request", "grant_type is missing")
    if any(name in form for name in ("client_secret", "client_assertion")):
        raise Refused("invalid_client", "clients are not authenticated here", status=401)
    client_id = text_of(form, "client_id", required=False)
    if client_id is not None and len(client_id) > MAX_CLIENT_ID:
        raise Refused("invalid_request", "client_id is too long")
    if grant == names.PRE_AUTHORIZED_CODE:
        tx_code = text_of(form, "tx_code", required=False)
        code = text_of(form, "pre-authorized_code")
        return PreAuthorizedRequest(code or "", tx_code, client_id, _details(form, configurations))
    if grant == names.AUTHORIZATION_CODE:
        code, verifier = text_of(form, "code"), text_of(form, "code_verifier")
        if not _VERIFIER.match(verifier or ""):
            raise Refused("invalid_request", "RFC 7636, 4.1: code_verifier has 43 to 128 characters")
        redirect_uri = text_of(form, "redirect_uri", required=False)
        return CodeRequest(code or "", verifier or "", redirect_uri, text_of(form, "client_id") or "")
    if grant == names.REFRESH_TOKEN:
        return RefreshRequest(text_of(form, "refresh_token") or "", client_id)
    raise Refused("unsupported_grant_type", "this grant type is not offered")


def text_of(form: Mapping[str, str], name: str, *, required: bool = True) -> str | None:
    """A parameter of printable ASCII; an empty one counts as absent (RFC 6749, 3.2)."""
    value = form.get(name) or None
    if value is None:
        if required:
            raise Refused("invalid_request", f"{name} is missing")
        return None
    if not _TEXT.match(value):
        raise Refused("invalid_request", f"{name} is too long, or no printable ASCII")
    return value


def read_authorization_details(text: str, *, configurations: Collection[str]) -> tuple[str, ...]:
    """The configurations that authorization details ask for (5.1.1), each once."""
    if len(text) > names.MAX_PARAMETER_CHARACTERS:
        raise _bad_details("too long")
    try:
        entries = load_json(text)
    except MalformedInput as exc:
        raise _bad_details("not strict JSON") from exc
    if not isinstance(entries, list) or not 1 <= len(entries) <= names.MAX_OFFERED:
        raise _bad_details(f"an array of 1 to {names.MAX_OFFERED} objects is needed")
    return tuple(dict.fromkeys(_detail(entry, configurations) for entry in entries))


def read_credential_request(body: Mapping[str, Any]) -> CredentialRequest:
    """The request, or `Refused` with a code of 8.3.1.2."""
    identifier, configuration = (
        _member(body, name) for name in ("credential_identifier", "credential_configuration_id")
    )
    if (identifier is None) == (configuration is None):
        raise Refused(
            "invalid_credential_request",
            "exactly one of credential_identifier and credential_configuration_id is needed",
        )
    if "credential_response_encryption" in body:
        raise Refused("invalid_encryption_parameters", "encrypted responses are not offered")
    if "proof" in body:
        raise Refused("invalid_credential_request", "proof was a draft's name; OpenID4VCI 1.0 says proofs")
    proofs = body.get("proofs")
    if proofs is None:
        raise Refused("invalid_proof", "proofs are missing")
    if not isinstance(proofs, dict) or len(proofs) != 1 or not isinstance(proofs.get("jwt"), list):
        raise Refused("invalid_proof", "proofs holds one member, jwt, and that is an array")
    if not 1 <= len(proofs["jwt"]) <= names.BATCH_SIZE:
        raise Refused("invalid_proof", f"one to {names.BATCH_SIZE} proofs are needed")
    return CredentialRequest(identifier, configuration, tuple(proofs["jwt"]))


def read_notification(body: Mapping[str, Any]) -> Notification:
    """The notification, or `Refused` with `invalid_notification_request` (11.3)."""
    identifier, event = body.get("notification_id"), body.get("event")
    described = body.get("event_description", "")
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= 200:
        raise Refused("invalid_notification_request", "notification_id is missing or no text")
    if not isinstance(event, str) or event not in set(NotificationEvent):
        raise Refused("invalid_notification_request", "event is none of the three that there are")
    if not isinstance(described, str) or len(described) > 4096:
        raise Refused("invalid_notification_request", "event_description is no text, or too long")
    return Notification(identifier, NotificationEvent(event))


def _details(form: Mapping[str, str], configurations: Collection[str]) -> tuple[str, ...] | None:
    text = form.get("authorization_details") or None
    return None if text is None else read_authorization_details(text, configurations=configurations)


def _detail(entry: Any, configurations: Collection[str]) -> str:
    if not isinstance(entry, dict) or entry.get("type") != names.AUTHORIZATION_DETAILS_TYPE:
        raise _bad_details(f"type must be {names.AUTHORIZATION_DETAILS_TYPE}")
    configuration = entry.get("credential_configuration_id")
    if not isinstance(configuration, str) or configuration not in configurations:
        raise _bad_details("no such credential configuration")
    for name in ("claims", "locations"):
        if not isinstance(entry.get(name, []), list):
            raise _bad_details(f"{name} is not an array")
    return configuration


def _member(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= 300):
        raise Refused("invalid_credential_request", f"{name} is no text, or too long")
    return value


def _bad_details(why: str) -> Refused:
    return Refused("invalid_authorization_details", f"authorization_details: {why}")
