"""Updates behind a signature after which some reader shows another thing: each was drawn by five readers.

The objects are those of `world.pdf_paper`. Beside each stands who shows it (September 2026's pdf.js, PDFium
and MuPDF, Debian 12's poppler and Ghostscript).
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from world.pdf_paper import (
    HEAD,
    RFC3161,
    ROOM,
    SLOT,
    Body,
    Paper,
    _reference_stream,
    encoded,
    filled,
    last_table,
    one_page,
    revised,
    stream,
)
from world.pdf_rich import ANNOTATION, drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

GOOD, EVIL = (stream(b"BT /F1 24 Tf 72 700 Td (%b) Tj ET" % word) for word in (b"GOOD", b"EVIL"))
HIDDEN = b"11 0 obj\n%b\nendobj\n" % EVIL
FONT = b"<< /Font << /F1 3 0 R >> >>"
LETTERS = b"(/F1 24 Tf 0 g)"


def prepared(before: bytes = HIDDEN, **page: bytes) -> Paper:
    """A page in whose signed part another content lies, in no table: a reader that repairs shows it."""
    paper = Paper()
    paper.write({10: paper.entry(10, **page), 11: GOOD})
    return paper.write({5: b"<< >>"}, before=before)


def behind(paper: Paper, rows: bytes, objects: bytes = b"", trailer: bytes = b"") -> Paper:
    """An update with a table as it is given."""
    start = len(paper.pdf) + len(objects)
    paper.pdf += objects + b"xref\n%btrailer\n<< /Size 100 /Root 1 0 R /Prev %d %b >>\n" % (
        rows, last_table(paper.pdf) or 0, trailer,
    )  # fmt: skip
    paper.pdf += b"startxref\n%d\n%%%%EOF\n" % start
    return paper


def table_as_object(paper: Paper, number: int, data: bytes, entries: bytes) -> Paper:
    """An update that is one stream of references, as it is given."""
    start, previous = len(paper.pdf), last_table(paper.pdf) or 0
    more = b"/Type /XRef /Size 100 /Root 1 0 R /Prev %d %b" % (previous, entries)
    body = b"%d 0 obj\n%b\nendobj\n" % (number, stream(data, more))
    paper.pdf += body + b"startxref\n%d\n%%%%EOF\n" % start
    return paper


def covered(pdf: bytes) -> int:
    """Where the bytes of the first signature end."""
    found = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+) *\]", pdf)
    assert found is not None
    return int(found[2]) + int(found[3])


def stamp_of(desk: Desk) -> Callable[[bytes], bytes]:
    from hashlib import sha256  # noqa: PLC0415 - only here

    return lambda signed: desk.tsa.stamp(sha256(signed).digest())


def in_use_at_zero(desk: Desk) -> Paper:
    """Ghostscript; poppler when something refers to the object."""
    paper = prepared(Resources=b"<< /Font << /F1 3 0 R /F2 99 0 R >> >>").sign(desk.agency)
    return behind(paper, b"99 1\n0000000000 00000 n \n")


def information_at_zero(desk: Desk) -> Paper:
    """Poppler: it reads the information when it opens a file."""
    return behind(prepared().sign(desk.agency), b"99 1\n0000000000 00000 n \n", trailer=b"/Info 99 0 R")


def entries_of_19_octets(desk: Desk) -> Paper:
    """PDFium."""
    return _entries(desk, b"%010d 00000 n\n")


def entries_of_21_octets(desk: Desk) -> Paper:
    """MuPDF."""
    return _entries(desk, b"%010d 00000 n  \n")


def _entries(desk: Desk, row: bytes) -> Paper:
    paper = prepared().sign(desk.agency)
    at, objects = len(paper.pdf), b"90 0 obj\nnull\nendobj\n91 0 obj\nnull\nendobj\n"
    return behind(paper, b"90 2\n" + row % at + row % (at + 21), objects)


def written(
    desk: Desk, *, layout: str = "table", update: str = "table", **words: tuple[bytes, bytes]
) -> Paper:
    """Evidence behind what was prepared; words of the update are written otherwise."""
    paper = Paper(layout=layout)
    paper.write({11: GOOD}).write({5: b"<< >>"}, before=HIDDEN).sign(desk.agency)
    start = len(paper.pdf)
    changes: dict[int, Body] = {200: b"<< /Certs [201 0 R] >>", 201: stream(b"a")}
    paper.write({**changes, 1: paper.entry(1, DSS=b"200 0 R")}, layout=update)
    behind = paper.pdf[start:]
    for old, new in words.values():
        assert old in behind
        behind = behind.replace(old, new)
    paper.pdf = paper.pdf[:start] + behind
    return paper


def named_twice(desk: Desk) -> Paper:
    """An object twice in one stream of references: poppler, MuPDF, pdf.js and Ghostscript take the first."""
    paper = prepared()
    evil = paper.pdf.index(HIDDEN)
    good = next(
        found.start() + 1
        for found in re.finditer(rb"\n11 0 obj\n", paper.pdf)
        if paper.pdf.startswith(GOOD, found.end())
    )
    rows = b"".join(b"\1" + place.to_bytes(4, "big") + b"\0\0" for place in (evil, good))
    entries = b"/W [1 4 2] /Index [11 1 11 1] /Filter /FlateDecode"
    return table_as_object(paper.sign(desk.agency), 98, zlib.compress(rows), entries)


def table_with_the_contents_number(desk: Desk) -> Paper:
    """MuPDF takes the table for the object of its number, and reads on behind the rows."""
    rows = bytes(7) + b"\nBT /F1 24 Tf 72 700 Td (EVIL) Tj ET"
    return table_as_object(prepared(b"\n").sign(desk.agency), 11, rows, b"/W [1 4 2] /Index [95 1]")


def table_with_a_free_number(desk: Desk) -> Paper:
    """The same; nothing has the number, and the page refers to it."""
    rows = bytes(7) + b"\nBT /F1 24 Tf 72 700 Td (EVIL) Tj ET"
    paper = prepared(b"\n", Contents=b"[11 0 R 97 0 R]").sign(desk.agency)
    return table_as_object(paper, 97, rows, b"/W [1 4 2] /Index [95 1]")


def other_generation(desk: Desk) -> Paper:
    """A reference to a generation that is not there: PDFium, MuPDF and Ghostscript follow it."""
    paper = Paper()
    contents = paper.entry(10, Contents=b"[11 0 R 12 1 R]")
    paper.write({10: contents, 11: GOOD, 12: stream(b"")}).sign(desk.agency)
    return paper.write({12: stream(b"BT /F1 24 Tf 72 600 Td (EVIL) Tj ET")})


def below_another_generation(desk: Desk) -> Paper:
    paper = Paper()
    paper.write(
        {10: paper.entry(10, Resources=b"12 1 R"), 11: GOOD, 12: b"<< /Font << /F1 13 0 R >> >>",
         13: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"}
    ).sign(desk.agency)  # fmt: skip
    return paper.write({13: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"})


def note_of_another_generation(desk: Desk) -> Paper:
    paper = Paper()
    note = b"<< %b /Subtype /Stamp /Rect [72 300 400 400] /AP << /N %d 0 R >> >>"
    paper.write(
        {
            2: paper.entry(2, Kids=b"[10 0 R 14 0 R]", Count=b"2"),
            14: paper.entry(10, Annots=b"[92 1 R]"),
            92: note % (ANNOTATION, 93),
            93: drawn(b"GOOD"),
        }
    ).sign(desk.agency)
    return paper.write({92: note % (ANNOTATION, 204), 204: drawn(b"EVIL")})


def page_as_before(desk: Desk, signed: dict[str, bytes], rewritten: dict[str, bytes]) -> Paper:
    paper = Paper()
    paper.write({10: paper.entry(10, **signed), 11: GOOD}).sign(desk.agency)
    return paper.write({10: {**paper.entry(10), **rewritten}})


def turned_by_a_fraction(desk: Desk) -> Paper:
    """Poppler wants a whole number."""
    return page_as_before(desk, {"Rotate": b"90"}, {"Rotate": b"90.0"})


def turned_by_a_long_number(desk: Desk) -> Paper:
    """PDFium takes 255 characters of a number."""
    return page_as_before(desk, {"Rotate": b"90"}, {"Rotate": b"0" * 300 + b"90"})


def box_of_nothing(desk: Desk) -> Paper:
    """PDFium and pdf.js do not look above the page when it says null."""
    return page_as_before(desk, {}, {"MediaBox": b"null"})


def hidden_by_a_fraction(desk: Desk) -> Paper:
    """Poppler."""
    note = b"<< /Type /Annot /P 10 0 R /Subtype /FreeText /F %b /Rect [72 300 400 400] /AP << /N 93 0 R >> >>"
    paper = Paper()
    paper.notes.append(92)
    home = paper.entry(10, Annots=b"[92 0 R]")
    paper.write({10: home, 92: note % b"2", 93: drawn(b"EVIL")}).sign(desk.agency)
    return paper.write({92: note % b"2.0"})


def palette(desk: Desk, signed: bytes, rewritten: bytes) -> Paper:
    """The colours of a picture stand in a string, which is written anew."""
    paper = Paper()
    picture = b"/Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace 78 0 R"
    colours = b"[/Indexed /DeviceRGB 3 (%b\xff\0\0\0\0\xff\xff\xff\xff\0\0)]"
    paper.write(
        {
            10: paper.entry(10, Resources=b"<< /XObject << /Im1 74 0 R >> >>"),
            11: stream(b"q 99 0 0 99 72 400 cm /Im1 Do Q"),
            74: stream(b"\0\1\2\3", picture),
            78: colours % signed,
        }
    ).sign(desk.agency)
    return paper.write({78: colours % rewritten})


def content_through_two(desk: Desk) -> Paper:
    """An object that is a reference: PDFium, poppler, MuPDF and pdf.js follow one only."""
    paper = Paper()
    paper.write({11: GOOD}).sign(desk.agency)
    return paper.write({11: b"12 0 R", 12: GOOD})


def parameters_of_a_list(desk: Desk) -> Paper:
    """A list of filters and one set of parameters: PDFium, poppler, MuPDF and pdf.js use none then.

    The row is moved by an octet for them: the place of the good content becomes that of the other one.
    """
    paper = prepared()
    evil = paper.pdf.index(HIDDEN)
    paper.sign(desk.agency)
    place = (evil << 8) + 7
    paper.pdf += b" " * (place - len(paper.pdf) - 1) + b"\n11 0 obj\n%b\nendobj\n" % GOOD
    entries = b"/W [0 4 0] /Index [11 1] /Filter [/FlateDecode] /DecodeParms << /Predictor 12 /Columns 4 >>"
    return table_as_object(paper, 98, zlib.compress(b"\0" + place.to_bytes(4, "big")), entries)


def packed(desk: Desk, pack: bytes, index: int = 0) -> Paper:
    """What turns the page is packed anew, into a stream that is given."""
    paper = Paper()
    paper.write({10: paper.entry(10, Rotate=b"12 0 R"), 11: GOOD, 12: b"90"}).sign(desk.agency)
    place = len(paper.pdf)
    paper.pdf += b"96 0 obj\n%b\nendobj\n" % pack
    rows = {12: (2, 96, index), 96: (1, place, 0), 98: (1, len(paper.pdf), 0)}
    table = _reference_stream(rows, 100, b"/Root 1 0 R /Prev %d" % (last_table(paper.pdf) or 0))
    paper.pdf += b"98 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(paper.pdf))
    return paper


def packed_in_other_words(desk: Desk) -> Paper:
    """pdf.js takes /DP before /DecodeParms, and cannot read it."""
    entries = b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode /DP << /Predictor 12 /Columns 99 >>"
    return packed(desk, stream(zlib.compress(b"12 0 90 "), entries))


def packed_twice(desk: Desk) -> Paper:
    """MuPDF goes by the number, not by the index."""
    return packed(desk, stream(b"12 0 12 3 90 0 ", b"/Type /ObjStm /N 2 /First 10"))


def packed_over_each_other(desk: Desk) -> Paper:
    """Poppler reads an object up to where the next one begins."""
    return packed(desk, stream(b"12 0 13 1 90 ", b"/Type /ObjStm /N 2 /First 10"))


def from_its_front(desk: Desk, words: bytes = b"/Linearized 1") -> Paper:
    """Only the whole file is as long as it says at its front: poppler and pdf.js use the table there then."""
    size = 30_000
    paper = fronted(desk, words, size)
    store: dict[int, Body] = {201: stream(b"a"), 1: paper.entry(1, DSS=b"<< /Certs [201 0 R] >>")}
    left = size - len(paper.copy().write(dict(store)).pdf)
    return paper.write(dict(store), before=b" " * (left - 1) + b"\n")


def fronted(desk: Desk, words: bytes, size: int) -> Paper:
    """A signed file that says at its front how long it is, with a table and another document there."""
    front = b"70 0 obj\n<< %b /L %d /H [500 10] /O 310 /E 900 /N 1 /T 400 >>\nendobj\n" % (words, size)
    other = {
        301: b"<< /Type /Catalog /Pages 302 0 R >>",
        302: b"<< /Type /Pages /Kids [304 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
        303: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        304: b"<< /Type /Page /Parent 302 0 R /Contents 305 0 R /Resources << /Font << /F1 303 0 R >> >> >>",
        305: EVIL,
    }
    ends = b"trailer\n<< /Size 400 /Root 301 0 R >>\nstartxref\n0\n%%EOF\n"
    place, rows, bodies = len(HEAD) + len(front) + len(b"xref\n301 5\n") + 100 + len(ends), b"", b""
    for number, body in other.items():
        rows += b"%010d 00000 n \n" % (place + len(bodies))
        bodies += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    head = HEAD + front + b"xref\n301 5\n" + rows + ends + bodies
    objects = {**one_page(), 11: GOOD}
    paper = Paper(objects)
    unread = head.replace(b"startxref", b"xxxxxxxxx").replace(b"/Size", b"/xxxx")
    bare = revised(unread, {number: encoded(body) for number, body in objects.items()})
    paper.pdf = head + bare[len(head) :]
    return paper.sign(desk.agency)


def stamped(desk: Desk, widget: bytes, look: bytes) -> Paper:
    """A time-stamp behind a certified file, in a field with a look: nobody's key is needed for it."""
    paper = Paper()
    paper.write({11: GOOD}).sign(desk.agency, permission=1)
    more: dict[int, Body] = {201: look}
    return paper.sign(stamp_of(desk), "Stamp", kind=RFC3161, entries=b"", widget=widget, more=more)


