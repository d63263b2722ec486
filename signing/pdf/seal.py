"""Put a seal on a PDF: PAdES B-B, or B-T with a time-stamp (EN 319 142-1).

The input's bytes stay as they are and an incremental update comes behind them. The CMS is made by
`signing.cms` in one go: one signature and one time-stamp for each seal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing import cms
from signing.pdf._pyhanko import Editing
from signing.pdf.frame import Appearance, Frame
from signing.pdf.placing import in_units, rectangle, shown_size
from signing.pdf.profiles.addition import NOTHING
from signing.pdf.update import NotPlain, PlainEditing
from yinxin.base.errors import Conflict, TooLarge, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from signing.pdf.face import SealFace
    from signing.pdf.frame import PageBox, Prepared, Stamp
    from signing.pdf.profiles.addition import Addition
    from signing.signer import Signer
    from signing.timestamp import Timestamper

MAX_PDF_BYTES = 64 << 20
MARGIN = 36.0  # points between a face without a stated place and the page's edges
FIRST_TOKEN_ROOM, SPARE_ROOM, MAX_SIGNATURE_BYTES = 6 * 1024, 512, 128 * 1024


class Seal:
    """Seals PDFs with one key."""

    def __init__(
        self,
        signer: Signer,
        *,
        face: SealFace | None = None,
        timestamper: Timestamper | None = None,
        certify: bool = True,
        room_for_timestamp: bool = False,
    ) -> None:
        """Keep the signer, the picture (None seals invisibly) and where time-stamps come from.

        `room_for_timestamp` leaves room for one that follows (`signing.pdf.stamp_last`).
        With `certify` the first signature of a document certifies it: afterwards only form fields may
        be filled and further signatures added (DocMDP level 2).
        """
        self._signer = signer
        self._face = face
        self._timestamper = timestamper
        self._certify = certify
        self._has_room = timestamper is not None or room_for_timestamp
        self._room = (cms.size_bound(signer) if signer.chain else 0) + FIRST_TOKEN_ROOM

    @property
    def face(self) -> SealFace | None:
        """The picture that it shows, None for a seal without one."""
        return self._face

    def apply(  # noqa: PLR0913 - what is asked of one seal, all by name
        self,
        pdf: bytes,
        *,
        now: datetime,
        page: int = -1,
        at: tuple[float, float] | None = None,
        reason: str | None = None,
        location: str | None = None,
        field: str | None = None,
        addition: Addition = NOTHING,
    ) -> bytes:
        """The sealed document; `pdf` is a prefix of it.

        `page` counts from 0, from the end when negative. `at` is the place of the face's lower left
        corner in points from the lower left corner of the page as it is shown; without it the face
        stands at the lower right. `field` names a new signature field or an empty one that is there.
        `addition` is what a profile adds (`signing.pdf.profiles`).
        Raises `MalformedInput` for what is no PDF that can be sealed, `UsageError` for a page or place
        that does not exist, `Conflict` when an earlier signature forbids another one, and what the
        signer and the time-stamp authority raise.
        """
        if len(pdf) > MAX_PDF_BYTES:
            raise TooLarge("pdf", f"over {MAX_PDF_BYTES} bytes")
        digest_algorithm = cms.cms_digest(self._signer.algorithm)
        reserve = self._room if self._has_room else cms.size_bound(self._signer)

        added, said = addition.reason_for(reason)
        reserve += added.room
        stamps: tuple[Stamp, ...] = ()

        def prepare(editing: PlainEditing | Editing) -> Prepared:
            box, certify = editing.page_box(page), self._certifies(editing)
            if added.is_certifying and not certify:
                raise Conflict("only the first signature of a document certifies it")
            shown = _appearance(self._face, box, at) if self._face else None
            name = _field_name(editing, field)
            frame = Frame(
                name, page, certify, shown, time=now, reason=said, location=location,
                permission=added.permission, stamps=stamps,
            )  # fmt: skip
            return editing.prepare(frame, digest_algorithm=digest_algorithm, reserve=reserve)

        try:
            prepared = prepare(_plain(pdf, added))
        except NotPlain:
            editing = Editing(pdf)
            stamps = added.stamps(editing.page_boxes() if added.across else ())
            prepared = prepare(editing)
        attributes = added.attributes(straddles=len(stamps))
        stamp = self._stamp if self._timestamper else None
        signature = cms.sign(self._signer, prepared.digest, attributes=attributes, stamp=stamp)
        if self._timestamper:
            self._room = max(len(signature) + SPARE_ROOM, cms.size_bound(self._signer))
        if len(signature) <= reserve:
            return prepared.fill(signature)
        if len(signature) > MAX_SIGNATURE_BYTES:
            raise TooLarge("timestamp", f"a signature over {MAX_SIGNATURE_BYTES} bytes")
        # The authority's tokens are larger than any before: there is room for them now, so once more.
        return self.apply(
            pdf, now=now, page=page, at=at, reason=reason, location=location, field=field, addition=addition
        )

    def _stamp(self, signature: bytes) -> bytes:
        assert self._timestamper is not None  # noqa: S101 - only handed over when there is one
        return self._timestamper.stamp(cms.hash_with("sha256", signature), digest_algorithm="sha256")

    def _certifies(self, editing: PlainEditing | Editing) -> bool:
        found = editing.signatures
        if any(item.permission == 1 for item in found):
            raise Conflict("an earlier signature forbids any further one (DocMDP level 1)")
        return self._certify and not found and not editing.is_certified


def _plain(pdf: bytes, added: Addition) -> PlainEditing:
    if added.needs_whole_writer:
        raise NotPlain
    return PlainEditing(pdf)


def _field_name(editing: PlainEditing | Editing, wanted: str | None) -> str:
    names = editing.field_names()
    if wanted is None:
        return next(name for number in range(1, len(names) + 2) if (name := f"Seal{number}") not in names)
    if not wanted or "." in wanted or len(wanted) > 120:
        raise UsageError("a field's name has 1 to 120 characters and no full stop")
    if any(item.field == wanted for item in editing.signatures):
        raise Conflict(f"the signature field {wanted!r} is signed already")
    return wanted


def _appearance(face: SealFace, box: PageBox, at: tuple[float, float] | None) -> Appearance:
    shown_width, shown_height = shown_size(box)
    width, height = in_units(box, face.width_mm), in_units(box, face.height_mm)
    if at is None:
        x, y = max(shown_width - width - MARGIN, 0), min(MARGIN, max(shown_height - height, 0))
    else:
        x, y = at
    fits = x >= 0 and y >= 0 and x + width <= shown_width + 0.01 and y + height <= shown_height + 0.01
    if not fits:
        raise UsageError(
            f"the face does not fit the page of {shown_width:.0f} x {shown_height:.0f} points there"
        )
    return Appearance(face.picture, rectangle(box, x, y, width, height), width, height, box.rotate)
