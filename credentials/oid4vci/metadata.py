"""What an issuer says of itself: credential issuer and authorization server metadata (12.2; RFC 8414).

Only what is built is announced. Documents are made from the catalogue; serving them, and signing the first,
is done elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.credential import COMMON_CLAIMS, SOMETIMES
from credentials.oid4vci import vocabulary as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credentials.catalogue import LicenceType
    from credentials.licence import Agency
    from credentials.oid4vci.forms import CopyForms
    from yinxin.base.text import Text

_ALGORITHMS = sorted(names.ALGORITHMS)


def well_known_path(url: str, suffix: str) -> str:
    """Where a document about `url` stands on its host: inserted before the path (12.2.2; RFC 8414, 3.1)."""
    return suffix + urlsplit(url).path.rstrip("/")


def issuer_metadata(
    url: str, *, forms: CopyForms, agency: Agency, signing_algorithm: str = "ES256"
) -> dict[str, Any]:
    """The credential issuer's metadata (12.2.4)."""
    return {
        "credential_issuer": url,
        "credential_endpoint": url + names.CREDENTIAL_PATH,
        "nonce_endpoint": url + names.NONCE_PATH,
        "notification_endpoint": url + names.NOTIFICATION_PATH,
        "batch_credential_issuance": {"batch_size": names.BATCH_SIZE},
        "display": _display(agency.name),
        "credential_configurations_supported": {
            name: mdoc_configuration(kind) if is_mdoc else configuration(kind, signing_algorithm)
            for name, kind, is_mdoc in forms.items()
        },
    }


def configuration(kind: LicenceType, signing_algorithm: str) -> dict[str, Any]:
    """One entry of `credential_configurations_supported`; its scope is the type's code."""
    return {
        "format": names.CREDENTIAL_FORMAT,
        "vct": kind.vct,
        "scope": kind.code,
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": [signing_algorithm],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": _ALGORITHMS}},
        "credential_metadata": {"display": _display(kind.name), "claims": list(_claims(kind))},
    }


def mdoc_configuration(kind: LicenceType) -> dict[str, Any]:
    """The entry of a type's mdoc (A.2.2): its `vct` is the `doctype`, and the namespace of all claims."""
    claims = [{**claim, "path": [kind.vct, *claim["path"]]} for claim in _claims(kind)]
    return {
        "format": names.MDOC_FORMAT,
        "doctype": kind.vct,
        "scope": kind.code,
        "cryptographic_binding_methods_supported": ["cose_key"],
        "credential_signing_alg_values_supported": [-9, -7],  # ESP256 and ES256 (RFC 9053, 2.1; RFC 9864)
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": _ALGORITHMS}},
        "credential_metadata": {"display": _display(kind.name), "claims": claims},
    }


def server_metadata(url: str, *, scopes: Iterable[str], with_code: bool) -> dict[str, Any]:
    """The authorization server's metadata. `with_code`: whether wallets are registered for the code flow."""
    grants = [names.PRE_AUTHORIZED_CODE, names.REFRESH_TOKEN]
    document: dict[str, Any] = {
        "issuer": url,
        "token_endpoint": url + names.TOKEN_PATH,
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": [],
        "grant_types_supported": grants,
        "dpop_signing_alg_values_supported": _ALGORITHMS,
        "authorization_details_types_supported": [names.AUTHORIZATION_DETAILS_TYPE],
        "pre-authorized_grant_anonymous_access_supported": True,
    }
    if with_code:
        document |= {
            "authorization_endpoint": url + names.AUTHORIZE_PATH,
            "pushed_authorization_request_endpoint": url + names.PAR_PATH,
            "require_pushed_authorization_requests": True,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [names.AUTHORIZATION_CODE, *grants],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": sorted(scopes),
        }
    return document


def _claims(kind: LicenceType) -> Iterable[dict[str, Any]]:
    for field in kind.fields:
        yield {"path": [field.name], "mandatory": field.required, "display": _display(field.label)}
    own = {field.name for field in kind.fields}
    for name, label in COMMON_CLAIMS.items():
        if name not in own:
            yield {"path": [name], "mandatory": name not in SOMETIMES, "display": _display(label)}


def _display(text: Text) -> list[dict[str, str]]:
    return [{"name": text.zh, "locale": "zh-CN"}, {"name": text.en, "locale": "en"}]