def look(text: bytes = b"EVIL", box: bytes = b"0 0 350 200") -> bytes:
    entries = b"/Subtype /Form /BBox [%b] /Resources << /Font << /F1 3 0 R >> >>"
    return stream(b"BT /F1 60 Tf 2 5 Td (%b) Tj ET" % text, entries % box)


def flagged(desk: Desk, flags: bytes) -> Paper:
    return stamped(desk, b"/Rect [50 600 400 800] /F %b /AP << /N 201 0 R >>" % flags, look())


def without_area(desk: Desk, box: bytes) -> Paper:
    """Ghostscript draws it as large as it is."""
    return stamped(desk, b"%b /F 4 /AP << /N 201 0 R >>" % box, look())


def later(paper: Paper, desk: Desk, number: int, field: bytes) -> Paper:
    """A field that was there gets a time-stamp."""
    value = b"<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter %b %b /Contents <%b> >>"
    paper.write({number: field, 210: value % (RFC3161, SLOT, b"00" * ROOM)}, plain=(210,))
    paper.pdf = filled(paper.pdf, stamp_of(desk))
    return paper


def cover_taken_away(desk: Desk) -> Paper:
    """An empty field to sign in covers words; it gets a time-stamp and is hidden. All show the words."""
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (S) /P 10 0 R /Rect [60 690 460 740] %b >>"
    paper = Paper()
    paper.write({11: stream(b"BT /F1 24 Tf 72 700 Td (NOT VALID) Tj ET")})
    white = stream(b"1 g 0 0 400 50 re f", b"/Subtype /Form /BBox [0 0 400 50]")
    paper.form({30: field % b"/F 4 /AP << /N 201 0 R >>"}, {201: white})
    return later(paper.sign(desk.agency, permission=1), desk, 30, field % b"/F 2 /V 210 0 R")


