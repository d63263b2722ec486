"""Who acts. Every change of state names one, and somebody authenticated it before."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from yinxin.base.errors import NotPermitted, UsageError

MAX_IDENTIFIER = 200


class ActorKind(StrEnum):
    """What sort of actor."""

    STAFF = "staff"
    DEPARTMENT = "department"
    HOLDER = "holder"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated actor.

    `identifier` is stable and holds no personal number (`clerk-17`, a department's id, a holder's key
    thumbprint); `agency` is the credit code of the agency or department that the actor belongs to;
    `roles` are plain words of the glossary (clerk, reviewer, registrar, inspector).

    A member of staff has one spelling: case, width and spaces do not make a second person, because the rule
    that two people decide compares identifiers. `UsageError` for one that is empty or cannot be read.
    """

    kind: ActorKind
    identifier: str
    agency: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.kind is ActorKind.STAFF:
            object.__setattr__(self, "identifier", one_spelling(self.identifier))

    def __str__(self) -> str:
        return f"{self.kind}:{self.identifier}"

    def require_role(self, *roles: str) -> None:
        """Raise `NotPermitted` unless the actor has one of these roles."""
        if not self.roles.intersection(roles):
            raise NotPermitted(f"{self} lacks the role {' or '.join(roles)}")


def one_spelling(identifier: str) -> str:
    """The one form of a person's identifier, whatever its case, width or spaces (Unicode, NFKC casefold)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", identifier).casefold())
    spelt = " ".join(folded.split())
    if not 0 < len(spelt) <= MAX_IDENTIFIER or not spelt.isprintable():
        raise UsageError("an actor's identifier is readable text")
    return spelt


def staff(identifier: str, *, agency: str | None = None, roles: tuple[str, ...] = ("clerk",)) -> Actor:
    """A member of staff."""
    return Actor(ActorKind.STAFF, identifier, agency, frozenset(roles))


def system(identifier: str) -> Actor:
    """A process of ours that acts by itself: a sequencer, a timer."""
    return Actor(ActorKind.SYSTEM, identifier)
