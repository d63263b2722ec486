"""Everything is put together here, once: from a home's folder to services that answer.

Each function takes a home and makes one thing that runs; nothing below `yinxin.app` knows of settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ca.ocsp import OcspResponder
from ca.tsa import TimestampAuthority
from credentials.catalogue import Catalogue
from credentials.licence import Agency
from credentials.status_service import StatusService
from yinxin.app.ceremony import open_authority
from yinxin.base.audit import Sequencer, verifier_key
from yinxin.base.errors import SignerUnavailable
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ca.issuance import Authority
    from yinxin.app.home import Home

AUTHORITIES = ("root", "issuing")


def catalogue(home: Home) -> Catalogue:
    """The licence types of this installation."""
    return Catalogue.load(home.settings.catalogue_directory)


def agency(home: Home) -> Agency:
    """Who issues here."""
    settings = home.settings
    return Agency(Text(settings.agency_name, settings.agency_name_en), settings.agency_code)


def status_service(home: Home) -> StatusService:
    """The status lists of this issuer."""
    return StatusService(home.database, home.signer("status"), home.settings.base_url, clock=home.clock)


def log_key(home: Home) -> tuple[bytes, str]:
    """The audit log's public key: raw, and as the text that others check proofs with."""
    # An Ed25519 SubjectPublicKeyInfo ends in the raw key (RFC 8410, 4).
    raw = home.signer("log").public_key.spki[-32:]
    return raw, verifier_key(home.settings.audit_origin, raw)


def sequencer(home: Home) -> Sequencer:
    """The writer of the audit log."""
    raw, _ = log_key(home)
    return Sequencer(
        home.database,
        origin=home.settings.audit_origin,
        sign=home.signer("log").sign,
        public_key=raw,
        clock=home.clock,
    )


def authorities(home: Home) -> dict[str, Authority]:
    """The certificate authorities of this home, by name."""
    return {name: open_authority(home, name) for name in AUTHORITIES}


def certificate_app(home: Home) -> FastAPI:
    """The certificate service: certificates, lists, OCSP and time-stamps."""
    from ca import http  # noqa: PLC0415 - FastAPI takes a second

    opened = authorities(home)
    responder = OcspResponder(opened["issuing"], home.signer("ocsp"), home.clock)
    tsa = TimestampAuthority(home.signer("timestamp"), home.clock, home.database)
    return _app("certificates", http.router(opened, {"issuing": responder}, tsa))


def _app(title: str, *routers: object) -> FastAPI:
    try:
        from fastapi import FastAPI  # noqa: PLC0415

        from yinxin.app import problems  # noqa: PLC0415
    except ImportError as exc:
        raise SignerUnavailable("the service needs the extra: pip install 'yinxin[service]'") from exc
    app = FastAPI(title=f"yinxin {title}", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    for router in routers:
        app.include_router(router)  # type: ignore[arg-type]
    return app
