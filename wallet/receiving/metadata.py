"""What an issuer and its authorization server say of themselves, read by a wallet (12.2; RFC 8414).

Each document must name exactly the address that it was fetched for: that, and not its content, is why one
issuer cannot pass itself off as another (mix-up). What the wallet could not go on with is refused here,
before a code is spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.claim_paths import as_path, to_text
from credentials.dcql import MDOC, SD_JWT_VC
from credentials.oid4vci import vocabulary as names
from credentials.oid4vp.requests import check_url
from wallet.copies import FORMS
from wallet.receiving.errors import OfferRefused
from wallet.receiving.offers import read_identifier
from wallet.words import displayed
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credentials.copies import CopyForm
    from yinxin.base.text import Text

PROOF_ALGORITHM = "ES256"
# What names the type in a configuration of each form, and how its key is bound (A.2.2, A.3.2).
_TYPES = {SD_JWT_VC: ("vct", "jwk"), MDOC: ("doctype", "cose_key")}
MAX_COPIES = 20
MAX_SERVERS = 16
MAX_LABELS = 200


@dataclass(frozen=True, slots=True)
class OfferedType:
    """One credential configuration: a licence type that the issuer gives out in a form, as people call it.

    `vct` is the type of its credentials, of an mdoc the document type.
    """

    configuration: str
    vct: str
    name: Text
    labels: Mapping[str, Text]
    scope: str | None = None
    form: CopyForm = SD_JWT_VC


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """A credential issuer. `batch_size` is how many copies one request may ask for."""

    issuer: str
    name: Text
    credential_endpoint: str
    nonce_endpoint: str | None
    notification_endpoint: str | None
    servers: tuple[str, ...]
    batch_size: int
    types: Mapping[str, OfferedType]

    def server(self, named: str | None) -> str:
        """The authorization server to go to; one that an offer names must be the issuer's own (12.2.4)."""
        if named is not None and named not in self.servers:
            raise OfferRefused("the offer leads to an authorization server that is not its issuer's")
        return named or self.servers[0]


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """An authorization server. `has_dpop`: tokens of its can be bound to a key of ours."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None
    par_endpoint: str | None
    has_dpop: bool
    names_itself: bool
    takes_details: bool


def read_issuer_metadata(
    document: Mapping[str, Any], *, issuer: str, wanted: Sequence[str], allow_http: bool = False
) -> IssuerMetadata:
    """The metadata of `issuer`, with the configurations `wanted`; `OfferRefused` says what is wrong."""
    if document.get("credential_issuer") != issuer:
        raise OfferRefused("OpenID4VCI, 12.2.3: the metadata is another issuer's")
    encryption = document.get("credential_response_encryption")
    if isinstance(encryption, dict) and encryption.get("encryption_required") is True:
        raise OfferRefused("the issuer answers encrypted only, which this wallet does not read")
    configurations = document.get("credential_configurations_supported")
    if not isinstance(configurations, dict):
        raise OfferRefused("OpenID4VCI, 12.2.4: no credential configurations")

    def endpoint(name: str) -> str | None:
        return _endpoint(document, name, allow_http=allow_http)

    return IssuerMetadata(
        issuer,
        displayed(document.get("display"), host_of(issuer)),
        _needed(endpoint("credential_endpoint"), "credential_endpoint"),
        endpoint("nonce_endpoint"),
        endpoint("notification_endpoint"),
        _servers(document, issuer, allow_http=allow_http),
        _batch_size(document),
        {one: _type(one, configurations.get(one)) for one in wanted},
    )


def read_server_metadata(
    document: Mapping[str, Any], *, server: str, allow_http: bool = False
) -> ServerMetadata:
    """The metadata of an authorization server; `OfferRefused` when they are another's or unfit."""
    if document.get("issuer") != server:
        raise OfferRefused("RFC 8414, 3.3: the metadata is another authorization server's")

    def endpoint(name: str) -> str | None:
        return _endpoint(document, name, allow_http=allow_http)

    methods = document.get("code_challenge_methods_supported", ["S256"])
    authorization = endpoint("authorization_endpoint")
    if authorization and (not isinstance(methods, list) or "S256" not in methods):
        authorization = None  # RFC 7636: without it anybody who sees the code can use it
    details = document.get("authorization_details_types_supported", [])
    dpop = document.get("dpop_signing_alg_values_supported", [])
    return ServerMetadata(
        server,
        _needed(endpoint("token_endpoint"), "token_endpoint"),
        authorization,
        endpoint("pushed_authorization_request_endpoint"),
        isinstance(dpop, list) and PROOF_ALGORITHM in dpop,
        document.get("authorization_response_iss_parameter_supported") is True,
        isinstance(details, list) and names.AUTHORIZATION_DETAILS_TYPE in details,
    )


