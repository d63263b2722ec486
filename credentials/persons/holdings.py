"""What a room holds on a person: the value that is shown, and the protocol that a room fulfils."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from yinxin.base.database import Session

IN_USE = Text("仍有效或仍在办理", "in force, or still being worked on")
OVER = Text("保存期限已满", "its time to be kept has passed")


def why_kept(until: datetime | None) -> Text:
    """Why a thing stays until a moment; None is without an end in sight."""
    if until is None:
        return IN_USE
    return Text(f"依规定保存至 {until.date()}", f"must be kept until {until.date()}")


@dataclass(frozen=True, slots=True)
class Held:
    """One thing held on a person.

    `key` names it within its `kind` and says nothing of the person. `kept_until` is the moment until which
    it must be kept, None without an end in sight; `why` is the reason in words. `content` is what is given
    to the person who asks, `documents` are the SHA-256 of files in the document store that go with it.
    """

    kind: str
    key: str
    kept_until: datetime | None
    why: Text
    content: Mapping[str, Any] = field(repr=False)
    documents: tuple[str, ...] = ()

    def may_go(self, now: datetime) -> bool:
        """Whether nothing demands any more that it is kept."""
        return self.kept_until is not None and self.kept_until <= now


class Holding(Protocol):
    """One kind of thing that is held on persons."""

    kind: str

    def of(self, session: Session, person: str) -> list[Held]:
        """Everything of this kind on the person of this code (citizen number or credit code)."""
        ...

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Up to `limit` things, of anybody, that nothing demands to keep any more; without their content."""
        ...

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Those of these keys that are here and not erased; without their content."""
        ...

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Erase what is personal in these; that they were there, and what kind they were, stays."""
        ...
