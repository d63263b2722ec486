"""The certificate service: its authorities, and the application that answers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ca.ocsp import OcspResponder
from ca.tsa import TimestampAuthority
from yinxin.app.ceremony import open_authority
from yinxin.app.wiring.stage import Stage, application

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ca.issuance import Authority
    from yinxin.app.home import Home

AUTHORITIES = ("root", "issuing")


def authorities(home: Home) -> dict[str, Authority]:
    """The certificate authorities of this home, by name."""
    return {name: open_authority(home, name) for name in AUTHORITIES}


def certificate_app(home: Home, stage: Stage) -> FastAPI:
    """The certificate service: certificates, lists, OCSP and time-stamps."""
    from ca import http  # noqa: PLC0415 - FastAPI takes a second

    del stage  # nothing of it runs by itself
    opened = authorities(home)
    keys = {"root": "root-ocsp", "issuing": "ocsp"}
    responders = {
        name: OcspResponder(opened[name], home.signer(key), home.clock) for name, key in keys.items()
    }
    tsa = TimestampAuthority(home.signer("timestamp"), home.clock, home.database)
    return application("certificates", http.router(opened, responders, tsa))
