"""Write everything of one more signature but the signature: its field, its face, and the room for it.

Writers of our own do that where the file's structure is plain or orderly (`signing.pdf.update`), and
pyHanko's everywhere else; the first one that can is taken.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from signing.held import HeldFile
from signing.pdf.frame import Appearance, Frame
from signing.pdf.placing import covers, free_place, in_units, rectangle, shown_size
from signing.pdf.profiles.addition import NOTHING
from signing.pdf.profiles.straddle import straddle
from signing.pdf.update import NotPlain, PlainEditing
from signing.pdf.writers import by_first
from yinxin.base.errors import Conflict, TooLarge, UsageError
from yinxin.base.files import MAX_FILE_BYTES

if TYPE_CHECKING:
    from datetime import datetime

    from signing.pdf.face import SealFace
    from signing.pdf.frame import PageBox, Prepared, Stamp
    from signing.pdf.placing import Rectangle
    from signing.pdf.profiles.addition import Addition
    from signing.pdf.writers import Editing

MAX_PDF_BYTES = 64 << 20
MOST = 0.5  # how much of another annotation a face covers at most on a certified document


class Wish(NamedTuple):
    """What is asked of one signature: see `Seal.apply`. `time` is when it is made."""

    time: datetime
    page: int = -1
    at: tuple[float, float] | None = None
    reason: str | None = None
    location: str | None = None
    field: str | None = None
    addition: Addition = NOTHING
    face: SealFace | None = None
    certify: bool = True


def prepare_update(
    pdf: bytes | HeldFile, wish: Wish, *, digest_algorithm: str, reserve: int
) -> tuple[Prepared, tuple[bytes, ...]]:
    """The update with room for `reserve` octets of CMS, and the signed attributes that the wish adds to it.

    Those have room of their own. A file that is held (`signing.held`) may be larger. Raises as `Seal.apply`.
    """
    limit = MAX_FILE_BYTES if isinstance(pdf, HeldFile) else MAX_PDF_BYTES
    if len(pdf) > limit:
        raise TooLarge("pdf", f"over {limit} bytes")
    if wish.addition is not NOTHING:
        addition, reason = wish.addition.reason_for(wish.reason)
        wish = wish._replace(addition=addition, reason=reason)
        reserve += addition.room
    across = wish.addition.across
    if across is None:
        try:
            plain = PlainEditing(cast("bytes", pdf))  # a held file answers as octets do
            return _prepared(plain, wish, (), digest_algorithm, reserve)
        except NotPlain:
            pass

    def work(editing: Editing) -> tuple[Prepared, tuple[bytes, ...]]:
        if across is not None and editing.signatures:
            # Slices on the pages are content: an earlier signature covers those pages without them.
            raise Conflict("a straddle seal comes with the first signature: later it would change the pages")
        stamps = straddle(across, editing.page_boxes()) if across else ()
        return _prepared(editing, wish, stamps, digest_algorithm, reserve)

    return by_first(pdf, work)


def _prepared(
    editing: Editing | PlainEditing,
    wish: Wish,
    stamps: tuple[Stamp, ...],
    digest_algorithm: str,
    reserve: int,
) -> tuple[Prepared, tuple[bytes, ...]]:
    frame, addition = _frame(editing, wish, stamps), wish.addition
    prepared = editing.prepare(frame, digest_algorithm=digest_algorithm, reserve=reserve)
    return prepared, addition.attributes(straddles=len(stamps)) if addition is not NOTHING else ()


def _frame(editing: Editing | PlainEditing, wish: Wish, stamps: tuple[Stamp, ...]) -> Frame:
    box, certify = editing.page_box(wish.page), _may_certify(editing) and wish.certify
    if wish.addition.is_certifying and not certify:
        raise Conflict("only the first signature of a document certifies it")
    return Frame(
        _field_name(editing, wish.field),
        wish.page,
        certify,
        _shown(editing, wish, box) if wish.face else None,
        wish.time,
        wish.reason,
        wish.location,
        wish.addition.permission,
        stamps,
    )


def _may_certify(editing: Editing | PlainEditing) -> bool:
    found = editing.signatures
    if found and any(item.permission == 1 for item in found):
        raise Conflict("an earlier signature forbids any further one (DocMDP level 1)")
    return not found and not editing.is_certified


def _field_name(editing: Editing | PlainEditing, wanted: str | None) -> str:
    names = editing.field_names()
    if wanted is None:
        number = 1
        while (name := f"Seal{number}") in names:
            number += 1
        return name
    if not wanted or "." in wanted or len(wanted) > 120:
        raise UsageError("a field's name has 1 to 120 characters and no full stop")
    if any(item.field == wanted for item in editing.signatures):
        raise Conflict(f"the signature field {wanted!r} is signed already")
    return wanted


def _shown(editing: Editing | PlainEditing, wish: Wish, box: PageBox) -> Appearance:
    waits = wish.field is not None and wish.field in editing.field_names()
    taken = () if waits else editing.page_taken(wish.page)
    assert wish.face is not None  # noqa: S101 - asked by the caller
    shown = _appearance(wish.face, box, wish.at, taken)
    if editing.is_certified and any(covers(shown.rectangle, other) > MOST for other in taken):
        raise Conflict("the face would lie over a seal or field that is there: say where else it stands")
    return shown


@lru_cache(maxsize=16)
def _appearance(
    face: SealFace, box: PageBox, at: tuple[float, float] | None, taken: tuple[Rectangle, ...]
) -> Appearance:
    across, along = shown_size(box)
    width, height = in_units(box, face.width_mm), in_units(box, face.height_mm)
    x, y = free_place(box, (width, height), taken) if at is None else at
    fits = x >= 0 and y >= 0 and x + width <= across + 0.01 and y + height <= along + 0.01
    if not fits:
        raise UsageError(f"the face does not fit the page of {across:.0f} x {along:.0f} points there")
    return Appearance(face.picture, rectangle(box, x, y, width, height), width, height, box.rotate)
