"""An agent's licences are shown beside the delegation that they were given under, or not at all.

Whether a request can be answered that way, and with which delegation, is settled here before the holder is
asked; what a verifier makes of it is its own business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credentials.vocabulary import DELEGATION, DELEGATION_VCT
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wallet.copies import ReadCopy
    from wallet.picks import Holding, Pick

Found = dict[str, "list[Pick]"]


@dataclass(frozen=True, slots=True)
class Marks:
    """Which delegation each licence of the wallet was given under, and which credentials are delegations.

    Both by the wallet's id of the licence.
    """

    licences: Mapping[str, str]
    delegations: Mapping[str, str]


def delegations_of(copies: Iterable[tuple[Holding, ReadCopy]]) -> Marks:
    """What the credentials say of it."""
    licences: dict[str, str] = {}
    delegations: dict[str, str] = {}
    for one, copy in copies:
        name = copy.claims.get(DELEGATION)
        if isinstance(name, str):
            is_own = copy.type == DELEGATION_VCT
            (delegations if is_own else licences)[one.licence] = name
    return Marks(licences, delegations)


def showable(found: Found, marks: Marks) -> Found:
    """Without agents' licences whose delegation nobody asks for; the holder's own stand first."""
    shown = {
        marks.delegations[pick.licence]
        for picks in found.values()
        for pick in picks
        if pick.licence in marks.delegations
    }
    return {
        name: sorted(
            (pick for pick in picks if marks.licences.get(pick.licence, "") in {"", *shown}),
            key=lambda pick: pick.licence in marks.licences,
        )
        for name, picks in found.items()
    }


def beside_delegations(picks: list[Pick], found: Found, marks: Marks) -> list[Pick]:
    """The picks, with the delegations of those that are an agent's, and without any that none needs.

    `UsageError` when they would stand under several delegations: a request is answered for one holder.
    """
    needed = {marks.licences[pick.licence] for pick in picks if pick.licence in marks.licences}
    kept = [pick for pick in picks if pick.licence not in marks.delegations]
    if not needed:
        return kept or picks  # a delegation alone may be asked for, too
    if len(needed) > 1:
        raise UsageError("these licences are held under several delegations: choose those of one")
    (name,) = needed
    for every in found.values():
        for pick in every:
            if marks.delegations.get(pick.licence) == name:
                return [*kept, replace(pick, others=())]
    raise UsageError("the delegation of a licence that was chosen is not asked for")