def beside_the_form(
    desk: Desk, before: dict[str, bytes], after: dict[str, bytes], more: bytes = b""
) -> Paper:
    """A widget that is in no form is drawn by what the form says."""
    paper = Paper()
    widget = b"<< %b /Subtype /Widget /FT /Tx /T (Name) /V (EVIL) /Rect [72 500 372 540] %b >>"
    paper.notes.append(30)
    paper.write(
        {
            1: paper.entry(1, AcroForm=b"20 0 R"),
            10: paper.entry(10, Annots=b"[30 0 R]"),
            11: GOOD,
            20: {"Fields": b"[]", **before},
            30: widget % (ANNOTATION, more),
            31: drawn(b"GOOD"),
        }
    ).sign(desk.agency)
    form = {key: value for key, value in paper.entry(20).items() if key in {"Fields", "SigFlags"}}
    return paper.write({20: {**form, **after}})


def kind_in_a_string(desk: Desk) -> Paper:
    """PDFium takes it for a text field."""
    paper = Paper()
    paper.form(
        {30: b"<< %b /Subtype /Widget /FT (Tx) /T (N) /V (EVIL) /Rect [72 500 372 540] >>" % ANNOTATION}
    )
    return paper.sign(desk.agency).write({20: paper.entry(20, DA=LETTERS, DR=FONT)})


