"""Disputes are received, routed to the licence's issuer, answered by its staff, followed by who opened them.

Departments open them by their own name; a holder with a slip and with proof that they hold the licence, or,
where one is missing, with the slip of the refusal alone: one slip opens one dispute. Everything is recorded
in the transaction that it happens in; what people wrote is not in the log, its digest is.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from credentials.foreign.repository import ForeignRepository
from credentials.gate import Gate
from credentials.office.cases import CaseState
from credentials.office.disputes.contacts import Contact
from credentials.office.disputes.dispute import (
    OPEN,
    Answer,
    Complaint,
    Dispute,
    DisputeKind,
    DisputeState,
    Elsewhere,
    Opened,
    check_words,
)
from credentials.office.disputes.repository import DisputeRepository, StoredDispute
from credentials.office.repository import CaseRepository
from credentials.office.working_days import WorkingDays, national
from credentials.repository import LicenceRepository, lineage
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotFound, NotPermitted, TooManyRequests
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from credentials.licence import Licence
    from credentials.office.disputes.contacts import Contacts
    from credentials.office.disputes.slips import Slips
    from yinxin.base.database import Database, Session

STAFF = frozenset({"clerk", "reviewer", "approver"})
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011", "- ")
_NUMBER = 12


class HoldingProofs(Protocol):
    """Judges proofs that somebody holds a licence."""

    def licence_of(self, proof: Mapping[str, Any], *, slip: str) -> str:
        """The identifier of the licence that is held; `NotPermitted` when the proof shows none."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """Working days from a dispute's receipt until it is accepted or rejected, and until it is answered.

    Five and twenty are what the Administrative Licence Law (行政许可法 第三十二条、第四十二条) sets for
    applications. `open_…`: how many may be open at once, from all holders and from one department.
    """

    accept_days: int = 5
    answer_days: int = 20
    open_of_holders: int = 500
    open_of_department: int = 500


class Disputes:
    """Disputes about the licences of the agencies here (`agencies`: credit codes)."""

    def __init__(  # noqa: PLR0913 - what disputes stand on
        self,
        database: Database,
        *,
        agencies: Collection[str],
        contacts: Contacts,
        slips: Slips,
        holding: HoldingProofs,
        terms: Terms | None = None,
        calendar: WorkingDays | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._database, self._agencies, self._contacts = database, frozenset(agencies), contacts
        self._slips, self._holding = slips, holding
        self._terms, self._calendar = terms or Terms(), calendar or national()
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()

    def open(
        self, complaint: Complaint, *, actor: Actor | None, proof: Mapping[str, Any] | None = None
    ) -> Opened | Elsewhere:
        """Receive a dispute of a department (`actor`), or of a holder (None) by slip and proof.

        `NotPermitted` without a good slip or proof, `Conflict` for a slip that opened a dispute before,
        `TooManyRequests` while too many are open. A licence of an issuer that is not here is not received:
        the answer says where to go.
        """
        slip = self._slips.read(complaint.slip).number if complaint.slip or actor is None else ""
        if actor is not None and (others := self._issued_elsewhere(complaint)):
            return Elsewhere(others)
        if actor is not None and actor.kind is not ActorKind.DEPARTMENT:
            raise NotPermitted("a dispute is opened by a department, or by a holder with a slip")
        licence = self._licence(complaint, actor, proof, slip)
        agency = licence.agency.credit_code if licence else complaint.agency.strip()
        contact = self._contacts.find(agency)
        if agency not in self._agencies or (contact is not None and contact.is_elsewhere):
            return Elsewhere(contact or self._contacts.operator)
        return self._receive(complaint, licence, agency, actor or _holder(slip), slip)

    def follow(self, number: str, secret: str) -> Dispute:
        """A dispute, for who opened it; `NotFound` for a wrong number and for a wrong secret alike."""
        return self._followed(number, secret).dispute

    def escalate(self, number: str, secret: str, *, words: str) -> Dispute:
        """Hand a dispute to supervision, by who opened it: once it is rejected, or its term is over.

        `Conflict` before.
        """
        stored, said = self._followed(number, secret), check_words(words)
        late = stored.dispute.is_overdue(self._clock.now())
        if stored.dispute.state is not DisputeState.REJECTED and not late:
            raise Conflict("the dispute is not overdue, and was not rejected")
        opener = Actor(ActorKind.HOLDER, f"dispute-{stored.dispute.number}")
        return self._step(stored, "escalate", said, opener, then=DisputeState.ESCALATED)

    def waiting(self, agency: str, *, actor: Actor, limit: int = 100) -> list[Dispute]:
        """An agency's disputes that wait for an answer, the first to be answered first."""
        self._require_staff(actor, agency)
        with self._database.reading() as session:
            return DisputeRepository(session).of_agency(agency, OPEN, limit=limit)

    def one(self, number: str, *, actor: Actor) -> Dispute:
        """A dispute of the actor's own agency."""
        self._require_staff(actor, actor.agency or "")
        return self._stored(number, actor).dispute

    def answer(self, number: str, step: str, *, words: str, actor: Actor) -> Dispute:
        """Take a step (`accept`, `reject`, `answer`, `escalate`) in words that the opener reads."""
        stored, said = self._admitted(number, step, actor), check_words(words)
        if step == "correct":
            raise Conflict("a correction needs its case: correct()")
        return self._step(stored, step, said, actor, then=stored.dispute.after(step))

    def link(self, number: str, case: str, *, actor: Actor) -> Dispute:
        """Join the desk case (its number, or id) that is to correct the licence, or make the missing one.

        `Conflict` unless the case is about this licence, or about a licence of this type.
        """
        stored = self._admitted(number, "link", actor)
        stored.dispute.after("correct")
        with self._database.transaction() as session:
            found = self._case_about(session, stored.dispute, case)
            changed = replace(stored.dispute, case_id=found)
            DisputeRepository(session).change(stored, changed, at=self._clock.now())
            self._record(session, "link", changed, actor, case=f"case:{found}")
        return changed

    def correct(self, number: str, *, words: str, actor: Actor) -> Dispute:
        """End a dispute by the version that its case led to; `Conflict` until that case is sealed."""
        stored, said = self._admitted(number, "correct", actor), check_words(words)
        then, case_id = stored.dispute.after("correct"), stored.dispute.case_id
        if case_id is None:
            raise Conflict("the dispute has no case yet")
        with self._database.reading() as session:
            case = CaseRepository(session).find(case_id, agency=stored.dispute.agency).case
        if case.state is not CaseState.SEALED or case.sealed_as is None:
            raise Conflict("the case is not sealed yet")
        return self._step(stored, "correct", said, actor, then=then, result=case.sealed_as)

    def forget(self, *, before: datetime, actor: Actor) -> int:
        """Forget what people wrote in disputes that ended before; how many there were."""
        with self._database.transaction() as session:
            numbers = DisputeRepository(session).forget(before=before)
            for number in numbers:
                self._note(session, "dispute.forget", number, actor, {})
        return len(numbers)

    def _licence(
        self, complaint: Complaint, actor: Actor | None, proof: Mapping[str, Any] | None, slip: str
    ) -> Licence | None:
        """The licence that is wrong, as the register has it; None where one is missing."""
        if complaint.kind is DisputeKind.MISSING:
            return None
        named = complaint.licence if actor else self._holding.licence_of(proof or {}, slip=slip)
        with self._database.reading() as session:
            found = LicenceRepository(session).find(named)
        if found is None:
            raise NotFound(f"no licence {complaint.licence}: if it should be there, it is missing")
        if actor is None and complaint.licence.strip() not in {found.identifier, found.number}:
            # Who proves that they hold one licence learns nothing of another.
            raise NotPermitted("the proof is about another licence")
        return found

    def _issued_elsewhere(self, complaint: Complaint) -> Contact | None:
        """Whom to ask about a licence that somebody else issued, as far as we know of it."""
        if complaint.kind is DisputeKind.MISSING:
            return None
        with self._database.reading() as session:
            own = LicenceRepository(session).find(complaint.licence)
            others = [] if own else ForeignRepository(session).find(complaint.licence.strip())
        if not others:
            return None
        found = others[0]
        there = Text(found.verify_at, found.verify_at)
        named = Contact(found.issuer_code, found.issuer_name, there, is_elsewhere=True)
        return self._contacts.find(found.issuer_code) or named

    def _receive(
        self, complaint: Complaint, licence: Licence | None, agency: str, actor: Actor, slip: str
    ) -> Opened:
        now, is_holder = self._clock.now(), actor.kind is ActorKind.HOLDER
        secret = random_text(self._randomness)
        dispute = Dispute(
            number=self._number(),
            agency=agency,
            kind=complaint.kind,
            state=DisputeState.RECEIVED,
            opened_by=str(actor),
            words=complaint.words,
            received_at=now,
            due_at=self._calendar.after(now, self._terms.accept_days),
            licence=licence.identifier if licence else None,
            type_code=licence.type_code if licence else complaint.type_code,
            fields=complaint.fields,
        )
        with self._database.transaction() as session:
            self._require_room(session, dispute, is_holder=is_holder)
            digest = _digest("slip", slip) if slip else None
            DisputeRepository(session).add(
                dispute, secret=_digest("secret", secret), slip=digest, is_holder=is_holder
            )
            self._record(session, "open", dispute, actor, words=dispute.words)
        return Opened(dispute, secret)

    def _require_room(self, session: Session, dispute: Dispute, *, is_holder: bool) -> None:
        repository, terms = DisputeRepository(session), self._terms
        if is_holder:
            full = repository.count_open(agency=dispute.agency) >= terms.open_of_holders
        else:
            full = repository.count_open(opened_by=dispute.opened_by) >= terms.open_of_department
        if full:
            raise TooManyRequests("too many disputes are open", retry_after=timedelta(days=1))

    def _step(  # noqa: PLR0913 - the facts of a step
        self,
        stored: StoredDispute,
        step: str,
        words: str,
        actor: Actor,
        *,
        then: DisputeState,
        result: str | None = None,
    ) -> Dispute:
        now, before = self._clock.now(), stored.dispute
        answer = Answer(then, now, str(actor), words)
        # The second term begins with the receipt too: accepting late gives nobody more time.
        due_at = self._calendar.after(before.received_at, self._terms.answer_days)
        changed = replace(
            before,
            state=then,
            answers=(*before.answers, answer),
            due_at=due_at,
            result=result or before.result,
        )
        with self._database.transaction() as session:
            DisputeRepository(session).change(stored, changed, at=now)
            self._record(session, step, changed, actor, words=words)
        return changed

    @staticmethod
    def _case_about(session: Session, dispute: Dispute, named: str) -> str:
        """The id of the agency's case of this number or id, which is about what is disputed."""
        repository = CaseRepository(session)
        found = repository.by_number(named, agency=dispute.agency)
        case = (found or repository.find(named, agency=dispute.agency)).case
        if dispute.licence is None:
            fits = case.work.licence is None and case.work.type_code == dispute.type_code
        else:
            fits = case.work.licence is not None and lineage(case.work.licence) == lineage(dispute.licence)
        if not fits:
            raise Conflict("the case is about another licence")
        return case.id

    def _admitted(self, number: str, step: str, actor: Actor) -> StoredDispute:
        """The dispute, for a clerk of its agency; who else tries stands in the log."""
        Gate(actor.agency or "nobody", self._database, self._clock).admit(actor, f"dispute {step}")
        return self._stored(number, actor)

    def _stored(self, number: str, actor: Actor) -> StoredDispute:
        with self._database.reading() as session:
            return DisputeRepository(session).find(_spelt(number), agency=actor.agency or "")

    def _followed(self, number: str, secret: str) -> StoredDispute:
        try:
            with self._database.reading() as session:
                stored: StoredDispute | None = DisputeRepository(session).find(_spelt(number))
        except NotFound:
            stored = None
        known = stored.secret if stored else bytes(32)
        if not hmac.compare_digest(_digest("secret", secret.strip()), known) or stored is None:
            raise NotFound("no dispute of this number and secret")
        return stored

    @staticmethod
    def _require_staff(actor: Actor, agency: str) -> None:
        own = actor.kind is ActorKind.STAFF and actor.agency == agency
        if not own or not actor.roles.intersection(STAFF):
            raise NotPermitted("disputes are for the agency's own staff")

    def _number(self) -> str:
        return "".join(_ALPHABET[byte & 31] for byte in self._randomness.bytes(_NUMBER))

    def _record(self, session: Session, step: str, dispute: Dispute, actor: Actor, **more: str) -> None:
        details: dict[str, Any] = {
            "office": dispute.agency,
            "kind": str(dispute.kind),
            "state": str(dispute.state),
            "due": dispute.due_at.isoformat(),
        }
        details |= {"licence": dispute.licence} if dispute.licence else {}
        details |= {"result": dispute.result} if dispute.result else {}
        if "words" in more:
            more["words"] = hashlib.sha256(more["words"].encode()).hexdigest()
        self._note(session, f"dispute.{step}", dispute.number, actor, details | more)

    def _note(
        self, session: Session, action: str, number: str, actor: Actor, details: Mapping[str, Any]
    ) -> None:
        subject, now = f"dispute:{number}", self._clock.now()
        audit.record(session, action=action, subject=subject, actor=actor, at=now, details=details)


def _holder(slip: str) -> Actor:
    """A holder whose name nobody asked: who has the slip."""
    return Actor(ActorKind.HOLDER, f"slip-{_digest('opener', slip).hex()[:16]}")


def _digest(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{value}".encode("utf-8", "surrogatepass")).digest()


def _spelt(number: str) -> str:
    """A number as people type it, in any case, with or without dashes; `NotFound` for what is none."""
    plain = number[:40].upper().translate(_MISREAD)
    if len(plain) != _NUMBER or not set(plain) <= set(_ALPHABET):
        raise NotFound("no such dispute")
    return plain
