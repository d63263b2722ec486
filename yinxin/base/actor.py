"""Who acts. Every change of state names one, and somebody authenticated it before."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from yinxin.base.errors import NotPermitted


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
    """

    kind: ActorKind
    identifier: str
    agency: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)

    def __str__(self) -> str:
        return f"{self.kind}:{self.identifier}"

    def require_role(self, *roles: str) -> None:
        """Raise `NotPermitted` unless the actor has one of these roles."""
        if not self.roles.intersection(roles):
            raise NotPermitted(f"{self} lacks the role {' or '.join(roles)}")


def staff(identifier: str, *, agency: str | None = None, roles: tuple[str, ...] = ("clerk",)) -> Actor:
    """A member of staff."""
    return Actor(ActorKind.STAFF, identifier, agency, frozenset(roles))


def system(identifier: str) -> Actor:
    """A process of ours that acts by itself: a sequencer, a timer."""
    return Actor(ActorKind.SYSTEM, identifier)
