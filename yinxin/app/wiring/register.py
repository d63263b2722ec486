"""The register of a home: types, documents, status lists, departments and the log."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from credentials.blind_index import BlindIndex
from credentials.catalogue import Catalogue
from credentials.licence import Agency
from credentials.office.types.live import LiveCatalogue
from credentials.reading import OfficeReading
from credentials.repository import LicenceRepository
from credentials.status_service import StatusService
from verify_api.departments import DepartmentRegistry
from yinxin.app import document_place
from yinxin.app.subjects.holders import RecordedHolders
from yinxin.app.wiring.stage import derived
from yinxin.base.audit import Sequencer, verifier_key
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.documents import DocumentStore
    from yinxin.app.home import Home


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


def documents(home: Home) -> DocumentStore:
    """Where sealed pages are kept."""
    return document_place.documents(home)


def reading(home: Home) -> OfficeReading:
    """What the agency's own staff reads."""
    return OfficeReading(home.settings.agency_code, home.database)


def holder_index(home: Home) -> BlindIndex:
    """What licences are found by their holder with; its key stays the same as long as the document key."""
    return BlindIndex(derived(home, b"yinxin holder index 1"))


def recorded_holders(home: Home) -> RecordedHolders:
    """Of whom a death or dissolution is recorded here: nothing new is made for them."""
    return RecordedHolders(holder_index(home), home.settings.agency_code)


def index_holders(home: Home) -> None:
    """Index the licences of a register that was there before its index was."""
    more = True
    while more:
        with home.database.transaction() as session:
            more = LicenceRepository(session, index=holder_index(home)).index_holders() > 0


def departments(home: Home) -> DepartmentRegistry:
    """The registry of departments."""
    return DepartmentRegistry(home.database, clock=home.clock)


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