def letters_of_another_field(desk: Desk, *, in_form: bool) -> Paper:
    """A text field names the field to sign in as what is above it, and takes its letters."""
    text = b"<< %b /Subtype /Widget /FT /Tx /T (N) /V (EVIL) /Rect [72 500 372 540] /Parent 40 0 R >>"
    paper = Paper()
    paper.form({40: b"<< /FT /Sig /T (S) >>", 30: text % ANNOTATION}, DR=FONT)
    fields = b"[40 0 R 30 0 R]" if in_form else b"[40 0 R]"
    paper.fields = [40, 30] if in_form else [40]
    paper.write({10: paper.entry(10, Annots=b"[30 0 R]"), 20: paper.entry(20, Fields=fields)})
    paper.notes = [30]
    return later(
        paper.sign(desk.agency, permission=1), desk, 40, b"<< /FT /Sig /T (S) /V 210 0 R /DA %b >>" % LETTERS
    )


def signed_at_its_front(desk: Desk) -> Paper:
    """What is signed is as long as it says: our reader sees one document, poppler and pdf.js the other."""
    return fronted(desk, b"/Linearized 1", len(fronted(desk, b"/Linearized 1", 10_000).pdf))


def signed_twice_named(desk: Desk) -> Paper:
    """An object twice in one stream of references, in the signed part."""
    paper = prepared()
    places = [found.start() for found in re.finditer(rb"(?<=\n)11 0 obj", paper.pdf)]
    rows = b"".join(b"\1" + place.to_bytes(4, "big") + b"\0\0" for place in (places[-1], places[-2]))
    return table_as_object(paper, 98, rows, b"/W [1 4 2] /Index [11 1 11 1]").sign(desk.agency)


