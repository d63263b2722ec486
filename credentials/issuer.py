"""Issue licences one by one or from a file, and change what became of them.

How one is made is `credentials.production`, which event may follow which is `credentials.changes`. Who may do
what (drafts, approvals) is the office's business.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.applications import RowFault, read_applications
from credentials.changes import record_event, require_state
from credentials.face.page import Typesetter
from credentials.gate import Gate
from credentials.licence import Agency, EndingKind, Event, EventKind, Licence
from credentials.printed_code import PATH
from credentials.production import Draft, IssuedLicence, Production, Reserved
from credentials.repository import LicenceRepository
from credentials.standing import Standing, State, standing
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import InvalidClaims, NotFound, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from credentials.applications import ApplicationRow
    from credentials.catalogue import Catalogue, LicenceType
    from credentials.documents import DocumentStore
    from credentials.fields import Claim
    from credentials.status_service import StatusService
    from signing.keys import PublicKey
    from signing.pdf import Seal
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

    HolderKey = Callable[[LicenceType, Mapping[str, Claim]], PublicKey | None]

WORKERS = min(4, os.cpu_count() or 1)
CHUNK = 16  # rows of a batch that share their two transactions


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a file of applications; every row is in one of the two."""

    issued: tuple[IssuedLicence, ...]
    faults: tuple[RowFault, ...]
    total: int


class Issuer:
    """One agency that issues licences.

    `url` is where its services stand: the `iss` of credentials. `code_address` is the page that the codes
    printed on paper lead to (`https://verify.city.example/q`), `/q` behind the `url` unless named.
    `documents` keeps the sealed PDFs; without it they are only returned.
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
        )

    def issue(
        self,
        type_code: str,
        claims: Mapping[str, object],
        *,
        holder: PublicKey | None,
        actor: Actor,
        approval: str | None = None,
    ) -> IssuedLicence:
        """Issue a licence of a type; `holder` is the key its credential is bound to, None makes none.

        `InvalidClaims` names every field that breaks its rule, or whose characters the font lacks.
        """
        self._gate.admit(actor, "issue")
        kind = self._catalogue[type_code]
        draft = Draft(kind, kind.check(claims), holder)
        (reserved,) = self._production.reserve([draft], actor)
        issued = self._production.make(draft, reserved)
        self._production.record([(draft, reserved, issued)], actor, approval)
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
        workers: int = WORKERS,
    ) -> BatchResult:
        """Issue a CSV file of applications: the rows without a fault, and a fault for each other.

        `type_code` is the type of all rows, else a column says it. `holder_key` finds a holder's key.
        `progress` is called with the rows done and all rows; `workers` threads set and seal pages. A failing
        key or time-stamp authority stops the batch by its error; what was recorded before stays.
        """
        self._gate.admit(actor, "issue rows")
        found = read_applications(data, self._catalogue, type_code=type_code)
        issued: list[IssuedLicence] = []
        faults, done = list(found.faults), found.total - len(found.rows)
        progress(done, found.total)
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(found.rows), CHUNK):
                rows = found.rows[start : start + CHUNK]
                made, wrong = self._issue_chunk(rows, holder_key, actor, approval, pool)
                issued += made
                faults += wrong
                done += len(rows)
                progress(done, found.total)
        return BatchResult(tuple(issued), tuple(sorted(faults, key=lambda one: one.row)), found.total)

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
        issued = self._production.make(draft, reserved)
        new = issued.licence
        ending = Event(
            EndingKind.SUPERSEDED,
            new.issued_at,
            new.issued_at,
            ground,
            document_number,
            str(actor),
            new.identifier,
        )
        self._production.record([(draft, reserved, issued)], actor, approval, ending)
        return issued

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

    def _issue_chunk(
        self,
        rows: Sequence[ApplicationRow],
        holder_key: HolderKey,
        actor: Actor,
        approval: str | None,
        pool: ThreadPoolExecutor,
    ) -> tuple[list[IssuedLicence], list[RowFault]]:
        drafts = [Draft(row.kind, row.claims, holder_key(row.kind, row.claims)) for row in rows]
        reserved = self._production.reserve(drafts, actor)
        made: list[tuple[Draft, Reserved, IssuedLicence]] = []
        faults: list[RowFault] = []
        answers = pool.map(self._try, drafts, reserved)
        for row, draft, place, answer in zip(rows, drafts, reserved, answers, strict=True):
            if isinstance(answer, InvalidClaims):
                faults += [row.fault(field, why) for field, why in answer.faults]
            else:
                made.append((draft, place, answer))
        self._production.record(made, actor, approval)
        return [issued for _, _, issued in made], faults

    def _try(self, draft: Draft, reserved: Reserved) -> IssuedLicence | InvalidClaims:
        try:
            return self._production.make(draft, reserved)
        except InvalidClaims as exc:
            return exc

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
