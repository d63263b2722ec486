"""Everything is put together here, once: from a home's folder to services that answer.

Each function takes a home and makes one thing that runs; nothing below `yinxin.app` knows of settings.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ca.ocsp import OcspResponder
from ca.tsa import TimestampAuthority
from credentials.blind_index import BlindIndex
from credentials.catalogue import Catalogue
from credentials.copies import CopyMaker
from credentials.licence import Agency
from credentials.office.disputes.slips import SlipKind
from credentials.office.notices import NoticeQueue, Notices
from credentials.office.types.live import LiveCatalogue
from credentials.oid4vci.clients import read_clients
from credentials.oid4vci.server import IssuanceServer
from credentials.oid4vp.client_ids import Prefix
from credentials.printed_code import code_address
from credentials.reading import OfficeReading
from credentials.repository import LicenceRepository
from credentials.status_service import StatusService
from signing.timestamp import HttpTimestamper, Timestamper
from verify_api.delegates import Delegates
from verify_api.departments import DepartmentRegistry
from verify_api.notices import DepartmentNotices, RecordedAcceptances
from verify_api.pages.scanned import origin_of
from verify_api.presentations.service import PresentationService
from verify_api.register import RepositoryRegister
from verify_api.service import VerificationService
from wallet.custody import Custody
from wallet.judge import Grounds, Judge
from wallet.wallets import Wallets
from yinxin.access.service import Access
from yinxin.app import document_place
from yinxin.app.ceremony import open_authority
from yinxin.app.delegating import make_handing
from yinxin.app.refresh import Refresher
from yinxin.app.sign_in import openid_provider
from yinxin.base.audit import Sequencer, verifier_key
from yinxin.base.errors import UsageError, YinxinError
from yinxin.base.journal import Journal
from yinxin.base.randomness import SystemRandomness
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import ExitStack

    from fastapi import APIRouter, FastAPI

    from ca.issuance import Authority
    from credentials.delegations.handing import Handing
    from credentials.documents import DocumentStore
    from credentials.issuer import Issuer
    from signing.pdf import Seal
    from verify_api.documents import Snapshots
    from yinxin.app.home import Home
    from yinxin.app.problems import SlipOf
    from yinxin.app.shelf import Shelf

AUTHORITIES = ("root", "issuing")
REQUEST_KEY, METADATA_KEY = "request", "metadata"
WALLETS = "wallets"


@dataclass(slots=True)
class Stage:
    """What runs beside the applications of one process, and ends with them.

    `refresh` fetches at once what verification stands on; else that happens at the settings' interval.
    `shelf` is where another process lays down what it fetches: then nothing is fetched here, and what one
    process does for all (`yinxin.app.duties`) is not done here either. `count_verdict` hears of each
    verification, `on_fetched` of each round of the process that fills the shelf.
    """

    closing: ExitStack
    refreshers: list[Callable[[], None]] = field(default_factory=list)
    shelf: Shelf | None = None
    snapshots: Callable[[], Snapshots] | None = None
    unanswered: Callable[[], Collection[str]] | None = None
    journals: list[Journal] = field(default_factory=list)
    count_verdict: Callable[[str, str], None] | None = None
    on_fetched: Callable[[], None] | None = None

    def refresh(self) -> None:
        """Fetch now."""
        for refresher in self.refreshers:
            refresher()


def catalogue(home: Home) -> LiveCatalogue:
    """The licence types of this installation: its files, and what its people approved since."""
    files = Catalogue.load(home.settings.catalogue_directory)
    found = LiveCatalogue(
        files.every_version(), home.database, agency=home.settings.agency_code, clock=home.clock
    )
    with suppress(YinxinError):  # a first look, where there is a database: later ones may be in a transaction
        len(found)
    return found


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


def seal(home: Home, *, timestamper: Timestamper | None = None) -> Seal:
    """The agency's seal with its face; time-stamps come from the settings' authority unless named."""
    from credentials.face.seal_face import draw_seal_face  # noqa: PLC0415 - it brings pyHanko
    from signing.pdf import Seal  # noqa: PLC0415 - pyHanko takes a second

    settings = home.settings
    if timestamper is None and settings.timestamp_url:
        timestamper = HttpTimestamper(settings.timestamp_url, home.outbound)
    face = draw_seal_face(settings.agency_name, code=settings.agency_code[8:17])
    return Seal(home.signer("seal"), face=face, timestamper=timestamper)


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
    )


def documents(home: Home) -> DocumentStore:
    """Where sealed pages are kept."""
    return document_place.documents(home)


def reading(home: Home) -> OfficeReading:
    """What the agency's own staff reads."""
    return OfficeReading(home.settings.agency_code, home.database)


