"""The issuing desk (制证窗口): cases go from a draft by review and approval to the seal.

Three people: who wrote any part of a case neither reviews nor approves it, and who reviewed it does not
approve it. Each agreement is a signature over the case as it is, and all are checked once more before the
agency's seal is used. Everything is recorded in the transaction that it happens in.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from credentials.gate import Gate
from credentials.holders import require_active
from credentials.licence import agency_day
from credentials.office.agreements import give_consent
from credentials.office.cases import KINDS, Case, CaseState, Work, WorkKind, require_number, work_digest
from credentials.office.details import checked_details
from credentials.office.eyes import APPROVER, CLERK, REVIEWER, require_agreements, require_other
from credentials.office.making import MAKERS, Order, Sealed
from credentials.office.repository import CaseRepository, StoredCase
from credentials.repository import LicenceRepository
from signing.keys import PublicKey
from yinxin.base import audit
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, IssuanceRefused, NotFound, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from credentials.catalogue import Catalogue
    from credentials.issuer import Issuer
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from credentials.office.proofs import Proofs
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

__all__ = ["APPROVER", "CLERK", "READERS", "REVIEWER", "WAITING", "Desk", "Opened"]

READERS = frozenset({CLERK, REVIEWER, APPROVER, "inspector"})
MAX_NOTE = 1000
_BEGINS = frozenset({WorkKind.ISSUE, WorkKind.RENEW})  # what an abolished type has no more of
WAITING = (CaseState.DRAFT, CaseState.IN_REVIEW, CaseState.IN_APPROVAL, CaseState.APPROVED)


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was asked for, and whether it was there before."""

    case: Case
    is_new: bool


