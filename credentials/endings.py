"""How a licence is paused, ended and, where that was a mistake, brought back: the verbs of an issuer for it.

Which event may follow which is `credentials.changes`, what follows for a moment is `credentials.standing`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from credentials.changes import named_event
from credentials.decisions import Decision, nothing_beside
from credentials.gate import is_of
from credentials.licence import EndingKind, EventKind
from credentials.repository import LicenceRepository
from yinxin.base.errors import NotFound, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.decisions import Beside
    from credentials.gate import Gate
    from credentials.licence import Cause, Event
    from credentials.production import Production
    from yinxin.base.actor import Actor


class Endings:
    """The verbs. Each takes the legal `ground`, the `document_number` of the decision and who records it.

    `effective_from` is now unless named, and never in the future. `approval` names what allowed it, for the
    log; `beside` is done in the transaction that records it.
    """

    _production: Production
    _gate: Gate

    def suspend(  # noqa: PLR0913 - the facts of an event
        self,
        identifier: str,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
        cause: Cause | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> Event:
        """Suspend (暂停) a licence; `Conflict` unless it is in force.

        A death that is reported and not confirmed (`Cause.DEATH_REPORTED`) does no more than this.
        """
        decision = Decision(ground, document_number, actor, effective_from, approval, cause)
        return self._happen(EventKind.SUSPENDED, identifier, decision, beside)

    def resume(  # noqa: PLR0913 - the facts of an event
        self,
        identifier: str,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
        cause: Cause | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> Event:
        """Let a suspended licence hold again; `Conflict` unless it is suspended.

        What was suspended for a reported death resumes with `Cause.DEATH_CONTESTED`, and nothing else does.
        """
        decision = Decision(ground, document_number, actor, effective_from, approval, cause)
        return self._happen(EventKind.RESUMED, identifier, decision, beside)

    def end(  # noqa: PLR0913 - the facts of an ending
        self,
        identifier: str,
        kind: EndingKind,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
        cause: Cause | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> Event:
        """End a licence by its legal kind.

        A licence ends once: a second ending is a `Conflict`, whoever was faster. A superseding comes with
        what takes its place (`replace` and the like) only. After its last day a licence can still be recorded
        as expired, deregistered or annulled.
        """
        if kind is EndingKind.SUPERSEDED:
            raise UsageError("a licence is superseded by what takes its place only")
        decision = Decision(ground, document_number, actor, effective_from, approval, cause)
        return self._happen(kind, identifier, decision, beside)

    def undo(  # noqa: PLR0913 - the facts of an event
        self,
        identifier: str,
        event: int,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> Event:
        """Take back a mistaken ending, or the suspension that lasts; `event` is its sequence.

        From now on it is known that it never counted; what was known before stays as it was. Copies that the
        ending took from wallets stay invalid for ever (a status list does not go back): the wallet's next
        refresh brings new ones. `Conflict` when it was undone before, or another licence took its place.
        """
        decision = Decision(ground, document_number, actor, approval=approval)
        return self._happen(EventKind.UNDONE, identifier, decision, beside, undoes=event)

    def meet_commitment(  # noqa: PLR0913 - the facts of an event
        self,
        identifier: str,
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> Event:
        """Record that a holder's commitment (告知承诺) is met; `Conflict` without one, or twice."""
        decision = Decision(ground, document_number, actor, effective_from, approval)
        return self._happen(EventKind.COMMITMENT_MET, identifier, decision, beside)

    def events_of(self, identifier: str) -> list[Event]:
        """What happened to a version of this agency's, in the order of recording; `NotFound` for others."""
        with self._production.database.reading() as session:
            repository = LicenceRepository(session)
            licence = repository.by_identifier(identifier)
            if licence is None or not is_of(licence, self._production.agency.credit_code):
                raise NotFound(f"no licence {identifier}")
            return repository.events(identifier)

    def _happen(
        self,
        kind: EndingKind | EventKind,
        identifier: str,
        decision: Decision,
        beside: Beside,
        *,
        undoes: int | None = None,
    ) -> Event:
        production, now = self._production, self._production.clock.now()
        decision.check(now=now)
        self._gate.admit(decision.actor, str(kind), identifier)
        with production.database.transaction() as session:
            repository = LicenceRepository(session)
            if undoes is not None:
                undone = named_event(repository.events(identifier), undoes)
                decision = replace(decision, effective_from=undone.effective_from)
            event = decision.event(kind, now=now, undoes=undoes)
            recorded = production.changes.record(
                session, identifier, event, actor=decision.actor, approval=decision.approval
            )
            licence = repository.by_identifier(identifier)
            if licence is not None:
                beside(session, licence)
        return recorded
