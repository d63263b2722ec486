"""Who can sign in: staff of agencies and departments, and holders of wallets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from yinxin.base.actor import Actor, ActorKind

if TYPE_CHECKING:
    from datetime import datetime

ROLES = ("clerk", "reviewer", "approver", "registrar", "inspector", "keeper")
# An organisation's own system is somebody of its staff by this beginning of its identifier, and no person.
SYSTEM_PREFIX = "system/"
SYSTEM_ROLES = ("clerk",)


class Realm(StrEnum):
    """Two kinds of accounts that never meet: a session of one is nothing to the other."""

    STAFF = "staff"
    HOLDER = "holder"


class How(StrEnum):
    """How somebody signed in."""

    PASSKEY = "passkey"
    OPENID = "openid"


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a person, or of a system of an organisation.

    `identifier` is what the audit log knows a member of staff by; a holder's is the account's id.
    `organisation` is the credit code of the agency or department, None for holders.
    """

    id: str
    kind: ActorKind
    identifier: str
    name: str
    organisation: str | None = None
    roles: frozenset[str] = frozenset()
    is_active: bool = True

    @property
    def is_system(self) -> bool:
        """Whether this is a system of the organisation, and no person."""
        return self.kind is ActorKind.STAFF and self.identifier.startswith(SYSTEM_PREFIX)

    @property
    def actor(self) -> Actor:
        """This person, acting."""
        return Actor(self.kind, self.identifier, self.organisation, self.roles)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who signed in: who, how, and when. Only `Access` makes one."""

    account: Account
    how: How
    at: datetime
    session_id: str

    @property
    def actor(self) -> Actor:
        """Who acts, for every change of state."""
        return self.account.actor


@dataclass(frozen=True, slots=True)
class Entered:
    """A sign-in that succeeded; `token` goes into the browser's cookie and is kept nowhere else."""

    signed_in: SignedIn
    token: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account, as its owner sees it."""

    id: str
    made_at: datetime
    used_at: datetime | None
    is_backed_up: bool


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A code by which one account gets its first passkey on this side; shown once, used once."""

    account: Account
    code: str
    expires_at: datetime
