"""The register of seals (印章登记): each step of a seal's life, who may take it, and its trace.

The keeper (印章管理员) keeps the register; whoever approves is another person and signs what is asked for.
Stopping is one person's decision, because it must be quick; everything that lets a seal be used takes two.
Beside every sealing stands `custody`, which reads what is written here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from credentials.gate import Gate
from credentials.office.agreements import check_consent, give_consent
from credentials.office.seals.grants import Grant, GrantTerms
from credentials.office.seals.reading import APPROVER, KEEPER, SealReading
from credentials.office.seals.repository import SealRepository
from credentials.office.seals.requests import Request, RequestKind
from credentials.office.seals.values import RemakeReason, Seal, SealKind, SealState
from yinxin.base import audit
from yinxin.base.actor import ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotPermitted, UsageError
from yinxin.base.identifiers import CreditCode
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credentials.office.proofs import Proofs
    from signing.certificates import Certificate
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

MAX_TEXT, MAX_KEY, MAX_NUMBER = 200, 500, 120


class Seals(SealReading):
    """The register of seals of one agency; `proofs` judges what people sign."""

    def __init__(
        self,
        agency: str,
        *,
        database: Database,
        proofs: Proofs,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        super().__init__(agency, database)
        self._proofs = proofs
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._gate = Gate(agency, database, self._clock)

    # The life of a seal

    def apply(  # noqa: PLR0913 - what an application says
        self,
        *,
        name: str,
        owner: str,
        owner_name: str,
        key: str,
        kind: SealKind = SealKind.NAME,
        actor: Actor,
    ) -> Seal:
        """Apply for a seal; an approver who is another person agrees to the request that this makes.

        `key` names where its key will be used: never the key itself. `UsageError` for text that is none.
        """
        self._gate.admit(actor, "apply for a seal", role=KEEPER)
        seal = self._new(name=name, owner=owner, owner_name=owner_name, key=key, kind=kind, actor=actor)
        with self._database.transaction() as session:
            self._add_applied(session, seal, actor)
        return seal

    def make(self, seal_id: str, *, certificate: Certificate, face: str | None = None, actor: Actor) -> Seal:
        """Enter what was made for an approved seal: its certificate, and the SHA-256 (hex) of its face.

        `Conflict` when the certificate is another seal's, `UsageError` when it is out of date.
        """
        self._gate.admit(actor, "make a seal", role=KEEPER)
        if not certificate.is_valid_at(self._clock.now()):
            raise UsageError("the certificate is not valid today")

        def made(seal: Seal) -> Seal:
            seal.require("make")
            return replace(
                seal,
                state=SealState.MADE,
                certificate=certificate.fingerprint,
                not_after=certificate.not_after,
                face=face,
            )

        return self._change(seal_id, "make", actor, made)

    def file(self, seal_id: str, *, number: str, actor: Actor) -> Seal:
        """Enter the number under which a made seal was filed (备案)."""
        self._gate.admit(actor, "file a seal", role=KEEPER)
        filed = _text(number, MAX_NUMBER, "a filing number")
        return self._change(
            seal_id,
            "file",
            actor,
            lambda seal: self._to(seal, "file", SealState.FILED, filing_number=filed),
        )

    def begin(self, seal_id: str, *, actor: Actor) -> Seal:
        """Take a filed seal into use; the one that it replaces is cancelled in the same moment."""
        self._gate.admit(actor, "take a seal into use", role=KEEPER)
        with self._database.transaction() as session:
            seals = SealRepository(session)
            before = seals.find(seal_id, agency=self._agency)
            after = self._store(session, before, self._to(before, "begin", SealState.IN_USE), "begin", actor)
            if before.replaces:
                old = seals.find(before.replaces, agency=self._agency)
                if old.state is not SealState.CANCELLED:
                    cancelled = self._to(old, "cancel", SealState.CANCELLED, ground=f"remade as {seal_id}")
                    self._store(session, old, cancelled, "cancel", actor)
        return after

    def stop(self, seal_id: str, *, ground: str, document_number: str, actor: Actor) -> Seal:
        """Stop a seal at once; no use that is not recorded yet will be.

        One keeper, or an approver, or a process of the office may: what is stopped wrongly comes back by two.
        """
        self._gate.admit(actor, "stop a seal", role=APPROVER if APPROVER in actor.roles else KEEPER)
        facts = _facts(ground, document_number)

        def stopped(seal: Seal) -> Seal:
            return self._to(seal, "stop", SealState.STOPPED, stopped_from=seal.state, **facts)

        return self._change(seal_id, "stop", actor, stopped)

    def cancel(self, seal_id: str, *, ground: str, document_number: str, actor: Actor, approval: str) -> Seal:
        """Cancel a seal for good, as part of something that a second person agreed to elsewhere.

        `approval` names that agreement (an event of a subject); only a process of the office's own comes
        this way. People ask by `ask_to_cancel`.
        """
        if actor.kind is not ActorKind.SYSTEM or not approval:
            raise NotPermitted("a seal is cancelled by two people: ask for it")
        self._gate.admit(actor, "cancel a seal", role=KEEPER)
        facts = _facts(ground, document_number)
        return self._change(
            seal_id,
            "cancel",
            actor,
            lambda seal: self._to(seal, "cancel", SealState.CANCELLED, **facts),
            approval=approval,
        )

    def remake(self, seal_id: str, *, reason: RemakeReason, key: str, actor: Actor) -> Seal:
        """Apply for a seal in the place of one that expires, is damaged, lost or leaked.

        Old and new name each other. `Conflict` while another successor is on its way.
        """
        self._gate.admit(actor, "remake a seal", role=KEEPER)
        with self._database.transaction() as session:
            seals = SealRepository(session)
            old = seals.find(seal_id, agency=self._agency)
            old.require("remake")
            if old.replaced_by and not self._is_gone(seals, old.replaced_by):
                raise Conflict(f"the seal is remade already, as {old.replaced_by}")
            new = self._new(
                name=old.name, owner=old.owner, owner_name=old.owner_name, key=key, kind=old.kind, actor=actor
            )
            new = replace(new, replaces=old.id, remade_for=reason)
            self._add_applied(session, new, actor)
            self._store(session, old, replace(old, replaced_by=new.id), "remake", actor, reason=str(reason))
        return new

    # What takes a second person

    def ask_to_grant(self, seal_id: str, terms: GrantTerms, *, actor: Actor) -> Request:
        """Ask for a grant of use."""
        return self._ask(seal_id, RequestKind.GRANT, terms.to_dict(), actor)

    def ask_to_resume(self, seal_id: str, *, ground: str, document_number: str, actor: Actor) -> Request:
        """Ask that a stopped seal comes back into use."""
        return self._ask(seal_id, RequestKind.RESUME, _facts(ground, document_number), actor)

    def ask_to_cancel(self, seal_id: str, *, ground: str, document_number: str, actor: Actor) -> Request:
        """Ask that a seal is cancelled for good."""
        return self._ask(seal_id, RequestKind.CANCEL, _facts(ground, document_number), actor)

    def agree(self, request_id: str, *, proof: Mapping[str, Any], actor: Actor) -> Request:
        """Agree to a request as a second person, by a signature over its digest; what it asks is done.

        `NotPermitted` for who asked, and without a good proof; `Conflict` when it cannot be done any more.
        """
        self._gate.admit(actor, "agree to a request about a seal", role=APPROVER)
        with self._database.reading() as session:
            request = SealRepository(session).request(request_id, agency=self._agency)
        if request.kind is RequestKind.COMPROMISE:
            raise UsageError("a plan about a leaked key is agreed to where it was made")
        consent = give_consent(
            self._proofs,
            proof,
            digest=request.digest,
            role=APPROVER,
            actor=actor,
            at=self._clock.now(),
            not_by=(request.asked_by,),
        )
        check_consent(self._proofs, consent, digest=request.digest, agency=self._agency)
        with self._database.transaction() as session:
            seals = SealRepository(session)
            stored = seals.request(request_id, agency=self._agency)
            if stored.digest != request.digest:
                raise Conflict("the request was changed meanwhile")
            seals.decide(stored, consent, at=self._clock.now())
            self._carry_out(session, stored, actor)
        return replace(request, consent=consent, decided_at=self._clock.now())

    def refuse(self, request_id: str, *, actor: Actor) -> None:
        """Close a request without doing what it asks; an application's seal is cancelled then."""
        self._gate.admit(actor, "refuse a request about a seal", role=APPROVER)
        with self._database.transaction() as session:
            seals = SealRepository(session)
            request = seals.request(request_id, agency=self._agency)
            seals.decide(request, None, at=self._clock.now())
            seal = seals.find(request.seal or "", agency=self._agency)
            if request.kind is RequestKind.APPLY:
                self._store(session, seal, replace(seal, state=SealState.CANCELLED), "refuse", actor)
            else:
                self._record(session, "refuse", seal, actor, request=request.id)

    def stop_grant(self, seal_id: str, grant_id: str, *, why: str, actor: Actor) -> None:
        """End a grant at once; `Conflict` when it has ended."""
        self._gate.admit(actor, "stop a grant", role=KEEPER)
        with self._database.transaction() as session:
            seals = SealRepository(session)
            seal = seals.find(seal_id, agency=self._agency)
            reason = _text(why, MAX_TEXT, "why it ends")
            if not seals.stop_grant(grant_id, seal=seal.id, at=self._clock.now(), why=reason):
                raise Conflict("no such grant is in force")
            self._record(session, "stop_grant", seal, actor, grant=grant_id)

    # Parts

    def _new(  # noqa: PLR0913 - what an application says
        self, *, name: str, owner: str, owner_name: str, key: str, kind: SealKind, actor: Actor
    ) -> Seal:
        return Seal(
            id=self._name("seal"),
            agency=self._agency,
            owner=str(CreditCode.parse(owner)),
            owner_name=_text(owner_name, MAX_TEXT, "an owner's name"),
            name=_text(name, MAX_TEXT, "a seal's name"),
            kind=kind,
            state=SealState.APPLIED,
            key=_text(key, MAX_KEY, "the name of a key"),
            applied_by=actor.identifier,
            changed_at=self._clock.now(),
        )

    def _add_applied(self, session: Session, seal: Seal, actor: Actor) -> None:
        seals = SealRepository(session)
        seals.add(seal)
        facts = {
            "name": seal.name,
            "kind": str(seal.kind),
            "owner": seal.owner,
            "owner_name": seal.owner_name,
            "key": seal.key,
            "replaces": seal.replaces,
            "reason": str(seal.remade_for) if seal.remade_for else None,
        }
        request = self._request(seal.id, RequestKind.APPLY, facts, actor)
        seals.add_request(request)
        self._record(session, "apply", seal, actor, digest=request.digest.hex())

    def _request(self, seal_id: str, kind: RequestKind, content: Mapping[str, Any], actor: Actor) -> Request:
        now = self._clock.now()
        return Request(self._name("ask"), self._agency, seal_id, kind, content, actor.identifier, now)

    def _ask(self, seal_id: str, kind: RequestKind, content: Mapping[str, Any], actor: Actor) -> Request:
        self._gate.admit(actor, f"ask to {kind} a seal", role=KEEPER)
        request = self._request(seal_id, kind, content, actor)
        with self._database.transaction() as session:
            seals = SealRepository(session)
            seal = seals.find(seal_id, agency=self._agency)
            seal.require(str(kind))
            seals.add_request(request)
            self._record(session, "ask", seal, actor, kind=str(kind), digest=request.digest.hex())
        return request

    def _carry_out(self, session: Session, request: Request, actor: Actor) -> None:
        """What an agreement leads to."""
        seals = SealRepository(session)
        seal = seals.find(request.seal or "", agency=self._agency)
        digest = request.digest.hex()
        if request.kind is RequestKind.GRANT:
            seal.require("grant")
            grant = Grant(
                self._name("grant"),
                seal.id,
                GrantTerms.from_dict(request.content),
                actor.identifier,
                self._clock.now(),
            )
            seals.add_grant(grant)
            self._record(session, "grant", seal, actor, grant=grant.id, digest=digest)
            return
        after = _AGREED[request.kind](self, seal, request.content)
        verb = "approve" if request.kind is RequestKind.APPLY else str(request.kind)
        self._store(session, seal, after, verb, actor, digest=digest)

    def _approved(self, seal: Seal, _content: Mapping[str, Any]) -> Seal:
        return self._to(seal, "approve", SealState.APPROVED)

    def _resumed(self, seal: Seal, content: Mapping[str, Any]) -> Seal:
        seal.require_resumable()
        back = seal.stopped_from or SealState.MADE
        return self._to(seal, "resume", back, stopped_from=None, **content)

    def _cancelled(self, seal: Seal, content: Mapping[str, Any]) -> Seal:
        return self._to(seal, "cancel", SealState.CANCELLED, **content)

    @staticmethod
    def _to(seal: Seal, step: str, state: SealState, **facts: Any) -> Seal:
        seal.require(step)
        return replace(seal, state=state, **facts)

    def _change(
        self, seal_id: str, verb: str, actor: Actor, change: Callable[[Seal], Seal], **details: str
    ) -> Seal:
        with self._database.transaction() as session:
            before = SealRepository(session).find(seal_id, agency=self._agency)
            return self._store(session, before, change(before), verb, actor, **details)

    def _store(
        self, session: Session, before: Seal, after: Seal, verb: str, actor: Actor, **details: str
    ) -> Seal:
        stored = SealRepository(session).change(before, replace(after, changed_at=self._clock.now()))
        self._record(session, verb, stored, actor, **details)
        return stored

    def _record(self, session: Session, verb: str, seal: Seal, actor: Actor, **details: str) -> None:
        facts: dict[str, Any] = {"state": str(seal.state), **details}
        if seal.certificate:
            facts["certificate"] = seal.certificate
        if verb in {"stop", "resume", "cancel"} and seal.document_number:
            facts["document"] = seal.document_number
        audit.record(
            session,
            action=f"seal.{verb}",
            subject=seal.id,
            actor=actor,
            at=self._clock.now(),
            details=facts,
        )

    def _is_gone(self, seals: SealRepository, seal_id: str) -> bool:
        return seals.find(seal_id, agency=self._agency).state is SealState.CANCELLED

    def _name(self, kind: str) -> str:
        return f"{kind}-{self._randomness.bytes(8).hex()}"


_AGREED: Mapping[RequestKind, Callable[[Seals, Seal, Mapping[str, Any]], Seal]] = {
    RequestKind.APPLY: Seals._approved,  # noqa: SLF001 - its own module
    RequestKind.RESUME: Seals._resumed,  # noqa: SLF001 - the same
    RequestKind.CANCEL: Seals._cancelled,  # noqa: SLF001 - the same
}


def _facts(ground: str, document_number: str) -> dict[str, str]:
    return {
        "ground": _text(ground, 1000, "a ground"),
        "document_number": _text(document_number, MAX_NUMBER, "a document's number"),
    }


def _text(value: str, longest: int, what: str) -> str:
    found = value.strip()
    if not 0 < len(found) <= longest or not found.isprintable():
        raise UsageError(f"{what} is readable text of at most {longest} characters")
    return found
