"""What happens to delegations: proposed, accepted, declined, recalled, looked at.

Wallets come in with signed statements, each for one nonce of ours. Whatever concerns one holder happens one
after another: the holder's row is locked first, and all is looked at again under the lock. Recalling a
delegation ends all that stands under it, and every credential that was given under any of them, at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from credentials.delegations import statements as verbs
from credentials.delegations.delegation import OPEN, Agent, Delegation, State
from credentials.delegations.repository import DelegationRepository, Use
from credentials.delegations.rules import (
    BY_AGENT,
    Speaker,
    ends_as,
    is_ground,
    own_principal,
    require_agent,
    require_holding,
    require_may_appoint,
    require_room,
    require_state,
    require_timely,
    require_verb,
)
from credentials.delegations.terms import Kind, Terms
from credentials.vocabulary import INVALID
from yinxin.base import audit, once
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from credentials.blind_index import BlindIndex
    from credentials.delegations.delegation import Principal
    from credentials.delegations.principals import Principals
    from credentials.delegations.statements import Statement
    from credentials.oid4vci.nonces import Nonces
    from credentials.status_service import StatusService
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

T = TypeVar("T")
NONCE = "delegation statement"


class Delegations:
    """The delegations of one issuer. `url` is its address: statements are for it."""

    def __init__(  # noqa: PLR0913 - what it stands on, by the door
        self,
        url: str,
        *,
        database: Database,
        index: BlindIndex,
        principals: Principals,
        nonces: Nonces,
        status: StatusService,
        clock: Clock,
        randomness: Randomness | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.clock = clock
        self.database = database
        self.index = index
        self.nonces = nonces
        self.status = status
        self._principals = principals
        self._randomness = randomness or SystemRandomness()

    def nonce(self) -> str:
        """A nonce for one statement."""
        return self.nonces.make(now=self.clock.now())

    def speaker(self, statement: Statement, proof: Mapping[str, Any]) -> Speaker:
        """Who made a statement; `NotPermitted` when nobody can be said to have."""
        now = self.clock.now()
        if self.nonces.expires_at(statement.nonce, now=now) is None:
            raise NotPermitted("the nonce is not ours or out of date: ask for a new one")
        if proof.get("kind") == verbs.BY_LICENCE:
            return self._principals.recognise(statement, proof, now=now)
        return Speaker(verbs.read_signature(statement, proof, now=now))

    def propose(self, statement: Statement, proof: Mapping[str, Any]) -> Delegation:
        """Appoint somebody: the holder by a licence, or an agent under a delegation (`parent`) by its key.

        The content has `agent`, `terms`, `parent` (or null) and `signed_by`: under which name the
        representative signs, who must be the one that the licence names. `NotPermitted` for more than the
        speaker may give, `Conflict` for a sixth administrator.
        """
        require_verb(statement, verbs.PROPOSE)
        speaker = self.speaker(statement, proof)
        agent = Agent.from_dict(statement.content.get("agent"))
        terms = Terms.from_dict(statement.content.get("terms"))
        require_timely(terms, self.clock.now())
        if terms.kind is Kind.GUARDIAN:
            raise NotPermitted("a guardian is registered at the agency's desk, on the document")
        kept = {"statement": statement.digest, **proof}

        def appoint(session: Session) -> Delegation:
            chain = self._above(session, statement, speaker, agent, terms)
            principal = chain[-1].principal if chain else own_principal(speaker, statement.content, terms)
            self.use_up(session, statement)
            made = self.new(session, principal, agent, terms, above=chain, proof=kept)
            self.record(session, "propose", made, speaker.actor)
            return made

        return self._change(appoint)

    def _above(
        self, session: Session, statement: Statement, speaker: Speaker, agent: Agent, terms: Terms
    ) -> tuple[Delegation, ...]:
        """What a new one will stand under, nothing for the holder's own; the holder is locked."""
        repository, now, parent = self.repository(session), self.clock.now(), statement.content.get("parent")
        if parent is None:
            principal = own_principal(speaker, statement.content, terms)
            repository.lock(principal.code)
            speaker.confirm(session, now)
            if terms.kind is Kind.ADMINISTRATOR:
                require_room(repository.administrators(principal.code, now=now))
            return ()
        repository.lock(self.named(session, parent)[0].principal.code)
        chain = self.named(session, parent)
        require_may_appoint(chain, speaker, agent, terms, now)
        return chain

    def new(  # noqa: PLR0913 - what a delegation is made of
        self,
        session: Session,
        principal: Principal,
        agent: Agent,
        terms: Terms,
        *,
        above: Sequence[Delegation] = (),
        proof: Mapping[str, object],
        state: State = State.PROPOSED,
    ) -> Delegation:
        """Store a new delegation; its holder is locked."""
        made = Delegation(
            id=self._randomness.bytes(10).hex(),  # read aloud, and typed after a command
            principal=principal,
            agent=agent,
            terms=terms,
            state=state,
            proposed_at=self.clock.now(),
            ancestors=tuple(one.id for one in above),
            proofs=(proof,),
        )
        self.repository(session).add(made)
        return made

    def accept(self, statement: Statement, proof: Mapping[str, Any]) -> Delegation:
        """Take on a delegation, by the agent's own key and for its very terms (`digest`).

        `Conflict` unless it waits for that; `NotPermitted` for anybody else, or when what it stands under has
        ended meanwhile.
        """
        require_verb(statement, verbs.ACCEPT)
        speaker = self.speaker(statement, proof)

        def accept(session: Session, found: Delegation, now: datetime) -> Delegation:
            require_agent(found, speaker)
            require_state(found, State.PROPOSED, now)
            if statement.content.get("digest") != found.digest:
                raise NotPermitted("what was accepted is not what was proposed")
            require_holding(self.named(session, found.id)[:-1], now)
            kept = (*found.proofs, {"statement": statement.digest, **proof})
            return replace(found, state=State.ACCEPTED, accepted_at=now, proofs=kept)

        return self._step(statement, speaker, accept)

    def decline(self, statement: Statement, proof: Mapping[str, Any]) -> Delegation:
        """Say no to a delegation; `Conflict` unless it waits for an answer."""
        require_verb(statement, verbs.DECLINE)
        speaker = self.speaker(statement, proof)

        def decline(_session: Session, found: Delegation, now: datetime) -> Delegation:
            require_agent(found, speaker)
            require_state(found, State.PROPOSED, now)
            return replace(found, state=State.DECLINED, ended_at=now, ended_by="agent")

        return self._step(statement, speaker, decline)

    def recall(self, statement: Statement, proof: Mapping[str, Any]) -> tuple[Delegation, ...]:
        """End a delegation at once, with all that stands under it; returns what ended.

        The holder, whoever gave one that it stands under, or the agent, who resigns. `NotFound` for everybody
        else, `Conflict` when it has ended already.
        """
        require_verb(statement, verbs.RECALL)
        speaker, ground = self.speaker(statement, proof), is_ground(statement.content.get("ground", ""))

        def recall(session: Session) -> tuple[Delegation, ...]:
            chain = self.named(session, statement.content.get("delegation"))
            self.repository(session).lock(chain[0].principal.code)
            chain, now = self.named(session, chain[-1].id), self.clock.now()
            speaker.confirm(session, now)
            by = ends_as(chain, speaker, now)
            if chain[-1].state not in OPEN:
                raise Conflict("the delegation has ended already")
            self.use_up(session, statement)
            return self.end(session, [chain[-1]], by=by, ground=ground, actor=speaker.actor)

        return self._change(recall)

    def listed(self, statement: Statement, proof: Mapping[str, Any]) -> dict[str, list[Delegation]]:
        """What the speaker has `given`, and what they have `received`."""
        require_verb(statement, verbs.LIST)
        speaker = self.speaker(statement, proof)

        def look(session: Session) -> dict[str, list[Delegation]]:
            self.use_up(session, statement)
            return self._seen(session, speaker)

        return self._change(look)

    def _seen(self, session: Session, speaker: Speaker) -> dict[str, list[Delegation]]:
        repository = self.repository(session)
        if speaker.principal is not None:
            return {"given": repository.of_holder(speaker.principal.code), "received": []}
        received = repository.of_key(speaker.key.thumbprint)
        mine = {one.id for one in received}
        given = [one for one in repository.below(mine, ended=True) if one.id not in mine]
        return {"given": given, "received": received}

    def uses(self, statement: Statement, proof: Mapping[str, Any]) -> list[Use]:
        """Which departments agents went to for the holder, or under the speaker's delegations, and when."""
        require_verb(statement, verbs.USES)
        speaker, wanted = self.speaker(statement, proof), statement.content.get("delegation")

        def look(session: Session) -> list[Use]:
            self.use_up(session, statement)
            seen = self._seen(session, speaker)
            names = [one.id for one in (*seen["given"], *seen["received"]) if wanted in (None, one.id)]
            if wanted is not None and not names:
                raise NotFound("no such delegation")
            return self.repository(session).uses(names)

        return self._change(look)

    def of_holder(self, code: str) -> tuple[Delegation, ...]:
        """The open delegations for a holder, or to a person of this number, and what stands under those."""
        with self.database.reading() as session:
            return self._open_of(session, code)

    def recall_of(
        self, code: str, *, ground: str, document_number: str, actor: Actor
    ) -> tuple[Delegation, ...]:
        """End all of `of_holder` at once: the representative changed, the company dissolved, somebody died.

        Done twice it finds nothing more to end.
        """
        why = is_ground(f"{ground}（{document_number}）")

        def recall(session: Session) -> tuple[Delegation, ...]:
            repository = self.repository(session)
            holders = {code, *(one.principal.code for one in self._open_of(session, code))}
            for holder in sorted(holders):
                repository.lock(holder)
            found = self._open_of(session, code)
            return self.end(session, found, by=str(actor.kind), ground=why, actor=actor)

        return self._change(recall)

    def chain(self, delegation_id: str) -> tuple[Delegation, ...]:
        """A delegation with those that it stands under, as they are now; empty for none."""
        with self.database.reading() as session:
            return self.repository(session).chain(delegation_id)

    def repository(self, session: Session) -> DelegationRepository:
        """Every query, in a session."""
        return DelegationRepository(session, index=self.index)

    def end(
        self, session: Session, found: Sequence[Delegation], *, by: str, ground: str, actor: Actor
    ) -> tuple[Delegation, ...]:
        """End these and all that stands under them, with their credentials; their holder is locked."""
        repository, now = self.repository(session), self.clock.now()
        named = {one.id for one in found}
        below = [one for one in repository.below(named) if one.id not in named]
        ended = []
        for one in (*found, *below):
            resigned = by == BY_AGENT and one.id in named
            state = State.RESIGNED if resigned else State.RECALLED
            after = replace(one, state=state, ended_at=now, ended_by=by, ground=ground)
            repository.change(one, after)
            self._revoke(session, repository, one, actor)
            self.record(session, "resign" if resigned else "recall", after, actor)
            ended.append(after)
        return tuple(ended)

    def record(self, session: Session, verb: str, one: Delegation, actor: Actor) -> None:
        """The entry in the log: no names."""
        audit.record(
            session,
            action=f"delegation.{verb}",
            subject=f"delegation:{one.id}",
            actor=actor,
            at=self.clock.now(),
            details={"kind": str(one.terms.kind), "digest": one.digest, "parent": one.parent},
        )

    def _revoke(
        self, session: Session, repository: DelegationRepository, one: Delegation, actor: Actor
    ) -> None:
        places = repository.copies(one.id)
        for uri, position in places:
            if not self.status.is_final(session, uri, position):
                self.status.set(session, uri, position, INVALID, actor=actor)
        repository.retire(places, at=self.clock.now())

    def _step(
        self,
        statement: Statement,
        speaker: Speaker,
        step: Callable[[Session, Delegation, datetime], Delegation],
    ) -> Delegation:
        def change(session: Session) -> Delegation:
            repository = self.repository(session)
            named = self.named(session, statement.content.get("delegation"))[-1]
            repository.lock(named.principal.code)
            found = repository.find(named.id)
            changed = step(session, found, self.clock.now())
            self.use_up(session, statement)
            repository.change(found, changed)
            self.record(session, statement.verb, changed, speaker.actor)
            return changed

        return self._change(change)

    def named(self, session: Session, delegation_id: object) -> tuple[Delegation, ...]:
        """The chain of a delegation that a stranger names; `NotFound` for none."""
        if not isinstance(delegation_id, str) or len(delegation_id) > 32:
            raise MalformedInput("delegation", "the id of a delegation is needed")
        found = self.repository(session).chain(delegation_id)
        if not found:
            raise NotFound("no such delegation")
        return found

    def _open_of(self, session: Session, code: str) -> tuple[Delegation, ...]:
        repository = self.repository(session)
        own = [*repository.of_holder(code), *repository.of_person(code)]
        named = {one.id: one for one in own if one.state in OPEN}
        return (*named.values(), *(one for one in repository.below(named) if one.id not in named))

    def use_up(self, session: Session, statement: Statement) -> None:
        """Count the nonce of a statement; `Conflict` when it was used before."""
        until = self.nonces.expires_at(statement.nonce, now=self.clock.now())
        if until is None:
            raise NotPermitted("the nonce is not ours or out of date: ask for a new one")
        once.consume(session, NONCE, statement.nonce, expires_at=until)

    def _change(self, work: Callable[[Session], T]) -> T:
        with self.database.transaction() as session:
            return work(session)
