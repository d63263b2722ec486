"""Give out what is held on a person, and erase what need not be kept: by two people, recorded, once.

An erasure is asked for with its ground; its plan says what goes and what the law keeps until when. Somebody
else agrees by a signature over the plan, and only what was planned is erased. Entries of the log hold
digests: none is touched, and every proof made before still verifies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.office.agreements import Consent, check_consent, content_digest, give_consent
from credentials.persons.repository import PersonRepository
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind, system
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotFound, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.blind_index import BlindIndex
    from credentials.documents import DocumentStore
    from credentials.office.proofs import Proofs
    from credentials.persons.holdings import Held, Holding
    from yinxin.base.database import Database, Session

REGISTRAR = "registrar"
ASKED, AGREED, DONE = "asked", "agreed", "done"
BATCH = 200
_RETENTION = system("retention")


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as it was asked for: what goes (`going`) and what stays, why, until when (`staying`)."""

    id: str
    state: str
    digest: bytes
    going: tuple[Held, ...]
    staying: tuple[Held, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without personal data."""
        return {
            "id": self.id,
            "state": self.state,
            "digest": self.digest.hex(),
            "going": [{"kind": one.kind, "key": one.key} for one in self.going],
            "staying": [
                {"kind": one.kind, "key": one.key, "why": one.why.to_dict(), "until": _iso(one.kept_until)}
                for one in self.staying
            ],
        }


class PersonalData:
    """What one agency's installation holds on persons. `holdings` are the rooms that hold something."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        database: Database,
        holdings: Sequence[Holding],
        *,
        agency: str,
        index: BlindIndex,
        proofs: Proofs,
        documents: DocumentStore | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._database, self._holdings = database, holdings
        self._agency, self._index, self._proofs = agency, index, proofs
        self._documents = documents
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()

    def held(self, person: str, *, actor: Actor, ground: str, document_number: str) -> list[Held]:
        """All that is held on a person, for a registrar with a ground; recorded before it is read."""
        self._require(actor, ground, document_number)
        with self._database.transaction() as session:
            self._record(session, "person.export", self._name(person), actor, document=document_number)
        with self._database.reading() as session:
            return self._everything(session, person)

    def export(self, person: str, *, actor: Actor, ground: str, document_number: str) -> dict[str, Any]:
        """The same as one JSON value to give to the person; `documents` are SHA-256 of their sealed pages."""
        held = self.held(person, actor=actor, ground=ground, document_number=document_number)
        return {
            "person": person,
            "made_at": self._clock.now().isoformat(),
            "held": [
                {
                    "kind": one.kind,
                    "key": one.key,
                    "kept_until": _iso(one.kept_until),
                    "why": one.why.to_dict(),
                    "content": dict(one.content),
                    "documents": list(one.documents),
                }
                for one in held
            ],
        }

    def propose_erasure(self, person: str, *, ground: str, document_number: str, actor: Actor) -> Erasure:
        """Ask for an erasure; the answer says what would go and what stays, and why."""
        self._require(actor, ground, document_number)
        identifier, now = random_text(self._randomness), self._clock.now()
        with self._database.reading() as session:
            planned = self._plan(identifier, ASKED, self._everything(session, person), now)
        row = {
            "id": identifier,
            "agency": self._agency,
            "person": self._index.of("holder", person),
            "code": person,
            "ground": ground,
            "document_number": document_number,
            "plan": planned.digest.hex(),
            "state": ASKED,
            "asked_by": actor.identifier,
            "asked_at": now,
        }
        with self._database.transaction() as session:
            PersonRepository(session, self._index).add_erasure(row)
            self._record(session, "erasure.ask", f"erasure:{identifier}", actor, plan=planned.digest.hex())
        return planned

    def erasure(self, identifier: str, *, actor: Actor) -> Erasure:
        """An erasure and what it would do now."""
        self._require_registrar(actor)
        row = self._row(identifier)
        return self._now_planned(row)

    def agree(self, identifier: str, *, proof: Mapping[str, Any], actor: Actor) -> Erasure:
        """Agree to an erasure, as somebody else than who asked; `Conflict` when its plan has changed."""
        self._require_registrar(actor)
        row = self._row(identifier)
        planned = self._unchanged(row)
        consent = give_consent(
            self._proofs,
            proof,
            digest=planned.digest,
            role=REGISTRAR,
            actor=actor,
            at=self._clock.now(),
            not_by=(row.asked_by,),
        )
        with self._database.transaction() as session:
            PersonRepository(session, self._index).change_erasure(
                identifier, ASKED, state=AGREED, consent=consent.to_dict()
            )
            self._record(session, "erasure.agree", f"erasure:{identifier}", actor, plan=planned.digest.hex())
        return self._plan(identifier, AGREED, [*planned.going, *planned.staying], self._clock.now())

    def erase(self, identifier: str, *, actor: Actor) -> dict[str, int]:
        """Do what was agreed: kinds and how many of each are erased. Doing it again does nothing."""
        self._require_registrar(actor)
        row = self._row(identifier)
        if row.state == DONE:
            return _counts_of(row.erased)
        if row.state != AGREED:
            raise Conflict("nobody else has agreed to this erasure yet")
        planned = self._unchanged(row)
        check_consent(
            self._proofs, Consent.from_dict(row.consent), digest=planned.digest, agency=self._agency
        )
        counts = _counts(planned.going)
        with self._database.transaction() as session:
            self._strike(session, planned.going)
            PersonRepository(session, self._index).change_erasure(
                identifier,
                AGREED,
                state=DONE,
                code=None,
                done_at=self._clock.now(),
                erased=_names(planned.going),
            )
            self._record(session, "erasure.done", f"erasure:{identifier}", actor, erased=counts)
        self._remove_documents(planned.going)
        return counts

    def erased(self, *, actor: Actor) -> list[tuple[str, str]]:
        """Kind and key of everything that was erased on demand: it is kept away from the backups."""
        self._require_registrar(actor)
        with self._database.reading() as session:
            return PersonRepository(session, self._index).erased()

    def erase_again(self, things: Sequence[tuple[str, str]], *, actor: Actor) -> dict[str, int]:
        """Erase what was erased before, in a register that was put back from an older backup."""
        self._require_registrar(actor)
        now, done = self._clock.now(), []
        with self._database.reading() as session:
            for room in self._holdings:
                keys = [key for kind, key in things if kind == room.kind]
                done += room.named(session, keys, now=now)
        with self._database.transaction() as session:
            self._strike(session, done)
            for one in done:
                self._record(session, "erasure.again", f"{one.kind}:{one.key}"[:200], actor)
        self._remove_documents(done)
        return _counts(done)

    def forget(self, *, limit: int = BATCH) -> dict[str, int]:
        """Erase what its retention is over for, up to `limit` of each kind; kinds and how many of each."""
        now = self._clock.now()
        with self._database.reading() as session:
            over = [one for room in self._holdings for one in room.over(session, now=now, limit=limit)]
        if not over:
            return {}
        counts = _counts(over)
        with self._database.transaction() as session:
            self._strike(session, over)
            for one in over:
                self._record(session, "retention.erase", f"{one.kind}:{one.key}", _RETENTION)
        self._remove_documents(over)
        return counts

    def _strike(self, session: Session, going: Sequence[Held]) -> None:
        for room in self._holdings:
            mine = [one for one in going if one.kind == room.kind]
            if mine:
                room.erase(session, mine, at=self._clock.now())

    def _remove_documents(self, going: Sequence[Held]) -> None:
        # After the commit: a page without its row is harmless, a row whose page is missing is not.
        if self._documents is not None:
            for digest in {name for one in going for name in one.documents}:
                self._documents.remove(digest)

    def _everything(self, session: Session, person: str) -> list[Held]:
        return [one for room in self._holdings for one in room.of(session, person)]

    def _plan(self, identifier: str, state: str, held: Sequence[Held], now: datetime) -> Erasure:
        going = tuple(one for one in held if one.may_go(now))
        staying = tuple(one for one in held if not one.may_go(now))
        content = {"yinxin erasure": 1, "id": identifier, "going": [[one.kind, one.key] for one in going]}
        return Erasure(identifier, state, content_digest(content), going, staying)

    def _now_planned(self, row: Any) -> Erasure:
        if row.code is None:
            return Erasure(row.id, row.state, bytes.fromhex(row.plan), (), ())
        with self._database.reading() as session:
            return self._plan(row.id, row.state, self._everything(session, row.code), self._clock.now())

    def _unchanged(self, row: Any) -> Erasure:
        planned = self._now_planned(row)
        if planned.digest.hex() != row.plan:
            raise Conflict("what is held on this person has changed: ask for the erasure again")
        return planned

    def _row(self, identifier: str) -> Any:
        with self._database.reading() as session:
            row = PersonRepository(session, self._index).erasure(identifier, agency=self._agency)
        if row is None:
            raise NotFound("no such erasure")
        return row

    def _require(self, actor: Actor, ground: str, document_number: str) -> None:
        self._require_registrar(actor)
        if not ground.strip() or not document_number.strip():
            raise UsageError("say the ground and the number of the request or decision")

    def _require_registrar(self, actor: Actor) -> None:
        if actor.kind is not ActorKind.STAFF or actor.agency != self._agency:
            raise NotPermitted(f"{actor} does not act for this agency")
        actor.require_role(REGISTRAR)

    def _name(self, person: str) -> str:
        return f"person:{self._index.of('holder', person).hex()[:32]}"

    def _record(self, session: Session, action: str, subject: str, actor: Actor, **details: object) -> None:
        audit.record(
            session, action=action, subject=subject, actor=actor, at=self._clock.now(), details=details
        )


def _names(held: Sequence[Held]) -> list[tuple[str, str]]:
    return [(one.kind, one.key) for one in held]


def _counts(held: Sequence[Held]) -> dict[str, int]:
    return _counts_of(_names(held))


def _counts_of(names: Sequence[Sequence[str]]) -> dict[str, int]:
    kinds = [kind for kind, _ in names]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
