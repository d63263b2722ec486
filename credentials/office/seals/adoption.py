"""The seal that an installation used before it had a register: entered once, as in use, with leave for all.

Nothing changes for such an installation but that its uses are written down. As soon as people keep its
register (a seal is applied for, stopped, remade), a key that the register does not know seals nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from credentials.office.seals.grants import ANY_TYPE, ANYONE, Grant, GrantTerms
from credentials.office.seals.repository import SealRepository
from credentials.office.seals.values import BEFORE, RemakeReason, Seal, SealKind, SealState
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from signing.certificates import Certificate
    from yinxin.base.database import Database, Session

MAX_NAME = 200
_START = system("seal-register")


class Adoption:
    """Enters the seal that an agency uses already."""

    def __init__(
        self,
        agency: str,
        *,
        database: Database,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._agency, self._database = agency, database
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()

    def adopt(self, certificate: Certificate, *, name: str, owner_name: str, key: str) -> Seal | None:
        """Enter a seal as "in use, registered from before", with a grant to whoever may issue.

        The same certificate again changes nothing. A renewed key takes the place of one that was entered so.
        None, and nothing is entered, when people keep the register: a new seal goes their way then.
        """
        with self._database.reading() as session:
            known = SealRepository(session).by_certificate(certificate.fingerprint, agency=self._agency)
        if known is not None:
            return known
        seal = self._seal(certificate, name=name, owner_name=owner_name, key=key)
        try:
            with self._database.transaction() as session:
                return self._enter(session, seal)
        except Conflict:  # another process that starts as well was faster
            with self._database.reading() as session:
                return SealRepository(session).by_certificate(certificate.fingerprint, agency=self._agency)

    def _enter(self, session: Session, seal: Seal) -> Seal | None:
        seals = SealRepository(session)
        own = seals.all_of(self._agency, owner=self._agency)
        if any(not one.from_before or one.state is SealState.STOPPED for one in own):
            return None
        in_use = [one for one in own if one.state is SealState.IN_USE]
        if own and not in_use:
            return None
        if in_use:
            seal = replace(seal, replaces=in_use[0].id, remade_for=RemakeReason.EXPIRY)
            after = replace(in_use[0], state=SealState.CANCELLED, replaced_by=seal.id)
            seals.change(in_use[0], replace(after, changed_at=seal.changed_at))
            self._record(session, "cancel", in_use[0], replaced_by=seal.id)
        seals.add(seal)
        self._record(session, "adopt", seal, certificate=seal.certificate or "")
        terms = GrantTerms(ANYONE, (ANY_TYPE,))
        seals.add_grant(Grant(self._name("grant"), seal.id, terms, BEFORE, seal.changed_at))
        return seal

    def _seal(self, certificate: Certificate, *, name: str, owner_name: str, key: str) -> Seal:
        return Seal(
            id=self._name("seal"),
            agency=self._agency,
            owner=self._agency,
            owner_name=owner_name[:MAX_NAME],
            name=name[:MAX_NAME],
            kind=SealKind.NAME,
            state=SealState.IN_USE,
            key=key,
            applied_by=BEFORE,
            changed_at=self._clock.now(),
            certificate=certificate.fingerprint,
            not_after=certificate.not_after,
            from_before=True,
        )

    def _record(self, session: Session, verb: str, seal: Seal, **details: str) -> None:
        audit.record(
            session,
            action=f"seal.{verb}",
            subject=seal.id,
            actor=_START,
            at=self._clock.now(),
            details=details,
        )

    def _name(self, kind: str) -> str:
        return f"{kind}-{self._randomness.bytes(8).hex()}"
