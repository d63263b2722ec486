"""How each kind of work is done by the issuer, once people have agreed to it.

    MAKERS[WorkKind.REPLACE](issuer, work, order)

A maker calls one verb of the issuer with `order.beside`, which the verb does in the transaction that records
what it did, and returns the documents that were sealed: none where nothing new is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.office.cases import WorkKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.decisions import Beside
    from credentials.issuer import Issuer
    from credentials.licence import Licence
    from credentials.office.cases import Work
    from credentials.production import IssuedLicence
    from signing.keys import PublicKey
    from yinxin.base.actor import Actor


@dataclass(frozen=True, slots=True)
class Order:
    """Who has a work done, what allowed it, the holder's key, and what is done beside it."""

    actor: Actor
    approval: str
    holder: PublicKey | None
    beside: Beside


@dataclass(frozen=True, slots=True)
class Sealed:
    """What came of a case: the licence that it made or changed, of several the first; and what was sealed."""

    licence: Licence
    issued: tuple[IssuedLicence, ...]


Maker = Callable[["Issuer", "Work", Order], "tuple[IssuedLicence, ...]"]


def _issue(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
    issued = issuer.issue(
        work.type_code,
        work.claims,
        holder=order.holder,
        actor=order.actor,
        approval=order.approval,
        beside=order.beside,
    )
    return (issued,)


def _follow(verb: str) -> Maker:
    """A next version of the one licence, by the issuer's verb of this name."""

    def make(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
        issued: IssuedLicence = getattr(issuer, verb)(
            work.licence,
            work.claims,
            ground=work.ground,
            document_number=work.document_number,
            holder=order.holder,
            actor=order.actor,
            approval=order.approval,
            beside=order.beside,
        )
        return (issued,)

    return make


MAKERS: Mapping[WorkKind, Maker] = {
    WorkKind.ISSUE: _issue,
    WorkKind.REPLACE: _follow("replace"),
    WorkKind.RENEW: _follow("renew"),
}