def holder_index(home: Home) -> BlindIndex:
    """What licences are found by their holder with; its key stays the same as long as the document key."""
    return BlindIndex(_derived(home, b"yinxin holder index 1"))


def index_holders(home: Home) -> None:
    """Index the licences of a register that was there before its index was."""
    more = True
    while more:
        with home.database.transaction() as session:
            more = LicenceRepository(session, index=holder_index(home)).index_holders() > 0


def issuance_server(home: Home) -> IssuanceServer:
    """OpenID4VCI: how licences that were issued reach wallets. It needs neither the seal nor its page."""
    copies = copy_maker(home)
    index_holders(home)
    secret = _derived(home, b"yinxin oid4vci 1")
    clients = read_clients(home.settings.wallet_clients)
    # A home that was made before there was a key for it answers plain metadata only.
    signer = home.signer(METADATA_KEY) if METADATA_KEY in home.key_names() else None
    return IssuanceServer(copies, agency=agency(home), secret=secret, clients=clients, metadata_signer=signer)


def handing(home: Home) -> Handing:
    """Delegations, and what agents are handed under them."""
    return make_handing(home, copy_maker(home), secret=_derived(home, b"yinxin delegations 1"))


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
    )


def departments(home: Home) -> DepartmentRegistry:
    """The registry of departments."""
    return DepartmentRegistry(home.database, clock=home.clock)


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


def issuer_app(home: Home, stage: Stage) -> FastAPI:
    """The issuer: status lists, type metadata, OpenID4VCI and delegations."""
    from credentials import http  # noqa: PLC0415 - FastAPI takes a second
    from credentials.delegations import http as delegation_http  # noqa: PLC0415 - the same
    from credentials.office.types.http import metadata_router  # noqa: PLC0415 - the same

    del stage  # what runs beside it is `yinxin.app.duties`
    statuses = http.router(status_service(home), url=home.settings.base_url)
    delegations = delegation_http.router(handing(home))
    wallets = http.wallet_router(issuance_server(home))
    return application("issuer", statuses, metadata_router(catalogue(home)), wallets, delegations)


def verifier_app(home: Home, stage: Stage) -> FastAPI:
    """The verification service, with a thread that refreshes what it stands on."""
    from verify_api.http.app import create_app  # noqa: PLC0415 - FastAPI takes a second
    from verify_api.http.limits import Limits  # noqa: PLC0415 - the same
    from yinxin.app import problems, slips  # noqa: PLC0415 - the same
    from yinxin.app.disputing import public_routers  # noqa: PLC0415 - the same
    from yinxin.app.forms import add_forms  # noqa: PLC0415 - the same
    from yinxin.app.verifier_pages import add_pages  # noqa: PLC0415 - the same

    refresher = Refresher(home, source=stage.shelf)
    journal = stage.closing.enter_context(Journal(home.database))
    stage.journals.append(journal)
    service = VerificationService(
        url=home.settings.verify_url,
        database=home.database,
        journal=journal,
        register=RepositoryRegister(home.database),
        snapshots=refresher.snapshots(),
        receipt_signer=home.signer("receipt"),
        token_signer=home.signer("token"),
        clock=home.clock,
        delegates=Delegates(home.database, holder_index(home)),
        count_verdict=stage.count_verdict,
        slip_of=slips.verdicts(home),
    )
    stage.snapshots, stage.unanswered = lambda: service.snapshots, refresher.unanswered
    stage.refreshers.append(lambda: service.use(refresher.snapshots()))
    refresher.start(service.use)
    stage.closing.callback(refresher.stop)
    settings = home.settings
    limits = Limits.of(settings.anonymous_requests_per_minute, settings.department_requests_per_minute)
    presentations = _presentations(home, service, journal)
    app = create_app(
        service,
        install_problems=partial(problems.install, slip_of=slips.refusals(home, SlipKind.USE)),
        limits=limits,
        presentations=presentations,
        notices=DepartmentNotices(NoticeQueue(clock=home.clock), journal, catalogue(home)),
        tidies=stage.shelf is None,
    )
    for router in public_routers(home, service, catalogue(home)):
        app.include_router(router)
    add_pages(
        app,
        service,
        settings=settings,
        catalogue=catalogue(home),
        access=staff_access(home),
        presentations=presentations,
        issuers=lambda: home.issuer_certificates,
        closing=stage.closing,
    )
    if presentations:
        add_forms(
            app,
            home,
            service,
            presentations=presentations,
            journal=journal,
            catalogue=catalogue(home),
            index=holder_index(home),
            access=staff_access(home),
            limits=limits,
        )
    return app


