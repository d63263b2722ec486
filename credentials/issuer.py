"""Issue licences one by one or from a file, and change what became of them.

How one is made is `credentials.production`, what takes the place of another `credentials.versions`, how one
is paused and ended `credentials.endings`, which event may follow which `credentials.changes`. Who may do
what (drafts, approvals) is the office's business.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from credentials.applications import read_applications
from credentials.batches.work import BatchOrder, BatchResult, BatchWork, batch_id
from credentials.decisions import nothing_beside
from credentials.endings import Endings
from credentials.face.page import Typesetter
from credentials.face.press import Press
from credentials.first_use import FIRST_USER, FirstUse
from credentials.gate import Gate, is_of
from credentials.printed_code import PATH
from credentials.production import Draft, IssuedLicence, Production
from credentials.repository import LicenceRepository
from credentials.versions import NextVersions
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import NotFound
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credentials.applications import Applications
    from credentials.batches.work import HolderKey
    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.changes import Hearers
    from credentials.custody import SealCustody
    from credentials.decisions import Beside
    from credentials.documents import DocumentStore
    from credentials.holders import HolderStates
    from credentials.licence import Agency
    from credentials.status_service import StatusService
    from signing.keys import PublicKey
    from signing.pdf import Seal
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

WORKERS = min(4, os.cpu_count() or 1)


class Issuer(NextVersions, Endings):
    """One agency that issues licences.

    `url` is where its services stand: the `iss` of credentials. `code_address` is the page that the codes
    printed on paper lead to (`https://verify.city.example/q`), `/q` behind the `url` unless named.
    `documents` keeps the sealed PDFs; without it they are only returned. `index` is what licences are
    found by their holder with; without it nobody can. `custody` keeps the seal: it lets it be used, and
    writes each use down. `hearers` are told what becomes of a licence, because they relied on it. `holders`
    says of whom a death or dissolution is recorded: nothing new is made for them.
    """

    def __init__(  # noqa: PLR0913 - an issuer is all of these
        self,
        url: str,
        *,
        catalogue: Catalogue,
        database: Database,
        seal: Seal,
        credential_signer: Signer,
        status: StatusService,
        authority: Agency,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        documents: DocumentStore | None = None,
        code_address: str | None = None,
        index: BlindIndex | None = None,
        custody: SealCustody | None = None,
        hearers: Hearers | None = None,
        holders: HolderStates | None = None,
    ) -> None:
        clock = clock or SystemClock()
        gate = Gate(authority.credit_code, database, clock)
        production = Production(
            url=url.rstrip("/"),
            code_address=code_address or url.rstrip("/") + PATH,
            agency=authority,
            database=database,
            seal=seal,
            credential_signer=credential_signer,
            status=status,
            typesetter=Typesetter(),
            clock=clock,
            randomness=randomness or SystemRandomness(),
            documents=documents,
            index=index,
            custody=custody,
            hearers=hearers,
            holders=holders,
        )
        super().__init__(production, gate, catalogue)
        self._first_use = FirstUse(production, catalogue)

    def issue(  # noqa: PLR0913 - the facts of a licence
        self,
        type_code: str,
        claims: Mapping[str, object],
        *,
        holder: PublicKey | None,
        actor: Actor,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> IssuedLicence:
        """Issue a licence of a type; `holder` is the key its credential is bound to, None makes none.

        `beside` is done in the transaction that records it. `InvalidClaims` names every field that breaks
        its rule, or whose characters the font lacks.
        """
        self._gate.admit(actor, "issue")
        kind = self._catalogue[type_code]
        draft = Draft(kind, kind.check(claims), holder)
        (reserved,) = self._production.reserve([draft], actor)
        made = self._production.make(draft, reserved)
        self._production.keep(made.issued)
        licence = made.issued.licence
        (issued,) = self._production.record(
            [made], actor, approval, beside=lambda session: beside(session, licence)
        )
        return issued

    def issue_rows(  # noqa: PLR0913 - what a batch needs, by name
        self,
        data: bytes,
        *,
        actor: Actor,
        type_code: str | None = None,
        holder_key: HolderKey = lambda _kind, _claims: None,
        approval: str | None = None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        each: Callable[[IssuedLicence], None] = lambda _issued: None,
        workers: int = WORKERS,
        processes: int = 0,
        resume: bool = False,
    ) -> BatchResult:
        """Issue a CSV file of applications: the rows without a fault, and a fault for each other.

        `type_code` is the type of all rows, else a column says it. `holder_key` finds a holder's key.
        `progress` hears of the rows done and all rows, `each` of every licence that is recorded; `workers`
        threads set and seal pages; with `processes` pages are set in so many of them. A failing key or
        time-stamp authority stops the batch by its error; what was recorded before stays. A row leads to
        one licence: the same file again is a `Conflict`, with `resume` its rest is issued.
        """
        self._gate.admit(actor, "issue rows")
        found = read_applications(data, self._catalogue, type_code=type_code)
        batch = batch_id(self._production.agency.credit_code, type_code, data)
        order = BatchOrder(
            batch, actor, approval, holder_key, progress, each, max(workers, processes), resume
        )
        return self.issue_applications(found, order, processes=processes)

    def issue_applications(
        self, found: Applications, order: BatchOrder, *, processes: int = 0
    ) -> BatchResult:
        """Issue rows that were read already, as `issue_rows` does; the order says for whom and how."""
        self._gate.admit(order.actor, "issue rows")
        if not processes:
            return BatchWork(self._production, order, found).run()
        with Press(processes) as press:
            return BatchWork(replace(self._production, typesetter=press), order, found).run()

    @property
    def holders(self) -> HolderStates | None:
        """The record of whom nothing new is made for, where there is one."""
        return self._production.holders

    @property
    def first_use(self) -> FirstUse:
        """What seals licences of older registers when they are first asked for."""
        return self._first_use

    def document(self, identifier: str) -> bytes:
        """The sealed PDF of a version, from the document store; `NotFound` when it is not there.

        One that came from an older register is sealed now, if it was not: `first_use` says what may fail.
        """
        with self._production.database.reading() as session:
            licence = LicenceRepository(session).by_identifier(identifier)
        if licence is not None and licence.awaits_document:
            licence = self._first_use.seal(identifier, actor=FIRST_USER)
        documents, own = self._production.documents, self._production.agency.credit_code
        if licence is None or not is_of(licence, own) or licence.pdf_sha256 is None or documents is None:
            raise NotFound(f"no document of a licence {identifier} is kept here")
        return documents.get(licence.pdf_sha256)
