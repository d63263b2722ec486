"""Guardians (监护人): appointed by the agency on a document, because the ward cannot sign.

One member of staff registers what the document says, another one agrees to it after seeing it; then the
guardian accepts as every agent does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from credentials.delegations.delegation import Agent, Delegation, Principal, State
from credentials.delegations.rules import require_state, require_timely
from credentials.delegations.terms import Kind
from credentials.office.agreements import give_consent
from yinxin.base.errors import NotFound, NotPermitted, UsageError
from yinxin.base.identifiers import CitizenNumber

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.delegations.service import Delegations
    from credentials.delegations.terms import Terms
    from credentials.gate import Gate
    from credentials.office.proofs import Proofs
    from yinxin.base.actor import Actor

APPROVER, CLERK = "approver", "clerk"
READERS = frozenset({APPROVER, CLERK, "inspector"})


@dataclass(frozen=True)
class Guardians:
    """The desk that registers guardians."""

    delegations: Delegations
    gate: Gate
    proofs: Proofs

    def register(self, ward: Principal, agent: Agent, terms: Terms, *, actor: Actor) -> Delegation:
        """Register who is guardian of whom; it waits for another member of staff.

        The ward is a person: `MalformedInput` for a code that is no citizen number.
        """
        self.gate.admit(actor, "register a guardian")
        if terms.kind is not Kind.GUARDIAN:
            raise UsageError("only guardians are registered here; others are appointed by the holder")
        CitizenNumber.parse(ward.code)
        require_timely(terms, self.delegations.clock.now())
        keeper, proof = self.delegations, {"kind": "document", "by": actor.identifier}
        with keeper.database.transaction() as session:
            keeper.repository(session).lock(ward.code)
            made = keeper.new(session, ward, agent, terms, proof=proof, state=State.WAITING)
            keeper.record(session, "register", made, actor)
        return made

    def open(self, *, actor: Actor) -> list[Delegation]:
        """The guardianships that wait, or that nobody has ended, newest first; for the agency's staff."""
        self._require_reader(actor)
        with self.delegations.database.reading() as session:
            return self.delegations.repository(session).open_of_kind(Kind.GUARDIAN)

    def one(self, delegation_id: str, *, actor: Actor) -> Delegation:
        """A guardianship, for the agency's staff; `NotFound` for what is none."""
        self._require_reader(actor)
        return self._found(delegation_id)

    def approve(self, delegation_id: str, proof: Mapping[str, Any], *, actor: Actor) -> Delegation:
        """Agree, as another member of staff, to what was registered; then the guardian may accept.

        `NotPermitted` for who registered it, or without a good proof over its digest.
        """
        self.gate.admit(actor, "approve a guardian", role=APPROVER)
        found, now = self._found(delegation_id), self.delegations.clock.now()
        require_state(found, State.WAITING, now)
        consent = give_consent(
            self.proofs,
            proof,
            digest=bytes.fromhex(found.digest),
            role=APPROVER,
            actor=actor,
            at=now,
            not_by={str(found.proofs[0]["by"])},
        )
        keeper = self.delegations
        after = replace(found, state=State.PROPOSED, proofs=(*found.proofs, consent.to_dict()))
        with keeper.database.transaction() as session:
            repository = keeper.repository(session)
            repository.lock(found.principal.code)
            repository.change(found, after)
            keeper.record(session, "approve", after, actor)
        return after

    def recall(self, delegation_id: str, *, ground: str, document_number: str, actor: Actor) -> Delegation:
        """End a guardianship: the child came of age, the court decided otherwise."""
        self.gate.admit(actor, "recall a guardian")
        if not ground.strip() or not document_number.strip():
            raise UsageError("an end has its ground and its document")
        found, keeper = self._found(delegation_id), self.delegations
        with keeper.database.transaction() as session:
            keeper.repository(session).lock(found.principal.code)
            current = keeper.repository(session).find(found.id)
            why = f"{ground}（{document_number}）"
            return keeper.end(session, [current], by=str(actor.kind), ground=why, actor=actor)[0]

    def _require_reader(self, actor: Actor) -> None:
        if actor.agency != self.gate.agency or not actor.roles & READERS:
            raise NotPermitted("guardians are for the agency's own staff")

    def _found(self, delegation_id: str) -> Delegation:
        chain = self.delegations.chain(delegation_id[:32])
        if not chain or chain[-1].terms.kind is not Kind.GUARDIAN:
            raise NotFound("no such guardian")
        return chain[-1]
