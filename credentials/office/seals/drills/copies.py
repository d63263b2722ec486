"""A lost credential key: every copy in a wallet that it may have signed is ended, and wallets get fresh ones.

A credential carries no trusted time: whoever has the key writes any time into one. So nothing that it signed
is kept, whenever it was. The status list says INVALID of every copy, and the revoked certificate fails what
no list knows of. The sealed documents stay as they are; the codes printed on them were signed by the same
key and fail everywhere, until the licences are printed anew.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from credentials.office.seals.drills.repository import DrillRepository
from credentials.office.seals.drills.values import DrillState
from credentials.office.seals.drills.work import Compromise, checked_text
from credentials.office.seals.reading import APPROVER, KEEPER
from credentials.vocabulary import INVALID
from yinxin.base.actor import system
from yinxin.base.errors import Conflict, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.seals.drills.values import Drill
    from credentials.status_service import StatusService
    from signing.certificates import Certificate
    from yinxin.base.actor import Actor

CHUNK = 200
CAUSE = "key_compromise"  # why the copies ended, as their rows say
_WORK = system("credential-drill")


def _ignore(_done: int, _total: int) -> None:
    """Nobody wants to hear."""


class LostCredentialKey(Compromise):
    """The drill of a credential key; it is agreed to as that of a seal is."""

    def begin_credential(
        self, certificate: Certificate, *, since: datetime, ground: str, document_number: str, actor: Actor
    ) -> Drill:
        """Open the drill of a credential key, and ask for a second person; again gives the same drill.

        A new key takes its place before copies are ended: what the old one still signs fails as well.
        """
        self._gate.admit(actor, "tell a lost key", role=APPROVER if APPROVER in actor.roles else KEEPER)
        now, since = self._clock.now(), since.replace(microsecond=0)
        if since > now:
            raise UsageError("a key is lost since a moment that has come")
        facts = (checked_text(ground), checked_text(document_number, 120))
        with self._database.transaction() as session:
            drills = DrillRepository(session)
            if found := self._open(drills, certificate.fingerprint, since):
                return found
            drill = self._new(None, certificate.fingerprint, since, facts, actor)
            drills.add(drill)
            self._record(session, "begin", drill, actor)
            made = certificate.not_before
            copies = drills.count_copies(self._agency, since=made, until=now)
            more = {"copies": copies, "made_from": made.isoformat()}
            return self._planned(session, drill, actor, more)

    def retire(
        self,
        drill_id: str,
        status: StatusService,
        *,
        actor: Actor,
        progress: Callable[[int, int], None] = _ignore,
    ) -> int:
        """End every copy that was made up to now, and is not ended; returns how many were ended this time.

        `Conflict` before a second person agreed. A kill loses nothing: what is left is ended the next time.
        """
        self._gate.admit(actor, "end the copies of a lost key", role=KEEPER)
        drill = self.drill(drill_id, actor=actor)
        drill.require(DrillState.APPROVED, DrillState.DONE)
        made_from, until = self._made_from(drill), self._clock.now()
        with self._database.reading() as session:
            total = DrillRepository(session).count_copies(self._agency, since=made_from, until=until)
        done = 0
        while ended := self._retire_some(status, made_from, until):
            done += ended
            progress(done, total)
        self._done(drill, actor, done)
        return done

    def _retire_some(self, status: StatusService, made_from: datetime, until: datetime) -> int:
        with self._database.transaction() as session:
            drills = DrillRepository(session)
            found = drills.copies(self._agency, since=made_from, until=until, limit=CHUNK)
            for copy in found:
                with suppress(Conflict):  # its licence ended before: the list says so already
                    status.set(session, copy.status_uri, copy.status_index, INVALID, actor=_WORK)
                drills.retire_copy(copy.status_uri, copy.status_index, at=self._clock.now(), by=CAUSE)
        return len(found)

    def _done(self, drill: Drill, actor: Actor, ended: int) -> None:
        with self._database.transaction() as session:
            drills = DrillRepository(session)
            stored = drills.find(drill.id, agency=self._agency, lock=True)
            if stored.state is DrillState.APPROVED:
                drills.advance(stored, at=self._clock.now(), state=DrillState.DONE)
            self._record(session, "done", drill, actor, ended=str(ended))

    def _made_from(self, drill: Drill) -> datetime:
        with self._database.reading() as session:
            content = DrillRepository(session).content_of(drill.id, agency=self._agency)
        return datetime.fromisoformat(str(content["made_from"]))
