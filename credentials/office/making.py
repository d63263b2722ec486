"""How each kind of work is done by the issuer, once people have agreed to it.

    make = MAKERS[work.kind]
    documents = make(issuer, work, order)

A maker calls one verb of the issuer with `order.beside`, which the verb does in the transaction that records
what it did, and returns the documents that were sealed: none where nothing new is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.office.cases import WorkKind
from credentials.office.details import read_details
from yinxin.base.errors import UsageError

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


def _change(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
    since = read_details(work).effective_from
    issued = issuer.change(
        _named(work),
        work.claims,
        effective_from=since,
        holder=order.holder,
        beside=order.beside,
        **_decided(work, order),
    )
    return (issued,)


def _merge(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
    issued = issuer.merge(
        work.licences,
        work.claims,
        type_code=work.type_code,
        into=read_details(work).into,
        holder=order.holder,
        beside=order.beside,
        **_decided(work, order),
    )
    return (issued,)


def _split(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
    """The holder's key is that of the first part."""
    details = read_details(work)
    issued = issuer.split(
        _named(work),
        [work.claims, *details.parts],
        goes_on=details.goes_on,
        holders=[order.holder, *(None for _ in details.parts)],
        beside=order.beside,
        **_decided(work, order),
    )
    return tuple(issued)


def _happen(verb: str) -> Maker:
    """A pause or its end: nothing is sealed."""

    def make(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
        details = read_details(work)
        getattr(issuer, verb)(
            work.licence,
            effective_from=details.effective_from,
            cause=details.cause,
            beside=order.beside,
            **_decided(work, order),
        )
        return ()

    return make


def _end(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
    details = read_details(work)
    if details.ending is None:
        raise UsageError("an ending has its legal kind")
    issuer.end(
        _named(work),
        details.ending,
        effective_from=details.effective_from,
        cause=details.cause,
        beside=order.beside,
        **_decided(work, order),
    )
    return ()


def _undo(issuer: Issuer, work: Work, order: Order) -> tuple[IssuedLicence, ...]:
    details = read_details(work)
    if details.event is None:
        raise UsageError("an undoing names the event that it takes back")
    issuer.undo(_named(work), details.event, beside=order.beside, **_decided(work, order))
    return ()


def _named(work: Work) -> str:
    if work.licence is None:
        raise UsageError("the work names no licence")
    return work.licence


def _decided(work: Work, order: Order) -> dict[str, Any]:
    return {
        "ground": work.ground,
        "document_number": work.document_number,
        "actor": order.actor,
        "approval": order.approval,
    }


MAKERS: Mapping[WorkKind, Maker] = {
    WorkKind.ISSUE: _issue,
    WorkKind.REPLACE: _follow("replace"),
    WorkKind.RENEW: _follow("renew"),
    WorkKind.CORRECT: _follow("correct"),
    WorkKind.CHANGE: _change,
    WorkKind.MERGE: _merge,
    WorkKind.SPLIT: _split,
    WorkKind.SUSPEND: _happen("suspend"),
    WorkKind.RESUME: _happen("resume"),
    WorkKind.END: _end,
    WorkKind.UNDO: _undo,
}
