"""Files that were made to be read for ever, to be unpacked without end, or to make a reader stumble.

Each is a document that a service may be handed. `BARE` are files by themselves; `behind` makes revisions that
come behind a sound signature, so that a reader gets as far as the signature before it meets them.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from world.pdf_paper import Paper, last_table, one_page, revised, stream

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOGUE = b"<< /Pages 2 0 R /AcroForm 20 0 R %b >>"
FORM = b"<< /Type /Catalog /Pages 2 0 R /AcroForm 20 0 R >>"
PNG = b"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns %d >>"


def squeezed(size: int, layers: int = 1) -> bytes:
    data = bytes(size)
    for _ in range(layers):
        data = zlib.compress(data, 9)
    return data


def with_form(form: bytes, **more: bytes) -> bytes:
    numbered = {int(number[1:]): body for number, body in more.items()}
    return Paper({**one_page(), 1: FORM, 20: form, **numbered}).pdf


def with_catalogue(entries: bytes, objects: dict[int, bytes] | None = None) -> bytes:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R %b >>" % entries
    return Paper({**one_page(), 1: catalogue, **(objects or {})}).pdf


def sections(count: int) -> bytes:
    pdf = Paper().pdf
    for _ in range(count):
        pdf = revised(pdf, {60: b"null"})
    return pdf


def references(entries: bytes, data: bytes = b"") -> bytes:
    """A file that is nothing but a stream of references."""
    return (
        b"%PDF-1.7\n1 0 obj\n" + stream(data, b"/Type /XRef " + entries) + b"\nendobj\nstartxref\n9\n%%EOF\n"
    )


SIGNATURE = b"<< /FT /Sig /T (x) /V 61 0 R >>"
BARE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"%",
    "zeros": lambda: bytes(100_000),
    "a text": lambda: b"A licence. " * 1000,
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "an archive": lambda: b"PK\x03\x04" + bytes(1000),
    "a page of the web": lambda: b"<html><script>alert(1)</script></html>",
    "a head alone": lambda: b"%PDF-1.7\n",
    "a head and an end": lambda: b"%PDF-1.7\n%%EOF\n",
    "a head, far behind": lambda: bytes(2000) + Paper().pdf,
    "half a file": lambda: Paper().pdf[:400],
    "no head": lambda: Paper().pdf[9:],
    "an end ten thousand times": lambda: b"%PDF-1.7\n" + b"%%EOF\n" * 10_000,
    "startxref ten thousand times": lambda: b"%PDF-1.7\n" + b"startxref\n9\n%%EOF\n" * 10_000,
    "a table before itself": lambda: (
        b"%PDF-1.7\nxref\n0 0\ntrailer\n<< /Root 1 0 R /Prev 9 >>\nstartxref\n9\n%%EOF\n"
    ),
    "a table of a thousand million rows": lambda: (
        b"%PDF-1.7\nxref\n0 1000000000\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
    ),
    "three hundred revisions": lambda: sections(300),
    "references without width": lambda: references(b"/Size 1000000000 /W [0 0 0] /Root 1 0 R"),
    "references of huge width": lambda: references(b"/Size 9 /W [1 1000000000 1] /Root 1 0 R", b"\0" * 99),
    "references of negative width": lambda: references(b"/Size 9 /W [1 -4 2] /Root 1 0 R", b"\0" * 99),
    "references in a thousand runs": lambda: references(
        b"/Size 9 /W [1 1 1] /Index [%b] /Root 1 0 R" % (b"0 1000000 " * 1000), b"\0" * 99
    ),
    "references that burst": lambda: references(
        b"/Size 99999999 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode", squeezed(20_000_000)
    ),
    "references that burst twice": lambda: references(
        b"/Size 99999999 /W [1 4 2] /Root 1 0 R /Filter [/FlateDecode /FlateDecode]", squeezed(20_000_000, 2)
    ),
    "references by a predictor of a thousand million columns": lambda: references(
        b"/Size 9 /W [1 1 1] /Root 1 0 R " + PNG % 1_000_000_000, zlib.compress(b"\2" * 99)
    ),
    "references through sixty filters": lambda: references(
        b"/Size 9 /W [1 1 1] /Root 1 0 R /Filter [%b]" % (b"/FlateDecode " * 60), b"x"
    ),
    "references through letters and digits": lambda: references(
        b"/Size 9 /W [1 1 1] /Root 1 0 R /Filter [/ASCIIHexDecode /ASCII85Decode /RunLengthDecode]",
        b"7A" * 50_000 + b">",
    ),
    "references whose length is themselves": lambda: (
        b"%PDF-1.7\n1 0 obj\n<< /Type /XRef /Size 9 /W [1 1 1] /Root 1 0 R /Length 1 0 R >>\nstream\n\n"
        b"endstream\nendobj\nstartxref\n9\n%%EOF\n"
    ),
    "a length in another object, in a circle": lambda: with_catalogue(
        b"/AcroForm 60 0 R", {60: b"<< /Length 61 0 R >>\nstream\n\nendstream", 61: b"60 0 R"}
    ),
    "objects in an object stream in itself": lambda: (
        Paper(layout="stream").write({}, packed={101: b"<< >>", 102: b"<< >>", 103: b"<< >>"}).pdf
    ),
    "an object stream that bursts": lambda: (
        Paper(
            {
                **one_page(),
                60: stream(squeezed(20_000_000), b"/Type /ObjStm /N 9 /First 9 /Filter /FlateDecode"),
            }
        )
        .write({1: FORM})
        .pdf
    ),
    "a root that is itself": lambda: revised(Paper().pdf, {60: b"60 0 R"}, root=60),
    "a root that is a number": lambda: revised(Paper().pdf, {60: b"7"}, root=60),
    "a root in a circle of three": lambda: revised(
        Paper().pdf, {60: b"61 0 R", 61: b"62 0 R", 62: b"60 0 R"}, root=60
    ),
    "fields in themselves": lambda: with_form(b"<< /Fields [60 0 R] >>", _60=b"<< /T (a) /Kids [60 0 R] >>"),
    "fields that double forty times": lambda: with_form(
        b"<< /Fields [200 0 R] >>",
        **{f"_{200 + n}": b"<< /T (a) /Kids [%d 0 R %d 0 R] >>" % (201 + n, 201 + n) for n in range(40)},
    ),
    "twenty thousand fields": lambda: with_form(
        b"<< /Fields [" + b"60 0 R " * 20_000 + b"] >>", _60=b"<< >>"
    ),
    "fields in a circle of references": lambda: with_form(b"<< /Fields 60 0 R >>", _60=b"60 0 R"),
    "a form that is itself": lambda: with_form(b"20 0 R"),
    "arrays a million deep": lambda: with_catalogue(b"/X " + b"[" * 1_000_000),
    "dictionaries a hundred thousand deep": lambda: with_catalogue(b"/X " + b"<</X" * 100_000),
    "texts twenty thousand deep": lambda: with_catalogue(b"/X " + b"(" * 20_000 + b")" * 20_000),
    "a trailer of arrays": lambda: revised(Paper().pdf, {}, trailer=b"/X " + b"[" * 50_000 + b"]" * 50_000),
    "a text without end": lambda: with_catalogue(b"/X (" + b"a" * 1_000_000),
    "parentheses beyond counting": lambda: with_catalogue(b"/X [" + b"()" * 20_000 + b"(" * 20_000),
    "a hex text without end": lambda: with_catalogue(b"/X <" + b"a" * 1_000_000),
    "a hex text of spaces": lambda: with_catalogue(b"/X <" + b" " * 1_000_000 + b">"),
    "a name without end": lambda: with_catalogue(b"/X /" + b"a" * 1_000_000),
    "a number without end": lambda: with_catalogue(b"/X " + b"9" * 1_000_000),
    "a number of points": lambda: with_catalogue(b"/X " + b"1." * 100_000),
    "a comment without end": lambda: with_catalogue(b"% " + b"a" * 1_000_000),
    "a hundred thousand comments": lambda: with_catalogue(b"%\n" * 100_000),
    "twenty thousand keys": lambda: with_catalogue(b" ".join(b"/K%d 1" % number for number in range(20_000))),
    "a million spaces": lambda: with_catalogue(b" " * 1_000_000),
    "nine thousand objects": lambda: Paper({**one_page(), **dict.fromkeys(range(200, 9_000), b"null")}).pdf,
    "signatures beyond counting": lambda: with_form(
        b"<< /Fields [%b] >>" % b" ".join(b"%d 0 R" % (100 + 2 * n) for n in range(200)),
        **{f"_{100 + 2 * n}": b"<< /FT /Sig /T (%d) /V %d 0 R >>" % (n, 101 + 2 * n) for n in range(200)},
        **{
            f"_{101 + 2 * n}": b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached /Contents <00>"
            b" /ByteRange [0 9 19 9] >>"
            for n in range(200)
        },
    ),
    "a signature of megabytes": lambda: with_form(
        b"<< /Fields [60 0 R] >>",
        _60=SIGNATURE,
        _61=b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached /Contents <" + b"30" * 3_000_000 + b"> >>",
    ),
    "a byte range of many numbers": lambda: with_form(
        b"<< /Fields [60 0 R] >>",
        _60=SIGNATURE,
        _61=b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached /Contents <00> /ByteRange ["
        + b"0 " * 50_000
        + b"] >>",
    ),
    "encrypted": lambda: revised(
        Paper().pdf, {}, trailer=b" /Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /O () /U () /P -4 >>"
    ),
    "encrypted by itself": lambda: revised(Paper().pdf, {60: b"60 0 R"}, trailer=b" /Encrypt 60 0 R"),
    "encrypted with a password of nothing": lambda: revised(
        Paper().pdf,
        {},
        trailer=b" /Encrypt << /Filter /Standard /V 1 /R 2 /O (%b) /U (%b) /P -4 >>" % (b"a" * 32, b"b" * 32),
    ),
    "a hybrid of nothing": lambda: revised(Paper().pdf, {}, trailer=b" /XRefStm 0"),
    "a hybrid of itself": lambda: revised(Paper().pdf, {}, trailer=b" /XRefStm %d" % len(Paper().pdf)),
}


def behind(paper: Paper) -> dict[str, Callable[[], bytes]]:
    """Revisions behind a signature."""
    pdf, previous = paper.pdf, last_table(paper.pdf) or 0
    broken = stream(squeezed(2_000_000)[:-9], b"/Filter /FlateDecode")
    return {
        "a page that is its own parent": lambda: revised(
            pdf, {2: b"<< /Kids [2 0 R] /Count 1 /Parent 2 0 R >>"}
        ),
        "pages that double forty times": lambda: revised(
            pdf,
            {2: b"<< /Kids [200 0 R] >>"}
            | {200 + n: b"<< /Kids [%d 0 R %d 0 R] >>" % (201 + n, 201 + n) for n in range(40)},
        ),
        "a chain of ten thousand objects": lambda: revised(
            pdf,
            {1: b"<< /Pages 2 0 R /X 200 0 R >>"} | {200 + n: b"[%d 0 R]" % (201 + n) for n in range(10_000)},
        ),
        "a catalogue of many numbers": lambda: revised(
            pdf, {1: b"<< /Pages 2 0 R /AcroForm 20 0 R /X [" + b"1 " * 50_000 + b"] >>"}
        ),
        "annotations in themselves": lambda: revised(
            pdf, {10: b"<< /Type /Page /Parent 2 0 R /Annots 60 0 R >>", 60: b"[60 0 R]"}
        ),
        "a store in itself": lambda: revised(
            pdf,
            {
                1: b"<< /Pages 2 0 R /AcroForm 20 0 R /DSS 60 0 R >>",
                60: b"<< /Certs 61 0 R >>",
                61: b"[61 0 R]",
            },
        ),
        "a store that bursts": lambda: revised(
            pdf,
            {
                1: b"<< /Pages 2 0 R /AcroForm 20 0 R /DSS << /Certs [%b] >> >>" % (b"60 0 R " * 200),
                60: stream(squeezed(20_000_000), b"/Filter /FlateDecode"),
            },
        ),
        "a store that bursts and breaks": lambda: revised(
            pdf,
            {1: CATALOGUE % b"/DSS << /Certs [%b] >>" % b" ".join(b"%d 0 R" % (200 + n) for n in range(100))}
            | {200 + n: broken for n in range(100)},
        ),
        "files in themselves": lambda: revised(
            pdf,
            {
                1: b"<< /Pages 2 0 R /AcroForm 20 0 R /Names << /EmbeddedFiles 60 0 R >> >>",
                60: b"<< /Kids [60 0 R] >>",
            },
        ),
        "a table before itself": lambda: revised(pdf, {60: b"null"}).replace(
            b"/Prev %d" % previous, b"/Prev %d" % (len(pdf) + 30)
        ),
        "a page of many resources": lambda: revised(
            pdf,
            {10: b"<< /Resources << /Font << " + b"/F 3 0 R " * 20_000 + b">> >> /Contents 11 0 R >>"},
        ),
        "a megabyte of zeros": lambda: pdf + bytes(1_000_000),
        "a megabyte of ends": lambda: pdf + b"%%EOF\n" * 150_000,
        "a megabyte of objects": lambda: pdf + b"1 0 obj<<>>endobj\n" * 55_000,
        "a megabyte of startxref": lambda: pdf + b"startxref\n%d\n%%%%EOF\n" % previous * 40_000,
    }
