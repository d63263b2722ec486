"""A new file that shows the pages of another one, with a note on each, and may carry that file inside.

Nothing that acts comes along: of annotations only their looks (a seal becomes a picture of it), of the
catalogue only what decides how pages look. Forms, signatures, links, scripts and embedded files stay in the
original.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import PdfFileWriter, _ObjectImporter

from signing.pdf._pyhanko.drawing import Drawing, in_hex, stamp_annotation
from signing.pdf._pyhanko.parser import get, items, translated
from signing.pdf._pyhanko.writing import inherited
from signing.pdf.drawn import LOCKED
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from signing.pdf._pyhanko.writing import Editing
    from signing.pdf.frame import Stamp

MAX_ANNOTATIONS = 1_000  # of one page
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_PAGE = ("/Contents", "/UserUnit", "/Group")
_CATALOGUE = ("/OCProperties", "/OutputIntents", "/Lang")
_LOOKS = ("/Rect", "/AP", "/AS", "/OC")
# ISO 32000-2, table 167: invisible, hidden, not viewed
_UNSEEN = 1 | 2 | 32


def write_copy(
    editing: Editing, notes: Sequence[Stamp], *, inside: tuple[str, bytes] | None, identity: bytes
) -> bytes:
    """The copy: one note for each page, in their order; `inside` is the name and content of a file in it.

    `identity` are 16 octets by which the new file is known (ISO 32000-2, 14.4).
    """
    with translated():
        source = editing.writer
        writer = _CopyWriter(stream_xrefs=False)
        importer = _ObjectImporter(source, writer, {}, None)
        drawing = Drawing(writer)
        pages = writer.root["/Pages"]
        for number, note in enumerate(notes):
            page, _ = source.find_page_for_modification(number)
            shown = _page(importer, page.get_object())
            annotation = stamp_annotation(note, drawing, name=f"Copy-{number + 1}")
            shown[pdf_name("/Annots")].append(writer.add_object(annotation))
            shown[pdf_name("/Parent")] = writer.root.raw_get("/Pages")
            pages["/Kids"].append(writer.add_object(shown))
        pages[pdf_name("/Count")] = generic.NumberObject(len(notes))
        for key in _CATALOGUE:
            if key in source.root:
                writer.root[pdf_name(key)] = importer.import_object(source.root.raw_get(key))
        if inside is not None:
            _embed(writer, *inside)
        out = io.BytesIO()
        writer.identify(identity)
        writer.write(out)
        return out.getvalue()


class _CopyWriter(PdfFileWriter):
    """Writes a new file and reads no clock."""

    def _update_meta(self) -> None:
        pass

    def identify(self, identity: bytes) -> None:
        """The file's identifier (ISO 32000-2, 14.4), which is no random number here."""
        half = generic.ByteStringObject(identity)
        self._document_id = generic.ArrayObject([half, half])


def _page(importer: Any, page: Any) -> generic.DictionaryObject:
    """A page with what decides how it looks; what it inherits stands in it."""
    shown = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Page")})
    for key in _INHERITED:
        found = inherited(page, key)
        if found is not None:
            shown[pdf_name(key)] = importer.import_object(found)
    for key in _PAGE:
        if key in page:
            shown[pdf_name(key)] = importer.import_object(page.raw_get(key))
    looks = [importer.target.add_object(importer.import_object(one)) for one in _looks(get(page, "/Annots"))]
    shown[pdf_name("/Annots")] = generic.ArrayObject(looks)
    return shown


def _looks(annotations: Any) -> Iterator[generic.DictionaryObject]:
    """The annotations that are seen, as pictures of themselves."""
    for number, one in enumerate(items(annotations)):
        if number == MAX_ANNOTATIONS:
            raise TooLarge("pdf", f"a page with more than {MAX_ANNOTATIONS} annotations")
        flags = int(get(one, "/F", 0))
        if get(get(one, "/AP"), "/N") is None or flags & _UNSEEN or get(one, "/Subtype") == "/Popup":
            continue
        kept = {pdf_name(key): one.raw_get(key) for key in _LOOKS if key in one}
        yield generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Stamp"),
                pdf_name("/F"): generic.NumberObject(LOCKED),
                **kept,
            }
        )


def _embed(writer: Any, name: str, data: bytes) -> None:
    stream = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/EmbeddedFile"),
            pdf_name("/Subtype"): pdf_name("/application/pdf"),
            pdf_name("/Params"): generic.DictionaryObject(
                {pdf_name("/Size"): generic.NumberObject(len(data))}
            ),
        },
        stream_data=data,
    )
    file = writer.add_object(stream)
    specification = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Filespec"),
                pdf_name("/F"): generic.pdf_string(name),
                pdf_name("/UF"): in_hex(name),
                pdf_name("/AFRelationship"): pdf_name("/Source"),
                pdf_name("/EF"): generic.DictionaryObject({pdf_name("/F"): file, pdf_name("/UF"): file}),
            }
        )
    )
    names = generic.ArrayObject([generic.pdf_string(name), specification])
    tree = generic.DictionaryObject({pdf_name("/Names"): names})
    writer.root[pdf_name("/Names")] = generic.DictionaryObject({pdf_name("/EmbeddedFiles"): tree})
    writer.root[pdf_name("/AF")] = generic.ArrayObject([specification])
