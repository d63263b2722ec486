"""Issue licences, and change what became of them.

One licence is four things made together: the sealed PDF, the SD-JWT VC in the holder's wallet, the row in the
repository, and the audit entry. Numbers and status entries are reserved first, in a transaction of their own;
then the page is set, sealed and the credential signed with no transaction open; then everything is recorded at
once. What fails between leaves a gap in the numbers and nothing else. Who may do what (drafts, approvals) is
the office's business.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from credentials.applications import RowFault, read_applications
from credentials.face.page import Typesetter
from credentials.licence import Agency, EndingKind, Event, EventKind, Licence, agency_day
from credentials.repository import CredentialCopy, LicenceRepository
from credentials.sd_jwt import issue_sd_jwt
from credentials.standing import Standing, State, standing
from credentials.vocabulary import INVALID, LICENCE_IDENTIFIER, SUSPENDED, VALID
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted, UsageError
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from credentials.applications import ApplicationRow
    from credentials.catalogue import Catalogue, LicenceType
    from credentials.documents import DocumentStore
    from credentials.fields import Claim
    from credentials.status_service import StatusService
    from signing.keys import PublicKey
    from signing.pdf import Seal
    from signing.signer import Signer
    from yinxin.base.database import Database, Session

CHUNK = 16  # rows of a batch that share their two transactions
_SERIAL_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_LENGTH = 20
_ANY_TIME = frozenset({EndingKind.ANNULLED, EndingKind.SUPERSEDED})
_AFTER_EXPIRY = frozenset({EndingKind.EXPIRED, EndingKind.DEREGISTERED, EndingKind.ANNULLED})


@dataclass(frozen=True, slots=True)
class IssuedLicence:
    """A licence with its documents: the sealed PDF and, for a holder with a key, the SD-JWT VC."""

    licence: Licence
    pdf: bytes
    credential: str | None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a file of applications; every row is in one of the two."""

    issued: tuple[IssuedLicence, ...]
    faults: tuple[RowFault, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Draft:
    """A checked application on its way."""

    kind: LicenceType
    claims: Mapping[str, Claim]
    holder_key: PublicKey | None
    previous: Licence | None = None
    renew: bool = False


@dataclass(frozen=True, slots=True)
class _Reserved:
    """What the first transaction gave a draft."""

    number: str
    status: tuple[str, int] | None


class Issuer:
    """One agency that issues licences.

    `url` is where its services stand: the `iss` of credentials, and where a printed code leads. `documents`
    keeps the sealed PDFs; without it they are only returned.
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
    ) -> None:
        self._url = url.rstrip("/")
        self._catalogue = catalogue
        self._database = database
        self._seal = seal
        self._credential_signer = credential_signer
        self._status = status
        self._agency = authority
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()
        self._documents = documents
        self._typesetter = Typesetter(self._url)

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
        _require_office(actor)
        kind = self._catalogue[type_code]
        draft = _Draft(kind, kind.check(claims), holder)
        (reserved,) = self._reserve([draft], actor)
        issued = self._make(draft, reserved)
        self._record([(draft, reserved, issued)], actor, approval)
        return issued

    def issue_rows(  # noqa: PLR0913 - what a batch needs, by name
        self,
        data: bytes,
        *,
        actor: Actor,
        type_code: str | None = None,
        holder_key: Callable[[LicenceType, Mapping[str, Claim]], PublicKey | None] = lambda _kind, _claims: None,
        approval: str | None = None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        workers: int = 2,
    ) -> BatchResult:
        """Issue a CSV file of applications: the rows without a fault, and a fault for each other.

        `type_code` is the type of all rows, else a column says it. `holder_key` finds a holder's key.
        `progress` is called with the rows done and all rows. A failing key or time-stamp authority stops
        the batch by its error; what was recorded before stays.
        """
        _require_office(actor)
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
        _require_office(actor)
        old, found = self._look_up(identifier)
        _require_state(found, State.IN_FORCE, State.NOT_YET_VALID)
        kind = self._catalogue[old.type_code]
        draft = _Draft(kind, kind.check(claims), holder, previous=old, renew=renew)
        (reserved,) = self._reserve([draft], actor)
        issued = self._make(draft, reserved)
        new = issued.licence
        ending = Event(
            EndingKind.SUPERSEDED, new.issued_at, new.issued_at, ground, document_number, str(actor), new.identifier
        )
        self._record([(draft, reserved, issued)], actor, approval, ending)
        return issued

    def suspend(
        self, identifier: str, *, ground: str, document_number: str, actor: Actor, effective_from: datetime | None = None
    ) -> None:
        """Suspend (暂停) a licence; `Conflict` unless it is in force."""
        self._change(EventKind.SUSPENDED, identifier, effective_from, ground, document_number, actor)

    def resume(
        self, identifier: str, *, ground: str, document_number: str, actor: Actor, effective_from: datetime | None = None
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
        `replace` only. After its last day a licence can still be recorded as expired, deregistered or annulled.
        """
        if kind is EndingKind.SUPERSEDED:
            raise UsageError("a licence is superseded by replace() only")
        self._change(kind, identifier, effective_from, ground, document_number, actor)

    def meet_commitment(
        self, identifier: str, *, ground: str, document_number: str, actor: Actor, effective_from: datetime | None = None
    ) -> None:
        """Record that what a holder promised (告知承诺) is fulfilled; `Conflict` for a type without one, or twice."""
        self._change(EventKind.COMMITMENT_MET, identifier, effective_from, ground, document_number, actor)

    def _issue_chunk(
        self,
        rows: Sequence[ApplicationRow],
        holder_key: Callable[[LicenceType, Mapping[str, Claim]], PublicKey | None],
        actor: Actor,
        approval: str | None,
        pool: ThreadPoolExecutor,
    ) -> tuple[list[IssuedLicence], list[RowFault]]:
        drafts = [_Draft(row.kind, row.claims, holder_key(row.kind, row.claims)) for row in rows]
        reserved = self._reserve(drafts, actor)
        made: list[tuple[_Draft, _Reserved, IssuedLicence]] = []
        faults: list[RowFault] = []
        answers = pool.map(self._try, drafts, reserved)
        for row, draft, place, answer in zip(rows, drafts, reserved, answers, strict=True):
            if isinstance(answer, InvalidClaims):
                faults += [row.fault(field, why) for field, why in answer.faults]
            else:
                made.append((draft, place, answer))
        self._record(made, actor, approval)
        return [issued for _, _, issued in made], faults

    def _try(self, draft: _Draft, reserved: _Reserved) -> IssuedLicence | InvalidClaims:
        try:
            return self._make(draft, reserved)
        except InvalidClaims as exc:
            return exc

    def _reserve(self, drafts: Sequence[_Draft], actor: Actor) -> list[_Reserved]:
        """Numbers and status entries, in one short transaction."""
        on = agency_day(self._clock.now())
        with self._database.transaction() as session:
            repository = LicenceRepository(session)
            return [
                _Reserved(
                    draft.previous.number if draft.previous else _number(repository, draft, on),
                    self._status.allocate(session, actor=actor) if draft.holder_key else None,
                )
                for draft in drafts
            ]

    def _make(self, draft: _Draft, reserved: _Reserved) -> IssuedLicence:
        """Page, seal and credential; no transaction is open here."""
        licence = self._licence(draft, reserved.number)
        page = self._typesetter.typeset(licence, draft.kind)
        face = self._seal.face
        pdf = self._seal.apply(
            page.pdf,
            now=licence.issued_at,
            at=page.seal_place(face.width_mm, face.height_mm) if face else None,
            reason=draft.kind.name.zh,
        )
        licence = replace(licence, pdf_sha256=hashlib.sha256(pdf).hexdigest())
        credential = self._credential(draft, licence, reserved.status) if reserved.status else None
        if self._documents is not None:
            self._documents.put(pdf)
        return IssuedLicence(licence, pdf, credential)

    def _licence(self, draft: _Draft, number: str) -> Licence:
        now, kind, old = self._clock.now(), draft.kind, draft.previous
        first, last = kind.validity.period(draft.claims, issued_on=agency_day(now))
        if old and not draft.renew and not kind.validity.until_field:
            first, last = old.valid_from, old.valid_until
        name, code = kind.holder(draft.claims)
        return Licence(
            identifier=str(self._identifier(kind, old)),
            number=number,
            type_code=kind.code,
            type_name=kind.name,
            version=old.version + 1 if old else 1,
            agency=self._agency,
            holder_name=name,
            holder_code=code,
            claims=draft.claims,
            issued_at=now,
            recorded_at=now,
            valid_from=first,
            valid_until=last,
            commitment_due=kind.commitment_day(draft.claims),
            replaces=old.identifier if old else None,
        )

    def _identifier(self, kind: LicenceType, old: Licence | None) -> LicenceIdentifier:
        if old:
            return LicenceIdentifier.parse(old.identifier).with_version(old.version + 1)
        number = int.from_bytes(self._randomness.bytes(_SERIAL_LENGTH), "big")
        serial = ""
        for _ in range(_SERIAL_LENGTH):
            number, digit = divmod(number, len(_SERIAL_ALPHABET))
            serial += _SERIAL_ALPHABET[digit]
        return LicenceIdentifier.make(kind.number, self._agency.credit_code, serial, "001")

    def _credential(self, draft: _Draft, licence: Licence, status: tuple[str, int]) -> str:
        claims: dict[str, Any] = {
            "iss": self._url,
            "vct": draft.kind.vct,
            "iat": int(licence.issued_at.timestamp()),
            "nbf": int(licence.starts_at.timestamp()),
            "status": {"status_list": {"uri": status[0], "idx": status[1]}},
            LICENCE_IDENTIFIER: licence.identifier,
            "licence_number": licence.number,
            "licence_version": f"{licence.version:03}",
            "licence_name": licence.type_name.zh,
            "issuing_authority": licence.agency.name.zh,
            "issuing_authority_code": licence.agency.credit_code,
            "issued_on": agency_day(licence.issued_at).isoformat(),
            "valid_from": licence.valid_from.isoformat(),
            **licence.claims,
        }
        if licence.valid_until and licence.ends_at:
            claims |= {"valid_until": licence.valid_until.isoformat(), "exp": int(licence.ends_at.timestamp())}
        return issue_sd_jwt(
            claims,
            disclosable=sorted(draft.kind.disclosable & set(licence.claims)),
            signer=self._credential_signer,
            randomness=self._randomness,
            holder_key=draft.holder_key,
        )

    def _record(
        self,
        made: Iterable[tuple[_Draft, _Reserved, IssuedLicence]],
        actor: Actor,
        approval: str | None,
        ending: Event | None = None,
    ) -> None:
        """Rows, copies, audit entries and, for a replacement, the old version's ending: all or nothing."""
        with self._database.transaction() as session:
            repository = LicenceRepository(session)
            for draft, reserved, issued in made:
                licence = issued.licence
                if ending and licence.replaces:
                    self._apply(session, licence.replaces, ending, actor)
                repository.add(licence)
                if reserved.status and issued.credential:
                    repository.add_copy(_copy(draft, reserved.status, issued))
                audit.record(
                    session,
                    action="licence.replace" if licence.replaces else "licence.issue",
                    subject=licence.identifier,
                    actor=actor,
                    at=licence.issued_at,
                    details=_details(issued, approval),
                )

    def _change(  # noqa: PLR0913, PLR0917 - an event's facts, from the verbs above
        self,
        kind: EndingKind | EventKind,
        identifier: str,
        effective_from: datetime | None,
        ground: str,
        document_number: str,
        actor: Actor,
    ) -> None:
        _require_office(actor)
        if not ground.strip() or not document_number.strip():
            raise UsageError("an event needs its legal ground and the number of its document")
        now = self._clock.now()
        event = Event(kind, effective_from or now, now, ground, document_number, str(actor))
        if event.effective_from > now:
            raise UsageError("an event is recorded when it takes effect, not before")
        with self._database.transaction() as session:
            self._apply(session, identifier, event, actor)

    def _apply(self, session: Session, identifier: str, event: Event, actor: Actor) -> None:
        """Record an event, the public status and the audit entry in the caller's transaction."""
        repository = LicenceRepository(session)
        licence = repository.for_change(identifier)
        _require_possible(licence, repository.events(identifier), event)
        repository.add_event(identifier, event)
        value = _STATUS.get(event.kind, INVALID if event.is_ending else None)
        if value is not None:
            for copy in repository.copies(identifier):
                self._status.set(session, copy.status_uri, copy.status_index, value, actor=actor)
        details = {"effective_from": event.effective_from.isoformat(), "document": event.document_number}
        if event.replaced_by:
            details["replaced_by"] = event.replaced_by
        action = f"licence.{event.kind}"
        audit.record(
            session, action=action, subject=identifier, actor=actor, at=event.recorded_at, details=details
        )

    def _look_up(self, identifier: str) -> tuple[Licence, Standing]:
        now = self._clock.now()
        with self._database.reading() as session:
            repository = LicenceRepository(session)
            licence = repository.by_identifier(identifier)
            if licence is None:
                raise NotFound(f"no licence {identifier}")
            return licence, standing(licence, repository.events(identifier), as_of=now, known_at=now)


_STATUS = {EventKind.SUSPENDED: SUSPENDED, EventKind.RESUMED: VALID}


def _require_office(actor: Actor) -> None:
    if actor.kind not in {ActorKind.STAFF, ActorKind.SYSTEM}:
        raise NotPermitted(f"{actor} does not act for an agency")


def _require_state(found: Standing, *states: State) -> None:
    if found.state not in states:
        raise Conflict(f"the licence is {found.text.en}")


def _require_possible(licence: Licence, events: list[Event], event: Event) -> None:
    """`Conflict` when the event cannot follow what happened before."""
    at = event.recorded_at
    found = standing(licence, events, as_of=at, known_at=at)
    kind = event.kind
    if kind is EventKind.SUSPENDED:
        _require_state(found, State.IN_FORCE)
    elif kind is EventKind.RESUMED:
        _require_state(found, State.SUSPENDED)
    elif kind is EventKind.COMMITMENT_MET:
        _require_state(found, State.IN_FORCE, State.SUSPENDED, State.NOT_YET_VALID)
        if licence.commitment_due is None or found.commitment_met:
            raise Conflict("the licence has no open commitment")
    elif kind is EndingKind.SUPERSEDED:
        _require_state(found, State.IN_FORCE, State.NOT_YET_VALID)
    elif kind is EndingKind.EXPIRED:
        _require_state(found, State.EXPIRED)
    elif found.state is State.EXPIRED and kind not in _AFTER_EXPIRY:
        raise Conflict(f"the licence is {found.text.en}")
    if kind not in _ANY_TIME and event.effective_from < licence.starts_at:
        raise UsageError("an event cannot take effect before the licence does")
    if any(event.effective_from < one.effective_from for one in events):
        raise Conflict("a later event of this licence is recorded already")


def _number(repository: LicenceRepository, draft: _Draft, on: Any) -> str:
    numbering = draft.kind.numbering
    if numbering.field:
        return numbering.make(draft.claims, on=on, serial=0)
    (serial,) = repository.take_serials(draft.kind.code, numbering.series(on=on))
    return numbering.make(draft.claims, on=on, serial=serial)


def _copy(draft: _Draft, status: tuple[str, int], issued: IssuedLicence) -> CredentialCopy:
    digest = hashlib.sha256((issued.credential or "").encode()).hexdigest()
    key = draft.holder_key.fingerprint if draft.holder_key else None
    return CredentialCopy(status[0], status[1], issued.licence.identifier, key, digest, issued.licence.issued_at)


def _details(issued: IssuedLicence, approval: str | None) -> dict[str, Any]:
    details: dict[str, Any] = {"type": issued.licence.type_code, "pdf": issued.licence.pdf_sha256}
    if issued.credential:
        details["credential"] = hashlib.sha256(issued.credential.encode()).hexdigest()
    if issued.licence.replaces:
        details["replaces"] = issued.licence.replaces
    if approval:
        details["approval"] = approval
    return details