class Desk:
    """The desk of one agency; `issuer` seals for it, `proofs` judges what people sign."""

    def __init__(  # noqa: PLR0913 - what a desk is made of
        self,
        issuer: Issuer,
        *,
        agency: str,
        catalogue: Catalogue,
        database: Database,
        proofs: Proofs,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._issuer, self._agency, self._catalogue = issuer, agency, catalogue
        self._database, self._proofs = database, proofs
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._gate = Gate(agency, database, self._clock)

    def draft(self, number: str, work: Work, *, actor: Actor) -> Case:
        """Open a case under the agency's own number; the same work under the same number is the same case.

        `InvalidClaims` names every field that breaks its rule, `Conflict` other work under a known number.
        """
        return self.open(number, work, actor=actor).case

    def open(self, number: str, work: Work, *, actor: Actor) -> Opened:
        """As `draft`, and tells whether the case is new.

        A known case stays the same however its type was changed since. `HolderNotActive` for a new one that
        would make something for a holder who is recorded as dead or dissolved.
        """
        self._gate.admit(actor, "draft", *work.licences)
        require_number(number)
        if known := self._known(number):
            return self._opened_before(known, work)
        checked = self._checked(work)
        holder = self._new_for(checked)
        case = Case(
            id=random_text(self._randomness),
            agency=self._agency,
            number=number,
            work=checked,
            state=CaseState.DRAFT,
            revision=1,
            editors=(actor.identifier,),
            changed_at=self._clock.now(),
        )
        with self._database.transaction() as session:
            repository = CaseRepository(session)
            known = repository.by_number(number, agency=self._agency)
            if known is None:
                require_active(self._issuer.holders, session, holder)
                repository.add(case, asked_for=work_digest(checked))
                self._record(session, "draft", case, actor)
                return Opened(case, is_new=True)
        return self._opened_before(known, work)

    def edit(self, case_id: str, work: Work, *, actor: Actor, seen: bytes | None = None) -> Case:
        """Change what a case asks for: it is a draft again, and what was agreed before is void.

        `seen` is the digest of the case as it was when the edit was made: `Conflict` when it is another now.
        """
        self._gate.admit(actor, "edit", *work.licences)
        before = self._stored(case_id).case.work
        if (work.kind, work.licences) != (before.kind, before.licences):
            raise UsageError("an edit changes what is said, not which licence it is about: withdraw the case")
        checked = self._checked(work)

        def edited(case: Case) -> Case:
            case.require("edit")
            if seen not in {None, case.digest}:
                raise Conflict("somebody else changed the case meanwhile: look at it again")
            editors = tuple(dict.fromkeys((*case.editors, actor.identifier)))
            return replace(
                case,
                work=checked,
                state=CaseState.DRAFT,
                revision=case.revision + 1,
                editors=editors,
                consents=(),
                note="",
            )

        return self._change(case_id, "edit", actor, edited)

    def submit(self, case_id: str, *, actor: Actor) -> Case:
        """Hand a draft over for review."""
        self._gate.admit(actor, "submit")
        return self._step(case_id, "submit", actor, CaseState.IN_REVIEW)

    def review(self, case_id: str, *, proof: Mapping[str, Any], actor: Actor) -> Case:
        """Agree to a case as its reviewer; `NotPermitted` for who wrote any part of it."""
        self._gate.admit(actor, "review", role=REVIEWER)
        return self._agree(case_id, "review", REVIEWER, CaseState.IN_APPROVAL, proof, actor)

    def approve(self, case_id: str, *, proof: Mapping[str, Any], actor: Actor) -> Case:
        """Decide that it is to be issued; `NotPermitted` for who wrote any part of it, or reviewed it."""
        self._gate.admit(actor, "approve", role=APPROVER)
        return self._agree(case_id, "approve", APPROVER, CaseState.APPROVED, proof, actor)

    def send_back(self, case_id: str, *, note: str, actor: Actor) -> Case:
        """Return a case to its clerk with what is to be put right (补正); by its reviewer or approver."""
        if not 0 < len(note.strip()) <= MAX_NOTE:
            raise UsageError("say what is to be put right")
        found = self.case(case_id, actor=actor)
        role = REVIEWER if found.state is CaseState.IN_REVIEW else APPROVER
        self._gate.admit(actor, "send back", role=role)

        def returned(case: Case) -> Case:
            case.require("return")
            require_other(case.editors, case.consents, actor, role)
            return replace(case, state=CaseState.DRAFT, consents=(), note=note.strip())

        return self._change(case_id, "send_back", actor, returned)

    def withdraw(self, case_id: str, *, note: str, actor: Actor) -> Case:
        """End a case without a licence."""
        self._gate.admit(actor, "withdraw")

        def withdrawn(case: Case) -> Case:
            case.require("withdraw")
            return replace(case, state=CaseState.WITHDRAWN, note=note.strip()[:MAX_NOTE])

        return self._change(case_id, "withdraw", actor, withdrawn)

    def seal(self, case_id: str, *, actor: Actor) -> Sealed:
        """Do what an approved case asks for; every agreement is checked again first.

        `IssuanceRefused` when one does not hold any more, `Conflict` when the case was sealed before.
        """
        self._gate.admit(actor, "seal")
        stored = self._stored(case_id)
        case = stored.case
        case.require("seal")
        case.work.require_version(self._catalogue[case.work.type_code])
        require_agreements(
            self._proofs,
            digest=case.digest,
            consents=case.consents,
            editors=case.editors,
            agency=self._agency,
        )

        done: list[Licence] = []

        def beside(session: Session, licence: Licence) -> None:
            sealed = replace(
                case, state=CaseState.SEALED, sealed_as=licence.identifier, changed_at=self._clock.now()
            )
            CaseRepository(session).change(stored, sealed)
            self._record(session, "seal", sealed, actor, licence=licence.identifier)
            done.append(licence)

        work = case.work
        holder = PublicKey.from_jwk(work.holder_key) if work.holder_key else None
        order = Order(actor, f"case:{case.id}", holder, beside)
        issued = MAKERS[work.kind](self._issuer, work, order)
        return Sealed(done[0], issued)

    def case(self, case_id: str, *, actor: Actor) -> Case:
        """A case of the agency, for its staff."""
        self._require_staff(actor)
        return self._stored(case_id).case

    def numbered(self, number: str, *, actor: Actor) -> Case:
        """The agency's case of this number; `NotFound` for none."""
        self._require_staff(actor)
        if found := self._known(number):
            return found.case
        raise NotFound("no case of this number")

    def waiting(
        self,
        *,
        actor: Actor,
        states: Collection[CaseState] = WAITING,
        after: Case | None = None,
        limit: int = 100,
    ) -> list[Case]:
        """Cases that are not done, or in these states, longest unchanged first; those `after` one."""
        self._require_staff(actor)
        with self._database.reading() as session:
            return CaseRepository(session).in_states(self._agency, tuple(states), after=after, limit=limit)

    def document(self, case_id: str, *, actor: Actor) -> bytes:
        """The sealed PDF that a case led to; `NotFound` when it led to none."""
        licence = self.case(case_id, actor=actor).sealed_as
        if licence is None:
            raise NotFound("nothing was sealed for this case yet")
        return self._issuer.document(licence)

    def _agree(  # noqa: PLR0913, PLR0917 - the facts of an agreement
        self, case_id: str, verb: str, role: str, state: CaseState, proof: Mapping[str, Any], actor: Actor
    ) -> Case:
        seen = self._stored(case_id).case
        seen.require(verb)
        require_other(seen.editors, seen.consents, actor, role)
        consent = give_consent(
            self._proofs, proof, digest=seen.digest, role=role, actor=actor, at=self._clock.now()
        )

        def agreed(case: Case) -> Case:
            case.require(verb)
            if case.digest != seen.digest:
                raise Conflict("somebody else changed the case meanwhile: look at it again")
            return replace(case, state=state, consents=(*case.consents, consent))

        return self._change(case_id, verb, actor, agreed)

    def _checked(self, work: Work) -> Work:
        """The work with its claims as the type spells them; each licence that it is about must be there.

        A kind that is about one licence is of that one's type.
        """
        kind = self._catalogue[work.type_code]
        if work.kind in _BEGINS and kind.is_abolished(agency_day(self._clock.now())):
            raise IssuanceRefused(f"the type {kind.code} is abolished: nothing new is issued")
        if work.holder_key is not None:
            PublicKey.from_jwk(work.holder_key)
        with self._database.reading() as session:
            found = {name: LicenceRepository(session).by_identifier(name) for name in work.licences}
        for name, licence in found.items():
            if licence is None:
                raise NotFound(f"no licence {name}")
            if len(found) == 1 and licence.type_code != kind.code:
                raise UsageError(f"the licence is of the type {licence.type_code}")
        return _spelled(work, kind)

    def _opened_before(self, known: StoredCase, work: Work) -> Opened:
        """The case that is there already; `Conflict` unless it was opened with the same work.

        The same as one of the type's versions spells it: the type may have changed since.
        """
        for kind in self._catalogue.versions(work.type_code):
            with suppress(UsageError):  # what that version does not take was not asked under it
                if work_digest(_spelled(work, kind)) == known.asked_for:
                    return Opened(known.case, is_new=False)
        raise Conflict(f"the case {known.case.number} asks for something else")

    def _new_for(self, work: Work) -> list[str]:
        """The holder that something new is made for, if the work makes anything."""
        makes = KINDS[work.kind].states
        return [self._catalogue[work.type_code].holder(work.claims)[1]] if makes else []

    def _known(self, number: str) -> StoredCase | None:
        with self._database.reading() as session:
            return CaseRepository(session).by_number(number, agency=self._agency)

    def _step(self, case_id: str, verb: str, actor: Actor, state: CaseState) -> Case:
        def stepped(case: Case) -> Case:
            case.require(verb)
            return replace(case, state=state)

        return self._change(case_id, verb, actor, stepped)

    def _change(self, case_id: str, verb: str, actor: Actor, change: Callable[[Case], Case]) -> Case:
        with self._database.transaction() as session:
            repository = CaseRepository(session)
            stored = repository.find(case_id, agency=self._agency)
            if stored.case.bundle and verb == "edit":  # its row is changed before those of its cases
                repository.note_editor(stored.case.bundle, actor.identifier, at=self._clock.now())
            changed = replace(change(stored.case), changed_at=self._clock.now())
            repository.change(stored, changed)
            self._record(session, verb, changed, actor)
        return changed

    def _stored(self, case_id: str) -> StoredCase:
        with self._database.reading() as session:
            return CaseRepository(session).find(case_id, agency=self._agency)

    def _require_staff(self, actor: Actor) -> None:
        if actor.agency != self._agency or not actor.roles & READERS:
            raise NotPermitted("cases are for the agency's own staff")

    def _record(self, session: Session, verb: str, case: Case, actor: Actor, **more: str) -> None:
        audit.record(
            session,
            action=f"case.{verb}",
            subject=f"case:{case.id}",
            actor=actor,
            at=self._clock.now(),
            details={
                "digest": case.digest.hex(),
                "revision": case.revision,
                "state": str(case.state),
                **more,
            },
        )


def _spelled(work: Work, kind: LicenceType) -> Work:
    """The work with its claims and details as a version of its type spells them."""
    states = KINDS[work.kind].states
    claims = kind.check(work.claims) if states else work.claims
    version = kind.version if states else None
    return replace(work, claims=claims, details=checked_details(work, kind), type_version=version)
