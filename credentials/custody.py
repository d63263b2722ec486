"""What production asks before it seals, and tells when a sealed licence is recorded: custody of the seal.

`credentials.office.seals` keeps the register and decides; production knows these two verbs only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from yinxin.base.actor import Actor
    from yinxin.base.database import Session


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to seal: which seal, by which grant, and whose. It is asked again when the use is recorded."""

    seal: str
    grant: str
    actor: Actor


class SealCustody(Protocol):
    """Who may use a seal for what, and the log of its uses. May be used from several threads."""

    def allow(self, actor: Actor, wanted: Mapping[str, int]) -> Permit:
        """Leave to seal so many documents of these types; ask before sealing, outside a transaction.

        `NotPermitted` when no grant allows it, `Conflict` when the seal is not in use.
        """
        ...

    def used(
        self, session: Session, permit: Permit | None, *, document: str, licence: str | None, at: datetime
    ) -> None:
        """Write a use down in the transaction that records it: `document` is the sealed file's SHA-256 (hex).

        `Conflict` when the seal was stopped since; then nothing of the transaction may stay.
        """
        ...
