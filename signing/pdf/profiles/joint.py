"""Joint signing (联合签署): several sign one document, in an order that is stated beforehand.

`prepare_joint` makes an empty field for each, and writes down what each signature will lock: every field but
those of the later signers (FieldMDP, ISO 32000-2, 12.8.2.4). `sign_jointly` signs the next field, and only
that one; each signer also signs the order itself, so that a verifier sees who came out of turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.pdf.frame import NewField
from signing.pdf.placing import in_units, rectangle, shown_size
from signing.pdf.profiles.addition import Addition
from signing.pdf.profiles.statement import MAX_ORDER, Statement
from signing.pdf.writers import by_first
from yinxin.base.errors import Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Unpack

    from signing.pdf.profiles.kinds import Shown
    from signing.pdf.seal import Seal
    from signing.pdf.writers import Editing

MAX_NAME_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Place:
    """One signer's field: its name, its page, its lower left corner in points, its size in millimetres.

    Without `at` it shows nothing.
    """

    name: str
    page: int = -1
    at: tuple[float, float] | None = None
    width_mm: float = 42
    height_mm: float = 42


def prepare_joint(pdf: bytes, signers: Sequence[Place], *, left_open: tuple[str, ...] = ()) -> bytes:
    """The document with an empty signature field for each signer, in their order; `pdf` is a prefix of it.

    `left_open` are names of fields that nobody's signature locks, for those who confirm it afterwards.
    `Conflict` for a document that somebody signed already.
    """
    names = [one.name for one in signers]
    _check_names([*names, *left_open])
    if not 2 <= len(names) <= MAX_ORDER:
        raise UsageError(f"2 to {MAX_ORDER} sign jointly")

    def work(editing: Editing) -> bytes:
        if editing.signatures:
            raise Conflict("the order is stated before anybody signs")
        taken = editing.field_names() & set(names)
        if taken:
            raise Conflict(f"there are fields of these names already: {', '.join(sorted(taken))}")
        return editing.add_fields(
            NewField(one.name, one.page, _rectangle(editing, one), (*names[number + 1 :], *left_open))
            for number, one in enumerate(signers)
        )

    return by_first(pdf, work)


def order_of_signing(pdf: bytes) -> tuple[tuple[str, bool], ...]:
    """The names of a joint signing in their order, and whether each signed; nothing for other files."""
    return by_first(pdf, _order)


def sign_jointly(seal: Seal, pdf: bytes, *, field: str, now: datetime, **asked: Unpack[Shown]) -> bytes:
    """The document signed in `field`, whose turn it has to be.

    `NotFound` when no joint signing knows that field, `Conflict` for whoever signs out of turn or twice.
    """
    order = order_of_signing(pdf)
    names = [name for name, _ in order]
    if field not in names:
        raise NotFound(f"no joint signing of this document has a field {field!r}")
    waiting = [name for name, is_signed in order if not is_signed]
    if field not in waiting:
        raise Conflict(f"{field!r} is signed already")
    if waiting != names[-len(waiting) :]:
        raise Conflict("somebody signed out of turn")
    if field != waiting[0]:
        raise Conflict(f"it is the turn of {waiting[0]!r}")
    addition = Addition("approval", statement=Statement(order=tuple(names)))
    return seal.apply(pdf, now=now, field=field, addition=addition, **asked)


def _order(editing: Editing) -> tuple[tuple[str, bool], ...]:
    """Fields whose locks make a chain: each leaves open exactly the later ones, and what all leave open."""
    found = editing.locking_fields()
    found.sort(key=lambda one: -len(one.leaves_open))
    names = {one.name for one in found}
    for number, one in enumerate(found):
        if one.leaves_open & names != {later.name for later in found[number + 1 :]}:
            return ()
    return tuple((one.name, one.is_signed) for one in found) if len(found) > 1 else ()


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not name or "." in name or len(name) > MAX_NAME_CHARACTERS:
            raise UsageError(f"a field's name has 1 to {MAX_NAME_CHARACTERS} characters and no full stop")
    if len(set(names)) != len(names):
        raise UsageError("two signers have one name")


def _rectangle(editing: Editing, one: Place) -> tuple[float, float, float, float] | None:
    box = editing.page_box(one.page)
    if one.at is None:
        return None
    (x, y), (across, along) = one.at, shown_size(box)
    width, height = in_units(box, one.width_mm), in_units(box, one.height_mm)
    if min(x, y, width, height) < 0 or x + width > across or y + height > along:
        raise UsageError(f"the field {one.name!r} does not fit the page of {across:.0f} x {along:.0f} points")
    return rectangle(box, x, y, width, height)
