"""Issue licences one by one or from a file, and change what became of them.

How one is made is `credentials.production`, which event may follow which is `credentials.changes`. Who may do
what (drafts, approvals) is the office's business.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from credentials.applications import read_applications
from credentials.batches.work import BatchOrder, BatchResult, BatchWork, batch_id
from credentials.changes import record_event, require_state
from credentials.face.page import Typesetter
from credentials.face.press import Press
from credentials.gate import Gate, is_of
from credentials.licence import Agency, EndingKind, Event, EventKind, Licence
from credentials.printed_code import PATH
from credentials.production import Draft, IssuedLicence, Production
from credentials.repository import LicenceRepository
from credentials.standing import Standing, State, standing
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.database import Session
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.batches.work import HolderKey
    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.custody import SealCustody
    from credentials.documents import DocumentStore
    from credentials.status_service import StatusService
    from signing.keys import PublicKey
    from signing.pdf import Seal
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

Beside = Callable[[Session, Licence], None]
WORKERS = min(4, os.cpu_count() or 1)


def _nothing(_session: Session, _licence: Licence) -> None:
    """Nothing is done beside."""


class Issuer:
    """One agency that issues licences.

    `url` is where its services stand: the `iss` of credentials. `code_address` is the page that the codes
    printed on paper lead to (`https://verify.city.example/q`), `/q` behind the `url` unless named.
    `documents` keeps the sealed PDFs; without it they are only returned. `index` is what licences are
    found by their holder with; without it nobody can. `custody` keeps the seal: it lets it be used, and
    writes each use down.
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
    ) -> None:
        self._catalogue = catalogue
        self._database = database
        self._status = status
        self._clock = clock or SystemClock()
        self._gate = Gate(authority.credit_code, database, self._clock)
        self._production = Production(
            url=url.rstrip("/"),
            code_address=code_address or url.rstrip("/") + PATH,
            agency=authority,
            database=database,
            seal=seal,
            credential_signer=credential_signer,
            status=status,
            typesetter=Typesetter(),
            clock=self._clock,
            randomness=randomness or SystemRandomness(),
            documents=documents,
            index=index,
            custody=custody,
        )

    def issue(  # noqa: PLR0913 - the facts of a licence
        self,
        type_code: str,
        claims: Mapping[str, object],
        *,
        holder: PublicKey | None,
        actor: Actor,
        approval: str | None = None,
        beside: Beside = _nothing,
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
        self._production.record([made], actor, approval, beside=lambda session: beside(session, licence))
        return made.issued

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
        if not processes:
            return BatchWork(self._production, order, found).run()
        with Press(processes) as press:
            return BatchWork(replace(self._production, typesetter=press), order, found).run()

    def document(self, identifier: str) -> bytes:
        """The sealed PDF of a version, from the document store; `NotFound` when it is not there."""
        with self._database.reading() as session:
            licence = LicenceRepository(session).by_identifier(identifier)
        documents, own = self._production.documents, self._production.agency.credit_code
        if licence is None or not is_of(licence, own) or licence.pdf_sha256 is None or documents is None:
            raise NotFound(f"no document of a licence {identifier} is kept here")
        return documents.get(licence.pdf_sha256)

    def replace(  # noqa: PLR0913 - the facts of a replacement
        self,
        identifier: str,
        claims: Mapping[str, object],
        *,
        holder: PublicKey | None,
        ground: str,
        document_number: str,
        actor: Actor,
        approval: str | None = None,
        renew: bool = False,
        beside: Beside = _nothing,
    ) -> IssuedLicence:
        """Issue the next version (换发): same number, version raised, old and new linked both ways.

        It takes effect when it is sealed, and the old one ends then. A fixed term stays as it was unless
        `renew` begins a new one. `Conflict` unless the old version is the current one and in force.
        """
        self._gate.admit(actor, "replace", identifier)
        old, found = self._look_up(identifier)
        require_state(found, State.IN_FORCE, State.NOT_YET_VALID)
        kind = self._catalogue[old.type_code]
        draft = Draft(kind, kind.check(claims), holder, previous=old, renew=renew)
        (reserved,) = self._production.reserve([draft], actor)
        made = self._production.make(draft, reserved)
        new = made.issued.licence
        ending = Event(
            EndingKind.SUPERSEDED,
            new.issued_at,
            new.issued_at,
            ground,
            document_number,
            str(actor),
            new.identifier,
        )
        self._production.keep(made.issued)
        self._production.record([made], actor, approval, ending, beside=lambda session: beside(session, new))
        return made.issued

    def suspend(
        self,
        identifier: str,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
    ) -> None:
        """Suspend (暂停) a licence; `Conflict` unless it is in force."""
        self._change(EventKind.SUSPENDED, identifier, effective_from, ground, document_number, actor)

    def resume(
        self,
        identifier: str,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
    ) -> None:
        """Let a suspended licence hold again; `Conflict` unless it is suspended."""
        self._change(EventKind.RESUMED, identifier, effective_from, ground, document_number, actor)

    def end(  # noqa: PLR0913 - the facts of an ending
        self,
        identifier: str,
        kind: EndingKind,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
    ) -> None:
        """End a licence by its legal kind, from `effective_from` (now; never in the future).

        A licence ends once: a second ending is a `Conflict`, whoever was faster. A superseding is made by
        `replace` only. After its last day a licence can still be recorded as expired, deregistered or
        annulled.
        """
        if kind is EndingKind.SUPERSEDED:
            raise UsageError("a licence is superseded by replace() only")
        self._change(kind, identifier, effective_from, ground, document_number, actor)

    def meet_commitment(
        self,
        identifier: str,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
    ) -> None:
        """Record that a holder's commitment (告知承诺) is met; `Conflict` without one, or twice."""
        self._change(EventKind.COMMITMENT_MET, identifier, effective_from, ground, document_number, actor)

    def _change(  # noqa: PLR0913, PLR0917 - an event's facts, from the verbs above
        self,
        kind: EndingKind | EventKind,
        identifier: str,
        effective_from: datetime | None,
        ground: str,
        document_number: str,
        actor: Actor,
    ) -> None:
        if not ground.strip() or not document_number.strip():
            raise UsageError("an event needs its legal ground and the number of its document")
        now = self._clock.now()
        event = Event(kind, effective_from or now, now, ground, document_number, str(actor))
        if event.effective_from > now:
            raise UsageError("an event is recorded when it takes effect, not before")
        self._gate.admit(actor, str(kind), identifier)
        with self._database.transaction() as session:
            record_event(session, identifier, event, status=self._status, actor=actor)

    def _look_up(self, identifier: str) -> tuple[Licence, Standing]:
        now = self._clock.now()
        with self._database.reading() as session:
            repository = LicenceRepository(session)
            licence = repository.by_identifier(identifier)
            if licence is None:
                raise NotFound(f"no licence {identifier}")
            return licence, standing(licence, repository.events(identifier), as_of=now, known_at=now)
