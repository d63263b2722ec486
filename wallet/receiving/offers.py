"""Credential offers as a wallet reads them (OpenID4VCI 1.0, 4.1): the link, and the document it leads to.

Nobody signs an offer, so nothing in it is believed: it says where an issuer is to be asked, and that is all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from credentials.oid4vci import vocabulary as names
from credentials.oid4vp.requests import check_url
from signing.jose import load_json_object
from wallet.links import read_parameters
from wallet.receiving.errors import OfferRefused
from wallet.words import plain
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LINK_CHARACTERS = 64 * 1024
MAX_SECRET_CHARACTERS = 4096
MAX_CONFIGURATIONS = names.MAX_OFFERED
_MAX_PARAMETERS = 16
_MAX_DESCRIPTION = 300  # 4.1.1
_MAX_TX_CODE = 64


@dataclass(frozen=True, slots=True)
class TxCode:
    """The code that the holder got by another way: how it looks, and what the issuer says of it."""

    is_numeric: bool = True
    length: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class OfferLink:
    """A link that was read: the offer itself, or where it stands. Exactly one is there."""

    document: Mapping[str, Any] | None = None
    uri: str | None = None

    @classmethod
    def parse(cls, link: str, *, allow_http: bool = False) -> OfferLink:
        """Read a link, whatever its scheme; `OfferRefused` for one that holds no offer."""
        try:
            values = read_parameters(
                link, what="link", max_characters=MAX_LINK_CHARACTERS, max_fields=_MAX_PARAMETERS
            )
        except MalformedInput as exc:
            raise OfferRefused(exc.detail) from exc
        value, uri = values.get("credential_offer"), values.get("credential_offer_uri")
        if (value is None) == (uri is None):
            raise OfferRefused("OpenID4VCI, 4.1: the link holds no offer; copy the whole of it")
        try:
            if uri is not None:
                return cls(uri=check_url(uri, allow_http=allow_http))
            return cls(document=load_json_object(value or ""))
        except MalformedInput as exc:
            raise OfferRefused(f"OpenID4VCI, 4.1: {exc.detail}") from exc


@dataclass(frozen=True, slots=True)
class CredentialOffer:
    """What is offered. `code` is the pre-authorised one; without it the holder signs in at the issuer."""

    issuer: str
    configurations: tuple[str, ...]
    code: str | None = field(default=None, repr=False)
    tx_code: TxCode | None = None
    issuer_state: str | None = None
    server: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, allow_http: bool = False) -> CredentialOffer:
        """Read the JSON form; `OfferRefused` when a part is missing or of another kind."""
        wanted = document.get("credential_configuration_ids")
        if not isinstance(wanted, list) or not all(_is_secret(one) for one in wanted):
            raise OfferRefused("OpenID4VCI, 4.1.1: credential_configuration_ids is no array of texts")
        if not 1 <= len(wanted) <= MAX_CONFIGURATIONS or len(set(wanted)) != len(wanted):
            raise OfferRefused(f"an offer names 1 to {MAX_CONFIGURATIONS} licences, each once")
        issuer = read_identifier(document.get("credential_issuer"), allow_http=allow_http)
        grants = document.get("grants", {})
        if not isinstance(grants, dict):
            raise OfferRefused("OpenID4VCI, 4.1.1: grants is no object")
        found = cls(issuer, tuple(wanted))
        if names.PRE_AUTHORIZED_CODE in grants:
            return _pre_authorized(found, grants[names.PRE_AUTHORIZED_CODE], allow_http=allow_http)
        return _by_code(found, grants.get(names.AUTHORIZATION_CODE, {}), allow_http=allow_http)


def read_identifier(value: object, *, allow_http: bool = False) -> str:
    """An issuer's identifier: an https address without query and fragment (12.2.1; RFC 8414, 2)."""
    try:
        url = check_url(value, allow_http=allow_http)
    except MalformedInput as exc:
        raise OfferRefused(f"the issuer is {exc.detail}") from exc
    if "?" in url:
        raise OfferRefused("OpenID4VCI, 12.2.1: an issuer's address has no query")
    return url


def _pre_authorized(found: CredentialOffer, grant: object, *, allow_http: bool) -> CredentialOffer:
    if not isinstance(grant, dict) or not _is_secret(grant.get("pre-authorized_code")):
        raise OfferRefused("OpenID4VCI, 4.1.1: the pre-authorised code is missing")
    tx_code = _tx_code(grant["tx_code"]) if "tx_code" in grant else None
    server = _server(grant, allow_http=allow_http)
    code = grant["pre-authorized_code"]
    return CredentialOffer(found.issuer, found.configurations, code, tx_code, None, server)


def _by_code(found: CredentialOffer, grant: object, *, allow_http: bool) -> CredentialOffer:
    if not isinstance(grant, dict) or not _is_secret(grant.get("issuer_state", "-")):
        raise OfferRefused("OpenID4VCI, 4.1.1: the grant is not in order")
    server = _server(grant, allow_http=allow_http)
    state = grant.get("issuer_state")
    return CredentialOffer(found.issuer, found.configurations, issuer_state=state, server=server)


def _server(grant: Mapping[str, Any], *, allow_http: bool) -> str | None:
    named = grant.get("authorization_server")
    return None if named is None else read_identifier(named, allow_http=allow_http)


def _tx_code(value: object) -> TxCode:
    if not isinstance(value, dict):
        raise OfferRefused("OpenID4VCI, 4.1.1: tx_code is no object")
    length, described = value.get("length"), value.get("description", "")
    if length is not None and (type(length) is not int or not 1 <= length <= _MAX_TX_CODE):
        raise OfferRefused("OpenID4VCI, 4.1.1: the length of tx_code is out of range")
    says = plain(described, limit=_MAX_DESCRIPTION) if isinstance(described, str) and described else ""
    return TxCode(value.get("input_mode", "numeric") == "numeric", length, says)


def _is_secret(value: object) -> bool:
    """A text of printable ASCII: it goes on in forms and in headers."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_SECRET_CHARACTERS
        and value.isascii()
        and value.isprintable()
    )
