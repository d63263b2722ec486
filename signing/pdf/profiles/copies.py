"""The copy seal (副本章) on an annotated copy (加注件): who made it, when and for what, of which original.

    document = verify(original, trust, revocation=revocation, now=now).require()
    copy = seal_copy(Seal(clerk), original, document, maker="档案馆", purpose="备查", note=note, now=now)

The copy is a new file: its pages look like the original's, with a note on each, and it is certified by its
maker. The seals on it are pictures. The original lies inside, or is named by its digest alone; the copy
proves what its maker says, the original proves itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from signing.pdf import _pyhanko
from signing.pdf.frame import Stamp
from signing.pdf.placing import in_units, rectangle, shown_size
from signing.pdf.profiles.addition import Addition
from signing.pdf.profiles.judging import ORIGINAL
from signing.pdf.profiles.statement import Copy, Statement, statement_attribute
from yinxin.base.errors import TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Unpack

    from signing.pdf.evidence import VerifiedDocument
    from signing.pdf.face import SealFace
    from signing.pdf.profiles.kinds import Asked
    from signing.pdf.seal import Seal

MAX_INSIDE_BYTES = 32 << 20  # what verification reads of embedded files
MARGIN_MM = 8.0


def seal_copy(  # noqa: PLR0913 - what is said of one copy, all by name
    seal: Seal,
    pdf: bytes,
    document: VerifiedDocument,
    *,
    maker: str,
    purpose: str,
    note: SealFace,
    now: datetime,
    embeds: bool = True,
    **asked: Unpack[Asked],
) -> bytes:
    """A sealed copy of a document that was verified; `note` is the picture on every page, upper right.

    With `embeds` the original lies inside as `original.pdf`. `UsageError` unless `document` is the evidence
    of this very file, or where the note does not fit a page; `TooLarge` for an original that would
    not be read again from the inside.
    """
    original = hashlib.sha256(pdf).hexdigest()
    if document.pdf_digest != original:
        raise UsageError("the evidence is that of another document")
    if embeds and len(pdf) > MAX_INSIDE_BYTES:
        raise TooLarge("pdf", f"an original over {MAX_INSIDE_BYTES} bytes is named, not embedded")
    made = now.replace(microsecond=0)
    statement = Statement(copy=Copy(original, embeds, maker, made, purpose))
    statement_attribute(statement)  # what cannot be stated stops here
    text = f"加注件 Copy: {maker}, {made:%Y-%m-%d}, {purpose}"
    editing = _pyhanko.Editing(pdf)
    copy = _pyhanko.write_copy(
        editing,
        tuple(_notes(editing, note, text)),
        inside=(ORIGINAL, pdf) if embeds else None,
        identity=bytes.fromhex(original)[:16],
    )
    addition = Addition("copy", statement=statement, is_certifying=True)
    return seal.apply(copy, now=now, addition=addition, **asked)


def _notes(editing: _pyhanko.Editing, note: SealFace, text: str) -> Iterator[Stamp]:
    for page, box in enumerate(editing.page_boxes()):
        width, height = in_units(box, note.width_mm), in_units(box, note.height_mm)
        margin, (across, along) = in_units(box, MARGIN_MM), shown_size(box)
        if width + 2 * margin > across or height + 2 * margin > along:
            raise UsageError(f"the note does not fit page {page + 1}")
        place = rectangle(box, across - width - margin, along - height - margin, width, height)
        yield Stamp(page, note.picture, place, width, height, box.rotate, text)
