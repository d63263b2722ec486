"""An office that issues licences: the sample agency, its seal and its clerk."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.blind_index import BlindIndex
from credentials.catalogue import Catalogue
from credentials.face.seal_face import draw_seal_face
from credentials.issuer import Issuer
from credentials.repository import LicenceRepository
from credentials.status_service import StatusService
from signing.pdf.seal import Seal
from signing.signers.file import FileSigner
from yinxin.base.actor import staff
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.documents import DocumentStore
    from credentials.holders import HolderStates
    from credentials.issuer import IssuedLicence
    from credentials.licence import Agency
    from credentials.standing import Standing
    from world.pki import Pki
    from yinxin.base.database import Database

URL = "https://licences.jincheng.example"
INDEX = BlindIndex(b"i" * 32)
drawn = functools.cache(draw_seal_face)  # a face takes a tenth of a second
WHY = {"ground": "《中华人民共和国食品安全法》第一百二十四条", "document_number": "津城监罚〔2026〕7号"}


class Office:
    """The agency on 20 November 2026, noon in Beijing."""

    def __init__(
        self,
        pki: Pki,
        database: Database,
        *,
        url: str = URL,
        clock: Any = None,
        documents: DocumentStore | None = None,
        agency: Agency = samples.AGENCY,
        holders: HolderStates | None = None,
    ) -> None:
        self.pki, self.database = pki, database
        self.clock = clock or FixedClock(2026, 11, 20, 4)
        self.agency, self.clerk = agency, staff("clerk-17", agency=agency.credit_code)
        self.holder = FileSigner.generate()
        self.catalogue = self.make_catalogue()
        self.index = INDEX
        self.status = StatusService(database, pki.signer("status"), url, clock=self.clock, size=1024)
        face = drawn(agency.name.zh, purpose="行政审批专用章", code="1201990000281")
        self.issuer = Issuer(
            url,
            catalogue=self.catalogue,
            database=database,
            seal=Seal(pki.signer("seal"), face=face),
            credential_signer=pki.signer("credential"),
            status=self.status,
            authority=agency,
            clock=self.clock,
            index=self.index,
            documents=documents,
            holders=holders,
        )

    def make_catalogue(self) -> Catalogue:
        return Catalogue.load()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def issue(self, type_code: str = "food-business-licence", index: int = 1) -> IssuedLicence:
        claims = samples.application(type_code, index)
        return self.issuer.issue(type_code, claims, holder=self.holder.public_key, actor=self.clerk)

    def standing(
        self, identifier: str, *, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> Standing:
        with self.database.reading() as session:
            return LicenceRepository(session).standing(
                identifier, as_of=as_of or self.now, known_at=known_at or self.now
            )
