"""The issuer: the seal, the office that issues, copies for wallets, and the application on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.copies import CopyMaker
from credentials.office.notices import Notices
from credentials.oid4vci.clients import read_clients
from credentials.oid4vci.server import IssuanceServer
from credentials.printed_code import code_address
from signing.timestamp import HttpTimestamper, Timestamper
from verify_api.notices import RecordedAcceptances
from yinxin.app.delegating import make_handing
from yinxin.app.wiring.register import (
    agency,
    catalogue,
    documents,
    holder_index,
    index_holders,
    recorded_holders,
    status_service,
)
from yinxin.app.wiring.stage import Stage, application, derived
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from fastapi import FastAPI

    from credentials.delegations.handing import Handing
    from credentials.issuer import Issuer
    from signing.pdf import Seal
    from yinxin.app.home import Home

METADATA_KEY = "metadata"


def issuer_app(home: Home, stage: Stage) -> FastAPI:
    """The issuer: status lists, type metadata, OpenID4VCI and delegations."""
    from credentials import http  # noqa: PLC0415 - FastAPI takes a second
    from credentials.delegations import http as delegation_http  # noqa: PLC0415 - the same
    from credentials.office.types.http import metadata_router  # noqa: PLC0415 - the same

    del stage  # what runs beside it is `yinxin.app.duties`
    statuses = http.router(status_service(home), url=home.settings.base_url)
    delegations = delegation_http.router(handing(home))
    wallets = http.wallet_router(issuance_server(home))
    keys = http.keys_router(home.settings.base_url, home.credential_keys)
    return application("issuer", statuses, keys, metadata_router(catalogue(home)), wallets, delegations)


def issuer(home: Home, *, timestamper: Timestamper | None = None) -> Issuer:
    """The office that issues licences."""
    from credentials.issuer import Issuer  # noqa: PLC0415 - it brings the typesetter
    from yinxin.app.custody import custody  # noqa: PLC0415 - the same

    return Issuer(
        home.settings.base_url,
        catalogue=catalogue(home),
        database=home.database,
        seal=seal(home, timestamper=timestamper),
        credential_signer=home.signer("credential"),
        status=status_service(home),
        authority=agency(home),
        clock=home.clock,
        documents=documents(home),
        code_address=code_address(home.settings.verify_url),
        index=holder_index(home),
        hearers=Notices(RecordedAcceptances()),
        custody=custody(home),
        holders=recorded_holders(home),
    )


def seal(home: Home, *, timestamper: Timestamper | None = None) -> Seal:
    """The agency's seal with its face; time-stamps come from the settings' authority unless named."""
    from credentials.face.seal_face import draw_seal_face  # noqa: PLC0415 - it brings pyHanko
    from signing.pdf import Seal  # noqa: PLC0415 - pyHanko takes a second

    settings = home.settings
    if timestamper is None and settings.timestamp_url:
        timestamper = HttpTimestamper(settings.timestamp_url, home.outbound)
    face = draw_seal_face(settings.agency_name, code=settings.agency_code[8:17])
    return Seal(home.signer("seal"), face=face, timestamper=timestamper)


def issuance_server(home: Home) -> IssuanceServer:
    """OpenID4VCI: how licences that were issued reach wallets. It needs neither the seal nor its page."""
    copies = copy_maker(home)
    index_holders(home)
    secret = derived(home, b"yinxin oid4vci 1")
    clients = read_clients(home.settings.wallet_clients)
    # A home that was made before there was a key for it answers plain metadata only.
    signer = home.signer(METADATA_KEY) if METADATA_KEY in home.key_names() else None
    return IssuanceServer(copies, agency=agency(home), secret=secret, clients=clients, metadata_signer=signer)


def handing(home: Home) -> Handing:
    """Delegations, and what agents are handed under them."""
    return make_handing(home, copy_maker(home), secret=derived(home, b"yinxin delegations 1"))


def copy_maker(home: Home) -> CopyMaker:
    """Makes copies of licences for wallets."""
    return CopyMaker(
        url=home.settings.base_url.rstrip("/"),
        catalogue=catalogue(home),
        database=home.database,
        credential_signer=home.signer("credential"),
        status=status_service(home),
        clock=home.clock,
        randomness=SystemRandomness(),
        agency=home.settings.agency_code,
        index=holder_index(home),
        holders=recorded_holders(home),
        # A home from before has no such key until `yinxin ca renew mdoc` makes one.
        mdoc_signer=home.signer("mdoc") if "mdoc" in home.key_names() else None,
    )