ATTACKS: dict[str, Callable[[Desk], Paper]] = {
    "an object in use at zero": in_use_at_zero,
    "information at zero": information_at_zero,
    "entries of 19 octets": entries_of_19_octets,
    "entries of 21 octets": entries_of_21_octets,
    "information that is not there": lambda d: written(
        d, word=(b"/Root 1 0 R", b"/Root 1 0 R /Info 999 0 R")
    ),
    "a tab in the head of a table": lambda d: written(d, word=(b"\n200 2\n", b"\n200\t2\n")),
    "a null behind startxref": lambda d: written(d, word=(b"startxref\n", b"startxref\0\n")),
    "a null in the head of an object": lambda d: written(d, word=(b"1 0 obj", b"1 0\0obj")),
    "a zero in the head of an object": lambda d: written(d, word=(b"\n201 0 obj", b"\n0201 0 obj")),
    "a table of another kind": lambda d: written(d, layout="stream"),
    "an object twice in a stream of references": named_twice,
    "a table that has the content's number": table_with_the_contents_number,
    "a table that has a free number": table_with_a_free_number,
    "another generation": other_generation,
    "a font below another generation": below_another_generation,
    "a note of another generation": note_of_another_generation,
    "a page turned by a fraction": turned_by_a_fraction,
    "a page turned by a long number": turned_by_a_long_number,
    "a page whose box is null": box_of_nothing,
    "a page whose turn is null": lambda d: page_as_before(d, {}, {"Rotate": b"null"}),
    "a note hidden by a fraction": hidden_by_a_fraction,
    "an end of line of two octets in a string": lambda d: palette(d, b"\n", b"\r\n"),
    "another end of line in a string": lambda d: palette(d, b"\\n", b"\r"),
    "an octal number beyond an octet": lambda d: palette(d, b"\\001", b"\\401"),
    "content through two references": content_through_two,
    "parameters of a list": parameters_of_a_list,
    "packed in other words": packed_in_other_words,
    "packed twice": packed_twice,
    "packed over each other": packed_over_each_other,
    "from its front": from_its_front,
    "from its front in other words": lambda d: from_its_front(d, b"/X here /#4cinearized 1"),
    "from its front by the first of two lengths": lambda d: from_its_front(d, b"/Linearized 1 /L 9"),
    "a hybrid behind a table": lambda d: written(d, update="hybrid"),
    "flags beyond 32 bits": lambda d: flagged(d, b"4294967302"),
    "flags beyond 64 bits": lambda d: flagged(d, b"18446744073709551622"),
    "flags below zero": lambda d: flagged(d, b"-2"),
    "a time-stamp as flat as a line": lambda d: without_area(d, b"/Rect [60 709 300 709]"),
    "a time-stamp as narrow as a line": lambda d: without_area(d, b"/Rect [80 600 80 800]"),
    "a time-stamp at a point": lambda d: without_area(d, b"/Rect [80 709 80 709]"),
    "a time-stamp without a place": lambda d: without_area(d, b""),
    "a cover taken away": cover_taken_away,
    "letters for what is beside the form": lambda d: beside_the_form(d, {}, {"DA": LETTERS, "DR": FONT}),
    "what is beside the form drawn anew no more": lambda d: beside_the_form(
        d,
        {"DA": LETTERS, "DR": FONT, "NeedAppearances": b"true"},
        {"DA": LETTERS, "DR": FONT},
        b"/AP << /N 31 0 R >>",
    ),
    "a kind of field in a string": kind_in_a_string,
    "letters of another field": lambda d: letters_of_another_field(d, in_form=True),
    "letters for what is beside the form from a field": lambda d: letters_of_another_field(d, in_form=False),
}

# Refused, and all five readers take them as they were: others need not.
ALIKE = frozenset(
    {
        "a null in the head of an object",
        "a zero in the head of an object",
        "a page whose turn is null",
        "an octal number beyond an octet",
    }
)
