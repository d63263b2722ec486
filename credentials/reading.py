"""What an office's own staff reads: its agency's licences, their history, their sealed PDFs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credentials.foreign.repository import ForeignRepository
from credentials.history import History
from credentials.repository import LicenceRepository
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import NotFound, NotPermitted

if TYPE_CHECKING:
    from credentials.documents import DocumentStore
    from credentials.licence import Event, Licence
    from yinxin.base.database import Database


@dataclass(frozen=True, slots=True)
class OfficeReading:
    """The licences of one agency, for its staff of any role; another agency's are not there (`NotFound`)."""

    agency: str
    database: Database
    documents: DocumentStore | None = None
    clock: Clock = field(default_factory=SystemClock)

    def licence(self, text: str, *, actor: Actor) -> Licence:
        """The licence that an identifier or a number names; another issuer's says where to ask instead."""
        self._require(actor)
        with self.database.reading() as session:
            found = LicenceRepository(session).find(text, agency=self.agency)
            others = [] if found else ForeignRepository(session).find(text.strip())
        if found is None:
            where = "; ".join(f"issued by {one.issuer_name.en}, ask at {one.verify_at}" for one in others)
            raise NotFound(f"{text}: {where}" if where else text)
        return found

    def events(self, identifier: str, *, actor: Actor) -> list[Event]:
        """What happened to one version."""
        own = self.licence(identifier, actor=actor)
        with self.database.reading() as session:
            return LicenceRepository(session).events(own.identifier)

    def history(self, text: str, *, actor: Actor) -> History:
        """All versions of a licence, what happened to each, and what it came from and became."""
        own = self.licence(text, actor=actor)
        with self.database.reading() as session:
            repository = LicenceRepository(session)
            versions = repository.versions(own.identifier)
            found = tuple((one, tuple(repository.events(one.identifier))) for one in versions)
        return History(found, self.clock.now())

    def document(self, identifier: str, *, actor: Actor) -> bytes:
        """The sealed PDF of one version. One of an older register is asked for, and made in a moment."""
        own = self.licence(identifier, actor=actor)
        if own.awaits_document:
            self._want(own)
            raise NotFound("the document of this licence is being made: ask again in a minute")
        if self.documents is None or own.pdf_sha256 is None:
            raise NotFound("no sealed document is kept here")
        return self.documents.get(own.pdf_sha256)

    def _want(self, licence: Licence) -> None:
        with self.database.transaction() as session:
            LicenceRepository(session).want_document(licence.identifier, at=self.clock.now())

    def _require(self, actor: Actor) -> None:
        is_ours = actor.kind is ActorKind.STAFF and actor.agency == self.agency
        if not is_ours and actor.kind is not ActorKind.SYSTEM:
            raise NotPermitted(f"{actor} does not read for this agency")
