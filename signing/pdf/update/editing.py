"""Put a signature's frame behind a plain file, in one incremental update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.update import writing
from signing.pdf.update.assembling import Before, with_room
from signing.pdf.update.forms import form_of
from signing.pdf.update.layout import Layout
from signing.pdf.update.syntax import NotPlain

if TYPE_CHECKING:
    from signing.pdf.frame import Frame, PageBox
    from signing.pdf.update.assembling import Objects, PlainPrepared


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
        layout = self._layout
        before = Before(layout.start, layout.table.is_stream, layout.trailer, layout.identity, layout.size)
        objects = self._objects(frame)
        return with_room(self._pdf, before, objects, digest_algorithm=digest_algorithm, reserve=reserve)

    def _objects(self, frame: Frame) -> Objects:
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
