"""Put a seal on a PDF: PAdES B-B, or B-T with a time-stamp (EN 319 142-1).

The input's bytes stay as they are and an incremental update comes behind them. The CMS is made by
`signing.cms` in one go: one signature and one time-stamp for each seal.
"""

from __future__ import annotations

from copy import copy
from os import SEEK_END
from typing import IO, TYPE_CHECKING, Any

from signing import cms
from signing.held import HeldFile
from signing.pdf.preparing import Wish, prepare_update
from signing.pdf.profiles.addition import NOTHING
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from datetime import datetime

    from signing.pdf.face import SealFace
    from signing.pdf.frame import Prepared
    from signing.pdf.profiles.addition import Addition
    from signing.signer import Signer
    from signing.timestamp import Timestamper

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
        self._bound = cms.size_bound(signer) if signer.chain else 0
        self._room = self._bound + FIRST_TOKEN_ROOM

    @property
    def face(self) -> SealFace | None:
        """The picture that it shows, None for a seal without one."""
        return self._face

    def with_face(self, face: SealFace | None) -> Seal:
        """The same seal with another picture, or without one."""
        other = copy(self)
        other._face = face  # noqa: SLF001 - of this class
        return other

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
        wish = Wish(now, page, at, reason, location, field, addition, self._face, self._certify)
        prepared, signature = self._signed(pdf, wish)
        return prepared.fill(signature)

    def apply_in(self, file: IO[bytes], *, now: datetime, **asked: Any) -> None:
        """Seal the PDF that is in a file, in place; little of it is in memory at a time.

        `file` is open for reading and writing, nobody else has it, and what is asked is as of `apply`. Raises
        as `apply` does; what was in the file is its beginning still.
        """
        file.flush()
        pdf = HeldFile.of(file, file.seek(0, SEEK_END))
        wish = Wish(now, face=self._face, certify=self._certify, **asked)
        prepared, signature = self._signed(pdf, wish)
        prepared.fill_into(file, signature)
        file.flush()

    def _signed(self, pdf: bytes | HeldFile, wish: Wish) -> tuple[Prepared, bytes]:
        """The update and the signature that fits into it."""
        signer = self._signer
        prepared, attributes = prepare_update(
            pdf, wish, digest_algorithm=cms.cms_digest(signer.algorithm),
            reserve=self._room if self._has_room else self._bound,
        )  # fmt: skip
        stamp = self._stamp if self._timestamper else None
        signature = cms.sign(signer, prepared.digest, attributes=attributes, stamp=stamp)
        if self._timestamper:
            self._room = max(len(signature) + SPARE_ROOM, self._bound)
        if len(signature) <= prepared.reserve:
            return prepared, signature
        if len(signature) > MAX_SIGNATURE_BYTES:
            raise TooLarge("timestamp", f"a signature over {MAX_SIGNATURE_BYTES} bytes")
        # The authority's tokens are larger than any before: there is room for them now, so once more.
        return self._signed(pdf, wish)

    def _stamp(self, signature: bytes) -> bytes:
        assert self._timestamper is not None  # noqa: S101 - only handed over when there is one
        return self._timestamper.stamp(cms.hash_with("sha256", signature), digest_algorithm="sha256")