def staff_access(home: Home, *, origin: str | None = None, name: Text | None = None) -> Access:
    """Who of the staff may come in: at the counter, unless another place is named."""
    return Access(
        home.database,
        realm="staff",
        origin=origin_of(origin or home.settings.verify_url),
        name=name or Text("电子证照核验", "Licence verification"),
        clock=home.clock,
        openid=openid_provider(home),
        secret=_derived(home, b"yinxin access of staff 1"),
    )


def _presentations(home: Home, service: VerificationService, journal: Journal) -> PresentationService | None:
    """Asks wallets; a home that was made before it had a key for requests does without."""
    if REQUEST_KEY not in home.key_names():
        return None
    return PresentationService(
        service,
        database=home.database,
        journal=journal,
        request_signer=home.signer(REQUEST_KEY),
        catalogue=catalogue(home),
        secret=home.document_key(),
        clock=home.clock,
        prefix=client_id_prefix(home.settings.presentation_client_id),
    )


def wallet_app(home: Home, stage: Stage) -> FastAPI:
    """The wallet that this home keeps for citizens: its pages, and sign-in by passkey."""
    from verify_api.pages.frames import Frame, Scanner  # noqa: PLC0415 - FastAPI takes a second
    from wallet.pages import router  # noqa: PLC0415 - the same
    from yinxin.access import pages as access_pages  # noqa: PLC0415 - the same
    from yinxin.app import problems  # noqa: PLC0415 - the same

    refresher = Refresher(home, source=stage.shelf)
    latest = [refresher.snapshots()]
    origin = home.settings.wallet_url
    judge = Judge(
        _grounds(latest[0]),
        home.outbound,
        clock=home.clock,
        allow_http=origin.startswith("http://"),  # which `Access` takes on this machine only
    )

    def use(snapshots: Snapshots) -> None:
        latest[0] = snapshots
        judge.use(_grounds(snapshots))

    scanner = Scanner()
    stage.closing.callback(scanner.close)

    async def read_frame(width: int, height: int, luminance: bytes) -> list[str]:
        return await scanner.read(Frame(width, height, luminance))

    stage.snapshots, stage.unanswered = lambda: latest[0], refresher.unanswered
    stage.refreshers.append(lambda: use(refresher.snapshots()))
    refresher.start(use)
    stage.closing.callback(refresher.stop)
    custody = Custody(home.directory / WALLETS, _derived(home, b"yinxin wallets 1"))
    wallets = Wallets(
        custody,
        judge,
        home.outbound,
        catalogue=catalogue(home),
        clock=home.clock,
        client_id=origin,
        delegations_at=home.settings.base_url,
    )
    access = Access(
        home.database,
        realm="holder",
        origin=origin,
        name=Text("证照夹", "Licence wallet"),
        clock=home.clock,
        secret=_derived(home, b"yinxin access of holders 1"),
    )
    return application(
        "wallet",
        access_pages.router(access),
        router(wallets, access, origin=origin, row_of=problems.row_of, read_frame=read_frame),
    )


def _grounds(snapshots: Snapshots) -> Grounds:
    return Grounds(snapshots.trust, snapshots.revocation, snapshots.policy)


def _derived(home: Home, use: bytes) -> bytes:
    """A secret for one use: every worker derives the same, and nobody without the home's passphrase can."""
    return hmac.new(home.document_key(), use, hashlib.sha256).digest()


def client_id_prefix(name: str) -> Prefix:
    """How the verifier names itself to wallets, as the settings say."""
    if name not in set(Prefix):
        raise UsageError(f"presentation_client_id is {' or '.join(Prefix)}, not {name!r}")
    return Prefix(name)


def application(title: str, *routers: APIRouter, slip_of: SlipOf | None = None) -> FastAPI:
    """An application of these routes, with our errors; `slip_of` gives refusals their slip."""
    from fastapi import FastAPI  # noqa: PLC0415 - it takes a second

    from yinxin.app import problems  # noqa: PLC0415 - the same

    app = FastAPI(title=f"yinxin {title}", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app, slip_of=slip_of)
    for router in routers:
        app.include_router(router)
    return app
