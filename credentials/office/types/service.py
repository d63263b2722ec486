"""Changing the catalogue: somebody proposes a version, sees what it gives, and somebody else approves it.

A version begins on its day and the one before ends; a type is abolished from the day after its last. What
was issued is read by the version that it was issued under, for ever. Each step stands in the log.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from credentials.gate import Gate
from credentials.licence import agency_day
from credentials.licence_type import InvalidCatalogue
from credentials.office.agreements import give_consent
from credentials.office.types.repository import TypeRepository
from credentials.office.types.rules import faults_beside
from credentials.office.types.versions import ChangeKind, ChangeState, TypeChange
from credentials.sources.rules import source_faults
from credentials.type_files import read_type
from yinxin.base import audit
from yinxin.base.actor import ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, InvalidClaims, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from credentials.office.proofs import Proofs
    from credentials.office.types.live import LiveCatalogue
    from credentials.office.types.preview import Preview, Previewer
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

APPROVER = "approver"
READERS = frozenset({"clerk", "reviewer", "approver", "registrar", "inspector"})
MAX_TEXT, MAX_DOCUMENT_NUMBER = 1000, 120


class TypeOffice:
    """Keeps the catalogue of one agency (its credit code); `proofs` judges what people sign."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        catalogue: LiveCatalogue,
        previewer: Previewer,
        *,
        agency: str,
        database: Database,
        proofs: Proofs,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._catalogue, self._previewer, self._agency = catalogue, previewer, agency
        self._database, self._proofs = database, proofs
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._gate = Gate(agency, database, self._clock)

    def propose(self, file: bytes, *, actor: Actor) -> TypeChange:
        """Propose the version that a type file describes.

        `InvalidCatalogue` has every fault of the file, of its place in the line of versions, and of its
        specimen: a type whose page cannot be set is not proposed.
        """
        self._gate.admit(actor, "propose a type")
        kind = read_type(file, "type.toml")
        self._require_fit(kind)
        self._require_page(kind)
        return self._add(ChangeKind.VERSION, kind.code, kind.version, self._first_day(kind), actor, file=file)

    def abolish(
        self, code: str, *, last_day: date, ground: str, document_number: str, actor: Actor
    ) -> TypeChange:
        """Propose that nothing of a type is issued after a last day; licences issued stay as they are."""
        self._gate.admit(actor, "abolish a type")
        if not 0 < len(ground.strip()) <= MAX_TEXT or not document_number.strip():
            raise UsageError("an abolition needs its legal ground and the number of its document")
        if len(document_number) > MAX_DOCUMENT_NUMBER:
            raise UsageError(f"a document number has at most {MAX_DOCUMENT_NUMBER} characters")
        kind = self._catalogue[code]
        if kind.is_abolished(self._today()):
            raise Conflict(f"the type {code} is abolished already")
        if last_day < self._today():
            raise UsageError("the last day of issuing cannot be in the past")
        newest = self._catalogue.versions(code)[-1]
        return self._add(
            ChangeKind.ABOLITION,
            code,
            newest.version,
            last_day,
            actor,
            ground=ground.strip(),
            document_number=document_number.strip(),
        )

    def preview(self, change_id: str, *, actor: Actor) -> Preview:
        """What a proposed version gives, beside the one that it follows; `UsageError` for an abolition."""
        change = self.change(change_id, actor=actor)
        if change.kind is not ChangeKind.VERSION:
            raise UsageError("an abolition has no preview")
        kind = read_type(change.file, "type.toml")
        before = [one for one in self._catalogue.versions(kind.code) if one.version < kind.version]
        return self._previewer.preview(kind, before[-1] if before else None, at=self._clock.now())

    def page(self, change_id: str, *, actor: Actor) -> bytes:
        """The specimen's page of a proposed version, as PDF."""
        return self._previewer.page(self.preview(change_id, actor=actor))

    def picture(self, change_id: str, *, actor: Actor) -> bytes:
        """The same as PNG."""
        return self._previewer.picture(self.preview(change_id, actor=actor))

    def approve(self, change_id: str, *, proof: Mapping[str, Any], actor: Actor) -> TypeChange:
        """Agree to a change as a second person; it begins, or ends, on its day.

        `NotPermitted` for who proposed it, `Conflict` when another change of the type was approved since, or
        its day has passed.
        """
        self._gate.admit(actor, "approve a type", role=APPROVER)
        seen, now = self._find(change_id), self._clock.now()
        seen.require_open()
        if seen.day < agency_day(now):
            raise Conflict("its day has passed: propose it again with another")
        consent = give_consent(
            self._proofs,
            proof,
            digest=seen.digest,
            role=APPROVER,
            actor=actor,
            at=now,
            not_by=(seen.proposed_by,),
        )
        with self._database.transaction() as session:
            repository = TypeRepository(session, agency=self._agency)
            change = repository.find(change_id)
            change.require_open()
            if change.digest != seen.digest or repository.approved_count(change.code) != change.base:
                raise Conflict("another change of this type was approved meanwhile: propose it again")
            approved = replace(change, state=ChangeState.APPROVED, consent=consent)
            repository.decide(approved)
            self._record(session, "approve", approved, actor)
        self._catalogue.refresh()
        return approved

    def withdraw(self, change_id: str, *, note: str, actor: Actor) -> TypeChange:
        """Take a proposal back, or turn it down, with a reason."""
        self._gate.admit(actor, "withdraw a type", role=APPROVER if APPROVER in actor.roles else "clerk")
        if not 0 < len(note.strip()) <= MAX_TEXT:
            raise UsageError("say why")
        with self._database.transaction() as session:
            repository = TypeRepository(session, agency=self._agency)
            change = repository.find(change_id)
            change.require_open()
            withdrawn = replace(change, state=ChangeState.WITHDRAWN, note=note.strip())
            repository.decide(withdrawn)
            self._record(session, "withdraw", withdrawn, actor)
        return withdrawn

    def change(self, change_id: str, *, actor: Actor) -> TypeChange:
        """One change, for the agency's staff."""
        self._require_reader(actor)
        return self._find(change_id)

    def changes(self, *, actor: Actor, limit: int = 200) -> list[TypeChange]:
        """All changes, the newest first."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return TypeRepository(session, agency=self._agency).every(limit=limit)

    def versions(self, *, actor: Actor) -> list[LicenceType]:
        """Every version of every type, also those that have not begun."""
        self._require_reader(actor)
        return self._catalogue.every_version()

    def _require_fit(self, kind: LicenceType) -> None:
        self._catalogue.refresh()
        faults = [*faults_beside(kind, self._catalogue, today=self._today())]
        faults += source_faults(kind, _newest(self._catalogue))
        if faults:
            raise InvalidCatalogue([(f"type.toml: {place}", what) for place, what in faults])

    def _require_page(self, kind: LicenceType) -> None:
        try:
            self._previewer.page(self._previewer.preview(kind, None, at=self._clock.now()))
        except InvalidClaims as exc:
            faults = [(f"type.toml: fields[{name}].example", why) for name, why in exc.faults]
            raise InvalidCatalogue(faults) from exc

    def _add(  # noqa: PLR0913 - the facts of a change
        self,
        kind: ChangeKind,
        code: str,
        version: int,
        day: date,
        actor: Actor,
        *,
        file: bytes = b"",
        ground: str = "",
        document_number: str = "",
    ) -> TypeChange:
        with self._database.transaction() as session:
            repository = TypeRepository(session, agency=self._agency)
            change = TypeChange(
                id=random_text(self._randomness),
                agency=self._agency,
                kind=kind,
                code=code,
                version=version,
                day=day,
                base=repository.approved_count(code),
                proposed_by=actor.identifier,
                proposed_at=self._clock.now(),
                file=file,
                ground=ground,
                document_number=document_number,
            )
            repository.add(change)
            self._record(session, "propose", change, actor)
        return change

    def _find(self, change_id: str) -> TypeChange:
        with self._database.reading() as session:
            return TypeRepository(session, agency=self._agency).find(change_id)

    def _first_day(self, kind: LicenceType) -> date:
        return kind.from_day or self._today()

    def _today(self) -> date:
        return agency_day(self._clock.now())

    def _require_reader(self, actor: Actor) -> None:
        is_ours = actor.kind is ActorKind.STAFF and actor.agency == self._agency
        if actor.kind is not ActorKind.SYSTEM and not (is_ours and actor.roles & READERS):
            raise NotPermitted("the catalogue's changes are for the agency's own staff")

    def _record(self, session: Session, verb: str, change: TypeChange, actor: Actor) -> None:
        audit.record(
            session,
            action=f"type.{verb}",
            subject=f"type:{change.code}",
            actor=actor,
            at=self._clock.now(),
            details={
                "change": change.id,
                "kind": str(change.kind),
                "version": change.version,
                "day": change.day.isoformat(),
                "digest": change.digest.hex(),
            },
        )


def _newest(catalogue: Catalogue) -> list[LicenceType]:
    """Of each type the version that will hold once all that is approved has begun."""
    return list({one.code: one for one in catalogue.every_version()}.values())
