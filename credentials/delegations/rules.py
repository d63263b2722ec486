"""Who may do what with a delegation: rules over values, without storage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from credentials.delegations.delegation import STATE_NAMES, Agent, Delegation, Principal, State
from credentials.delegations.terms import MAX_ADMINISTRATORS, Kind, Terms, require_within
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from credentials.delegations.statements import Statement
    from signing.keys import PublicKey
    from yinxin.base.database import Session

SKEW = timedelta(minutes=5)  # how far a wallet's clock may be behind ours
MAX_GROUND = 200
BY_HOLDER, BY_AGENT = "holder", "agent"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who made a statement: a holder by their licence, or else whoever has this key."""

    key: PublicKey
    principal: Principal | None = None
    look: Callable[[Session, datetime], Principal] | None = None

    @property
    def actor(self) -> Actor:
        """As the log names them: by the key."""
        return Actor(ActorKind.HOLDER, self.key.thumbprint)

    def confirm(self, session: Session, now: datetime) -> None:
        """`NotPermitted` when the licence shown does not speak for its holder any more, seen from here."""
        if self.look is not None and self.look(session, now) != self.principal:
            raise NotPermitted("the licence shown was changed meanwhile")


def own_principal(speaker: Speaker, content: Mapping[str, Any], terms: Terms) -> Principal:
    """For whom a holder appoints: themselves, under the name that their licence gives them."""
    principal = speaker.principal
    if principal is None:
        raise NotPermitted("show the holder's licence, or name the delegation that this one stands under")
    if content.get("signed_by") != (principal.representative or principal.name):
        raise NotPermitted("the licence names somebody else as who signs for the holder")
    if terms.kind is not Kind.HELPER and not principal.representative:
        raise NotPermitted("a person appoints helpers; administrators and agents are a company's")
    return principal


def require_may_appoint(
    chain: Sequence[Delegation], speaker: Speaker, agent: Agent, terms: Terms, now: datetime
) -> None:
    """`NotPermitted` unless the agent of the chain's last delegation may appoint this one so."""
    require_agent(chain[-1], speaker)
    require_holding(chain, now)
    if not all(link.terms.holds_at(now) for link in chain):
        raise NotPermitted("the delegation does not hold yet")
    require_within(terms, chain[-1].terms, depth=len(chain) + 1)
    for link in chain:
        is_same = bool(agent.code) and agent.code == link.agent.code
        if agent.key == link.agent.key or is_same or agent.code == link.principal.code:
            raise NotPermitted("a delegation does not lead back to who gave it")


def require_holding(chain: Sequence[Delegation], now: datetime) -> None:
    """`NotPermitted` when a delegation of the chain was not accepted, or has ended."""
    for link in chain:
        if link.state_at(now) is not State.ACCEPTED:
            raise NotPermitted(f"delegation {link.id} is {STATE_NAMES[link.state_at(now)].en}")


def require_agent(found: Delegation, speaker: Speaker) -> None:
    """`NotFound` for everybody but the agent: what is not theirs is not there."""
    if speaker.principal is not None or speaker.key != found.agent.key:
        raise NotFound("no such delegation")


def require_state(found: Delegation, wanted: State, now: datetime) -> None:
    """`Conflict` unless it is so."""
    if found.state_at(now) is not wanted:
        raise Conflict(f"the delegation is {STATE_NAMES[found.state_at(now)].en}")


def require_room(administrators: int) -> None:
    """`Conflict` for one more than a holder may have."""
    if administrators >= MAX_ADMINISTRATORS:
        raise Conflict(f"a company has up to {MAX_ADMINISTRATORS} licence administrators")


def require_timely(terms: Terms, now: datetime) -> None:
    """`UsageError` for an appointment that begins in the past."""
    if terms.starts_at < now - SKEW or terms.ends_at <= now:
        raise UsageError("an appointment begins now or later, and ends after that")


def ends_as(chain: Sequence[Delegation], speaker: Speaker, now: datetime) -> str:
    """As whom the speaker may end the chain's last delegation; `NotFound` when they may not."""
    last = chain[-1]
    if speaker.principal is not None:
        if speaker.principal.code == last.principal.code:
            return BY_HOLDER
        raise NotFound("no such delegation")
    if speaker.key == last.agent.key:
        return BY_AGENT
    for link in chain[:-1]:
        if link.agent.key == speaker.key and link.holds_at(now):
            return f"delegation:{link.id}"
    raise NotFound("no such delegation")


def require_verb(statement: Statement, verb: str) -> None:
    """`MalformedInput` for a statement that says something else."""
    if statement.verb != verb:
        raise MalformedInput("statement", f"this is where one says {verb}")


def is_ground(value: object) -> str:
    """Why something ends, in a few words."""
    if not isinstance(value, str) or len(value) > MAX_GROUND or not value.isprintable():
        raise MalformedInput("statement", f"the ground is a text of at most {MAX_GROUND} characters")
    return value