def host_of(url: str) -> str:
    """The part of an address that people know an issuer by."""
    return urlsplit(url).netloc


def _type(configuration: str, value: Any) -> OfferedType:
    if not isinstance(value, dict):
        raise OfferRefused("the issuer does not know the licence that it offers")
    form = value.get("format")
    if form not in FORMS:
        raise OfferRefused(f"this wallet keeps {' and '.join(FORMS)} credentials only")
    member, method = _TYPES[form]
    kind, scope = value.get(member), value.get("scope")
    if not isinstance(kind, str) or not 0 < len(kind) <= 1000:
        raise OfferRefused(f"OpenID4VCI, A.2.2 and A.3.2: {member} is missing")
    _check_proofs(value, method)
    about = value.get("credential_metadata")
    known = about if isinstance(about, dict) else value  # drafts had display at the top
    name = displayed(known.get("display"), configuration)
    is_scope = isinstance(scope, str) and scope.isascii() and scope.isprintable() and " " not in scope
    labels = _labels(known.get("claims"), form)
    return OfferedType(configuration, kind, name, labels, scope if is_scope else None, form)


def _check_proofs(value: Mapping[str, Any], method: str) -> None:
    methods, proofs = value.get("cryptographic_binding_methods_supported"), value.get("proof_types_supported")
    jwt = proofs.get("jwt") if isinstance(proofs, dict) else None
    if not isinstance(methods, list) or method not in methods or not isinstance(jwt, dict):
        raise OfferRefused("the licence is not bound to a key of its holder, or in a way not known here")
    algorithms = jwt.get("proof_signing_alg_values_supported")
    if not isinstance(algorithms, list) or PROOF_ALGORITHM not in algorithms:
        raise OfferRefused(f"the issuer takes no proofs by {PROOF_ALGORITHM}")
    if "key_attestations_required" in jwt:
        raise OfferRefused("the issuer demands key attestations, which this wallet has not")


def _labels(claims: Any, form: CopyForm) -> dict[str, Text]:
    """What the issuer calls the claims, by the text of their path; what is no path is passed over.

    An element of an mdoc goes by its own name, without the namespace.
    """
    found: dict[str, Text] = {}
    for row in claims[:MAX_LABELS] if isinstance(claims, list) else ():
        path = row.get("path") if isinstance(row, dict) else None
        if not isinstance(path, list) or not row.get("display"):
            continue
        path = path[1:] if form == MDOC else path
        try:
            text = to_text(tuple(step for step in as_path(tuple(path)) if isinstance(step, str)))
        except (UsageError, MalformedInput, TypeError, ValueError):
            continue
        if text:
            found.setdefault(text, displayed(row["display"], text))
    return found


def _servers(document: Mapping[str, Any], issuer: str, *, allow_http: bool) -> tuple[str, ...]:
    named = document.get("authorization_servers", [issuer])
    if not isinstance(named, list) or not 1 <= len(named) <= MAX_SERVERS:
        raise OfferRefused("OpenID4VCI, 12.2.4: authorization_servers is no array of addresses")
    return tuple(read_identifier(one, allow_http=allow_http) for one in named)


def _batch_size(document: Mapping[str, Any]) -> int:
    batch = document.get("batch_credential_issuance", {"batch_size": 1})
    size = batch.get("batch_size") if isinstance(batch, dict) else None
    if type(size) is not int or size < 1:
        raise OfferRefused("OpenID4VCI, 12.2.4: batch_size is no number of copies")
    return min(size, MAX_COPIES)


def _endpoint(document: Mapping[str, Any], name: str, *, allow_http: bool) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        return check_url(value, allow_http=allow_http)
    except MalformedInput as exc:
        raise OfferRefused(f"{name} is {exc.detail}") from exc


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise OfferRefused(f"the metadata has no {name}")
    return value
