"""Put a signature's frame behind a plain file, in one incremental update.

The signature's own dictionary comes last and its hole stands last in it, so that every offset is known
before anything is written.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from typing import IO, TYPE_CHECKING

from signing.held import feed
from signing.pdf.update import writing
from signing.pdf.update.forms import form_of
from signing.pdf.update.layout import Layout
from signing.pdf.update.syntax import NotPlain
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from signing.pdf.frame import Frame, PageBox

_RANGE_AND_CONTENTS = b"\n/ByteRange \n/Contents "
_RANGE_WIDTH = 44  # of four numbers, brackets and spaces
_CLOSING = b"\n>>\nendobj\n"
_REWRITTEN = frozenset({b"Size", b"Prev", b"ID"})  # entries of a trailer that an update states anew
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_HALF = 32  # digits of one half of a file's identity


class PlainEditing:
    """A plain PDF opened for one incremental update. Raises `NotPlain`, `UsageError` and `MalformedInput`."""

    signatures = ()  # a file with signatures is not plain
    is_certified = False

    def __init__(self, pdf: bytes) -> None:
        """Read the file's structure; it stays as it is, the update comes behind it."""
        self._pdf = pdf
        self._layout = Layout(pdf)
        self._form = form_of(self._layout)

    def field_names(self) -> frozenset[str]:
        """The names of the form fields."""
        return self._form.names

    def page_box(self, index: int) -> PageBox:
        """The visible part of a page; negative numbers count from the end. `UsageError` for no such page."""
        return self._layout.page(index).box

    def page_taken(self, index: int) -> tuple[tuple[float, float, float, float], ...]:
        """Where fields are seen on a page: nowhere, there is no form yet."""
        del index
        return ()

    def prepare(self, frame: Frame, *, digest_algorithm: str, reserve: int) -> PlainPrepared:
        """Write the update with room for `reserve` octets of CMS, and hash it."""
        pdf, layout = self._pdf, self._layout
        if digest_algorithm not in _HASHES:
            raise NotPlain
        # An update that starts right behind "%%EOF" would be a part of that comment.
        parts = [b"" if pdf.endswith((b"\n", b"\r")) else b"\n"]
        place, rows = len(pdf) + len(parts[0]), []
        for number, body in self._objects(frame):
            rows.append((number, place))
            parts.append(body)
            place += len(body)
        start = place + len(_RANGE_AND_CONTENTS) + _RANGE_WIDTH
        end = start + 2 * reserve + 2
        before, times, after = _table(layout, rows, end + len(_CLOSING))
        size = len(_CLOSING) + len(before) + times * (_HALF + 2) + len(after)
        byte_range = (b"[0 %d %d %d]" % (start, end, size)).ljust(_RANGE_WIDTH)
        parts.append(b"\n/ByteRange %b\n/Contents " % byte_range)
        head = b"".join(parts)
        digest = _HASHES[digest_algorithm]()
        feed(digest, pdf)
        digest.update(head)
        own = b"<%b>" % digest.hexdigest()[:_HALF].encode()
        tail = b"".join((_CLOSING, before, own * times, after))
        digest.update(tail)
        return PlainPrepared(digest.digest(), reserve, pdf, head, tail)

    def _objects(self, frame: Frame) -> list[tuple[int, bytes]]:
        layout, form, page = self._layout, self._form, self._layout.page(frame.page)
        if frame.field in form.names or frame.stamps or page.number in form.fields:
            raise NotPlain
        free = iter(range(layout.size, layout.size + 6))
        number = next(free) if form.number is None else form.number
        widget, signature, *pictures = free
        drawn = writing.drawing(frame.appearance, tuple(pictures[:3])) if frame.appearance else ()
        shown = drawn[0][0] if drawn else None
        root = writing.catalogue(layout.catalogue, frame, layout.version, form=number, signature=signature)
        return [
            (layout.root, b"%d 0 obj\n<<\n%b>>\nendobj\n" % (layout.root, root)),
            (
                page.number,
                b"%d 0 obj\n<<\n%b>>\nendobj\n" % (page.number, writing.page(page.entries, widget)),
            ),
            (number, b"%d 0 obj\n<<%b>>\nendobj\n" % (number, writing.form(form, widget))),
            *drawn,
            (widget, writing.widget(widget, frame, page.number, signature, shown)),
            (signature, writing.signature(signature, frame)),
        ]


class PlainPrepared:
    """An update that waits for its signature: the file, what stands before the hole, and what follows."""

    __slots__ = ("_head", "_pdf", "_tail", "digest", "reserve")

    def __init__(self, digest: bytes, reserve: int, pdf: bytes, head: bytes, tail: bytes) -> None:
        """Keep the parts; `digest` is the hash over all of them."""
        self.digest, self.reserve = digest, reserve
        self._pdf, self._head, self._tail = pdf, head, tail

    def fill(self, signature: bytes) -> bytes:
        """The finished file."""
        return b"".join((self._pdf, *self._update(signature)))

    def fill_into(self, file: IO[bytes], signature: bytes) -> None:
        """The finished file, where that begins with the file as it was."""
        file.seek(len(self._pdf))
        file.writelines(self._update(signature))

    def _update(self, signature: bytes) -> tuple[bytes, ...]:
        if len(signature) > self.reserve:
            raise Conflict("the signature is larger than the room kept for it")
        digits = hexlify(signature).ljust(2 * self.reserve, b"0")
        return self._head, b"<", digits, b">", self._tail


def _table(layout: Layout, rows: list[tuple[int, int]], place: int) -> tuple[bytes, int, bytes]:
    """The table at `place` and its trailer: up to the file's identity, how many halves, and behind it.

    ISO 32000-2, 14.4: the first half stays, the second is of this version. Where there was none, both are.
    """
    kept = b"".join([b"/%b %b" % entry for entry in layout.trailer.items() if entry[0] not in _REWRITTEN])
    half = layout.identity or b""
    free = max(rows)[0] + 1
    if layout.table.is_stream:  # a table follows one of its own kind
        rows = [*rows, (free, place)]
        head, stream = writing.table_stream(sorted(rows))
        before = b"%d 0 obj\n<</Type/XRef%b%b/Size %d/Prev %d/ID[%b" % (
            free, head, kept, free + 1, layout.start, half,
        )  # fmt: skip
        return before, 1 if half else 2, b"]>>\n%bstartxref\n%d\n%%%%EOF\n" % (stream, place)
    lines = b"".join([b"%d 1\n%010d 00000 n \n" % row for row in sorted(rows)])
    before = b"xref\n0 1\n0000000000 65535 f \n%btrailer\n<<%b/Size %d/Prev %d/ID[%b" % (
        lines, kept, free, layout.start, half,
    )  # fmt: skip
    return before, 1 if half else 2, b"]>>\nstartxref\n%d\n%%%%EOF\n" % place
