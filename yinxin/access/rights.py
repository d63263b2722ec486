"""Who may change whose entry in the directory of staff, read from the directory itself.

The rights of whoever acts are looked up anew with each change, whatever the caller's actor says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yinxin.access.repository import AccessRepository
from yinxin.base.actor import ActorKind, one_spelling
from yinxin.base.errors import Conflict, NotFound, NotPermitted

if TYPE_CHECKING:
    from yinxin.access.accounts import Account
    from yinxin.base.actor import Actor
    from yinxin.base.database import Session


def require_registrar(session: Session, actor: Actor, organisation: str | None) -> None:
    """Raise `NotPermitted` unless the actor is an active registrar there."""
    found = AccessRepository(session).by_identifier(actor.identifier, lock=True)
    if (
        actor.kind is not ActorKind.STAFF
        or found is None
        or not found.is_active
        or found.organisation != organisation
        or "registrar" not in found.roles
    ):
        raise NotPermitted("staff is kept by a registrar of the same organisation")


def changeable(session: Session, identifier: str, actor: Actor) -> Account:
    """The account that the actor may change, locked; both rows in one order, so that none waits.

    `NotPermitted` for one's own, `NotFound` for another organisation's, `Conflict` for a closed one.
    """
    repository, spelt = AccessRepository(session), one_spelling(identifier)
    if spelt == actor.identifier:
        raise NotPermitted("nobody changes the own entry: ask another registrar")
    rows = {one: repository.by_identifier(one, lock=True) for one in sorted({spelt, actor.identifier})}
    account = rows[spelt]
    own = rows[actor.identifier]
    if account is None or own is None or account.organisation != own.organisation:
        # Of another organisation's staff nothing is told, not even that they are there.
        raise NotFound(f"no member of staff {spelt} here")
    require_registrar(session, actor, account.organisation)
    if not account.is_active:
        raise Conflict("the account is closed")
    return account
