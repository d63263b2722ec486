"""Which older registers are followed: one proposes a mapping, another agrees, and one day it is closed.

A mapping decides what every row will say, so it takes two people; rows then come in every night without
either of them. A changed mapping needs a new agreement.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials.gate import Gate
from credentials.legacy.repository import LegacyRepository, Register
from credentials.office.agreements import Consent, check_consent, content_digest, give_consent
from yinxin.base import audit
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotFound, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from credentials.legacy.mapping import LegacyMapping
    from credentials.legacy.repository import Run
    from credentials.office.proofs import Proofs
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

CLERK, APPROVER = "clerk", "approver"
LAST_CATCH_UP = timedelta(days=30)  # what was changed up to the cut-off may still arrive so long after it


class Registers:
    """The older registers of one agency (its credit code); `proofs` judges what people sign."""

    def __init__(
        self, *, agency: str, database: Database, proofs: Proofs, clock: Clock | None = None
    ) -> None:
        self._agency, self._database, self._proofs = agency, database, proofs
        self._clock = clock or SystemClock()
        self._gate = Gate(agency, database, self._clock)

    def propose(self, mapping: LegacyMapping, *, actor: Actor) -> Register:
        """Say by which mapping a register is to be read; the same again changes nothing.

        A register keeps its type for good: another one is a `Conflict`.
        """
        self._gate.admit(actor, "legacy propose")
        wanted = Register(
            self._agency,
            mapping.register,
            mapping.source,
            mapping.type_code,
            mapping.digest,
            actor.identifier,
        )
        with self._database.transaction() as session:
            repository = LegacyRepository(session, agency=self._agency)
            before = repository.register(mapping.register)
            if before is not None and before.mapping_sha256 == mapping.digest:
                return before
            if before is None:
                repository.add_register(wanted)
            elif before.type_code != mapping.type_code:
                raise Conflict(f"the register {mapping.register} holds {before.type_code}")
            else:
                repository.change_mapping(wanted)
            self._record(session, "propose", wanted, actor, mapping=mapping.digest)
        return replace(before, mapping_sha256=mapping.digest, consent=None) if before else wanted

    def agree(self, name: str, *, proof: Mapping[str, Any], actor: Actor) -> Register:
        """Agree to the mapping as it is; `NotPermitted` for who proposed it."""
        self._gate.admit(actor, "legacy agree", role=APPROVER)
        register, now = self.register(name, actor=actor), self._clock.now()
        consent = give_consent(
            self._proofs,
            proof,
            digest=agreement_digest(register),
            role=APPROVER,
            actor=actor,
            at=now,
            not_by=(register.proposed_by,),
        )
        with self._database.transaction() as session:
            repository = LegacyRepository(session, agency=self._agency)
            repository.agree(name, consent.to_dict(), mapping_sha256=register.mapping_sha256)
            self._record(session, "agree", register, actor, mapping=register.mapping_sha256)
        return replace(register, consent=consent.to_dict())

    def close(self, name: str, *, cut_off: date, actor: Actor) -> Register:
        """Name the last day that the old register may add; it can be drawn nearer, never put off."""
        self._gate.admit(actor, "legacy close", role=APPROVER)
        with self._database.transaction() as session:
            repository = LegacyRepository(session, agency=self._agency)
            register = _found(repository.register(name), name)
            if register.cut_off is not None and register.cut_off < cut_off:
                raise Conflict(f"the register is closed from {register.cut_off} on")
            repository.set_cut_off(name, cut_off)
            self._record(session, "close", register, actor, cut_off=cut_off.isoformat())
        return replace(register, cut_off=cut_off)

    def register(self, name: str, *, actor: Actor) -> Register:
        """A register; `NotFound` when there is none of this name."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return _found(LegacyRepository(session, agency=self._agency).register(name), name)

    def all(self, *, actor: Actor) -> list[Register]:
        """Every register of the agency."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return LegacyRepository(session, agency=self._agency).registers()

    def runs(self, *, actor: Actor) -> list[Run]:
        """The newest walks over files."""
        self._require_reader(actor)
        with self._database.reading() as session:
            return LegacyRepository(session, agency=self._agency).runs()

    def require_agreed(self, mapping: LegacyMapping) -> Register:
        """The register of a mapping that somebody else agreed to, their proof checked once more.

        `NotPermitted` without that: rows are taken over by nobody's own word.
        """
        with self._database.reading() as session:
            register = LegacyRepository(session, agency=self._agency).register(mapping.register)
        if register is None or register.mapping_sha256 != mapping.digest or register.consent is None:
            raise NotPermitted("nobody agreed to this mapping: propose it, and let an approver agree")
        consent = Consent.from_dict(register.consent)
        check_consent(self._proofs, consent, digest=agreement_digest(register), agency=self._agency)
        return register

    def _require_reader(self, actor: Actor) -> None:
        if actor.agency != self._agency and str(actor.kind) != "system":
            raise NotPermitted(f"{actor} does not read for this agency")

    def _record(self, session: Session, verb: str, register: Register, actor: Actor, **details: str) -> None:
        audit.record(
            session,
            action=f"legacy.{verb}",
            subject=f"register:{register.register}",
            actor=actor,
            at=self._clock.now(),
            details={"agency": self._agency, **details},
        )


def agreement_digest(register: Register) -> bytes:
    """What an approver signs: which register of which agency is read by which mapping."""
    content = {
        "yinxin legacy register": 1,
        "agency": register.agency,
        "register": register.register,
        "type": register.type_code,
        "mapping": register.mapping_sha256,
        "proposed_by": register.proposed_by,
    }
    return content_digest(content)


def may_add(register: Register, day: date, *, today: date) -> bool:
    """Whether a register may still add a row whose last change is of this day."""
    if register.cut_off is None:
        return True
    return day <= register.cut_off and today <= register.cut_off + LAST_CATCH_UP


def _found(register: Register | None, name: str) -> Register:
    if register is None:
        raise NotFound(f"no older register {name}")
    return register
