"""One delegation: who gives what to whom, how far it is, and what is said of it.

A delegation goes from proposed to accepted, and ends once: declined, recalled or resigned. That its time is
over follows from the clock. A guardian's waits first for a second member of staff.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.delegations.terms import KIND_NAMES, Terms
from credentials.oid4vci.jwts import read_key
from signing.jose import dump_json
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_NAME = 80


class State(StrEnum):
    """How far a delegation is. `EXPIRED` is never stored: it follows from the time."""

    WAITING = "waiting"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RECALLED = "recalled"
    RESIGNED = "resigned"
    EXPIRED = "expired"


STATE_NAMES: Mapping[State, Text] = {
    State.WAITING: Text("待审批", "waiting for approval"),
    State.PROPOSED: Text("待接受", "waiting to be accepted"),
    State.ACCEPTED: Text("有效", "in force"),
    State.DECLINED: Text("已拒绝", "declined"),
    State.RECALLED: Text("已收回", "recalled"),
    State.RESIGNED: Text("已辞任", "resigned"),
    State.EXPIRED: Text("已到期", "past its end"),
}
OPEN = (State.WAITING, State.PROPOSED, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Principal:
    """For whom: a holder by code and name; `representative` is who speaks for a company, by its licence."""

    code: str
    name: str
    representative: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who acts: a name, the key of their wallet that accepts, and their citizen number where it was given."""

    name: str
    jwk: Mapping[str, str] = field(repr=False)
    code: str = field(default="", repr=False)

    @property
    def key(self) -> PublicKey:
        """The key."""
        return PublicKey.from_jwk(self.jwk)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {"name": self.name, "jwk": dict(self.jwk), "code": self.code}

    @classmethod
    def from_dict(cls, value: Any) -> Agent:
        """Read what `to_dict` wrote, also from strangers; `MalformedInput`."""
        try:
            name, code = _readable(value["name"]), value.get("code", "")
            return cls(name, read_key(value["jwk"]).to_jwk(), _readable(code) if code else "")
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise MalformedInput("delegation", "the agent has no name or no key") from exc


@dataclass(frozen=True, slots=True)
class Delegation:
    """A delegation. `ancestors` are the ids of those that it stands under, the holder's own first.

    `step` counts its changes, `ended_by` is who ended it. `proofs` are the signed statements that it rests
    on.
    """

    id: str
    principal: Principal
    agent: Agent
    terms: Terms
    state: State
    proposed_at: datetime
    ancestors: tuple[str, ...] = ()
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    ground: str = ""
    proofs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    step: int = 0

    @property
    def parent(self) -> str | None:
        """The delegation that it stands under."""
        return self.ancestors[-1] if self.ancestors else None

    def state_at(self, moment: datetime) -> State:
        """How it stands at a moment that is not before its last change."""
        if self.state in OPEN and moment >= self.terms.ends_at:
            return State.EXPIRED
        return self.state

    def holds_at(self, moment: datetime) -> bool:
        """Whether the agent may act at this moment, as far as this delegation goes."""
        return self.state is State.ACCEPTED and self.terms.holds_at(moment)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over what the agent accepts: who, for whom, what, and under what."""
        content = {
            "yinxin delegation": 1,
            "id": self.id,
            "principal": [self.principal.code, self.principal.name, self.principal.representative],
            "agent": self.agent.key.thumbprint,
            "ancestors": list(self.ancestors),
            **self.terms.to_dict(),
        }
        return hashlib.sha256(dump_json(content)).hexdigest()

    @property
    def words(self) -> Text:
        """Who acts for whom under what, for reports and receipts."""
        return acting_words(self.agent.name, self.principal.name, self.id)

    def to_dict(self, *, now: datetime) -> dict[str, Any]:
        """As JSON for who is part of it. It holds names."""
        state = self.state_at(now)
        return {
            "id": self.id,
            "kind": str(self.terms.kind),
            "kind_name": KIND_NAMES[self.terms.kind].to_dict(),
            "principal": {"code": self.principal.code, "name": self.principal.name},
            "agent": {"name": self.agent.name, "key": self.agent.key.thumbprint},
            "terms": self.terms.to_dict(),
            "state": str(state),
            "state_name": STATE_NAMES[state].to_dict(),
            "ancestors": list(self.ancestors),
            "proposed_at": self.proposed_at.isoformat(),
            "accepted_at": self.accepted_at.isoformat() if self.accepted_at else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "ended_by": self.ended_by,
            "digest": self.digest,
            "text": self.words.to_dict(),
        }


def acting_words(agent: str, principal: str, delegation: str) -> Text:
    """某某代表某某，依据委托书 Z."""
    return Text(
        f"{agent}代表{principal}，依据委托书 {delegation}",
        f"{agent} for {principal} under delegation {delegation}",
    )


def _readable(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME or not value.isprintable():
        raise ValueError("a short readable text")
    return value.strip()
