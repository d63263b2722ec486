"""What may come behind a signature, as makers write it: further signatures, filled fields, archive data.

Rebuilt by hand after what Acrobat, iText, PDFBox, DSS, LibreOffice and pyHanko write. None may be refused.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import (
    PADES,
    PKCS7,
    RFC3161,
    ROOM,
    SLOT,
    Body,
    Paper,
    filled,
    one_page,
    references,
    stream,
)
from world.pdf_rich import ANNOTATION, check_box, choice, drawn, rich, text_field
from world.pki import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

    from signing.signers.file import FileSigner

LAYOUTS = ("table", "stream", "packed")


def passes(desk: Desk, paper: Paper, signatures: int) -> None:
    report = desk.verify(paper.pdf)
    assert report.passed, [(check.name, check.detail) for check in report.checks if check.reason]
    assert len(report.require().signatures) == signatures


def also(paper: Paper, desk: Desk, name: str = "Second", **how: object) -> Paper:
    return paper.sign(desk.citizen, name, **how)


@pytest.mark.parametrize("second", LAYOUTS)
@pytest.mark.parametrize("first", LAYOUTS)
def test_two_signatures_in_every_layout(desk: Desk, first: str, second: str) -> None:
    paper = Paper(layout=first).sign(desk.agency)
    paper.layout = second
    passes(desk, also(paper, desk), 2)


def fill(paper: Paper) -> Paper:
    """As forms are filled in: value, look and state together, each look a new object."""
    return paper.write(
        {
            30: text_field(b"Li", look=301),
            301: drawn(b"Li"),
            32: check_box(b"Yes"),
            35: choice(b"(b)", more=b"/I [1]").replace(b"36 0 R", b"302 0 R"),
            302: drawn(b"b"),
        }
    )


def prepared(desk: Desk) -> Paper:
    """An empty field was there for the second signer before the first one signed."""
    empty = b"<< %b /Subtype /Widget /FT /Sig /T (Second) /Rect [9 9 99 50] %%b >>" % ANNOTATION
    paper = Paper().form({30: empty % b""}).sign(desk.agency)
    look: dict[int, Body] = {30: empty % b"/V 201 0 R /AP << /N 200 0 R >>", 200: drawn(b"Li")}
    return by_value(paper, desk.citizen, 201, look)


def by_value(paper: Paper, signer: FileSigner, value: int, more: dict[int, Body]) -> Paper:
    """A signature of which only the value is made here; what shows it comes along."""
    body = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter %b %b /Contents <%b> >>"
    paper.write({value: body % (PADES, SLOT, b"00" * ROOM), **more}, plain=(value,))
    paper.pdf = filled(paper.pdf, signer)
    return paper


def field(number: int, page: int = 10) -> dict[int, Body]:
    """A field that shows the signature of the number behind its own."""
    body = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (F%d) /P %d 0 R /V %d 0 R /Rect [0 0 0 0] /F 132 >>"
    return {number: body % (number, page, number + 1)}


def listed_apart(desk: Desk) -> Paper:
    """The lists of annotations and of fields are objects, and these alone are written again."""
    objects = one_page()
    page, catalogue = objects[10], objects[1]
    assert isinstance(page, dict)
    assert isinstance(catalogue, dict)
    objects |= {
        1: {**catalogue, "AcroForm": b"<< /Fields 51 0 R /SigFlags 3 >>"},
        10: {**page, "Annots": b"50 0 R"},
        50: b"[]",
        51: b"[]",
    }
    paper = Paper(objects)
    paper = by_value(paper, desk.agency, 61, {50: b"[60 0 R]", 51: b"[60 0 R]", **field(60)})
    both = b"[60 0 R 70 0 R]"
    return by_value(paper, desk.citizen, 71, {50: both, 51: both, **field(70)})


def second_page(desk: Desk) -> Paper:
    objects = one_page()
    objects[2] = b"<< /Type /Pages /Kids [10 0 R 12 0 R] /Count 2 /MediaBox [0 0 595 842] >>"
    objects[12] = {"Type": b"/Page", "Parent": b"2 0 R", "Rotate": b"270"}
    paper = Paper(objects).sign(desk.agency)
    fields = paper.entry(20, Fields=b"[40 0 R 60 0 R]")
    page: dict[int, Body] = {12: paper.entry(12, Annots=b"[60 0 R]"), 20: fields}
    return by_value(paper, desk.citizen, 61, {**page, **field(60, 12)})


def tagged(desk: Desk) -> Paper:
    """The structure gets an element for the new field, and the list of parents an entry."""
    objects = one_page()
    page, catalogue = objects[10], objects[1]
    assert isinstance(page, dict)
    assert isinstance(catalogue, dict)
    objects |= {
        1: {**catalogue, "StructTreeRoot": b"30 0 R", "MarkInfo": b"<< /Marked true >>"},
        10: {**page, "StructParents": b"0", "Tabs": b"/S"},
        30: b"<< /Type /StructTreeRoot /K [31 0 R] /ParentTree 32 0 R /ParentTreeNextKey 1 >>",
        31: b"<< /Type /StructElem /S /P /P 30 0 R /Pg 10 0 R /K 0 >>",
        32: b"<< /Nums [0 [31 0 R]] >>",
    }
    paper = Paper(objects).sign(desk.agency)
    grown: dict[int, Body] = {
        30: b"<< /Type /StructTreeRoot /K [31 0 R 200 0 R] /ParentTree 32 0 R /ParentTreeNextKey 2 >>",
        32: b"<< /Nums [0 [31 0 R] 1 200 0 R] >>",
        200: b"<< /Type /StructElem /S /Form /P 30 0 R /K << /Type /OBJR /Obj 42 0 R /Pg 10 0 R >> >>",
    }
    return also(paper, desk, widget=b"/Rect [0 0 0 0] /F 132 /StructParent 1", more=grown)


def tagged_first(desk: Desk, inner: bytes = b"/K << /Type /OBJR /Obj 42 0 R >>", more: bytes = b"") -> Paper:
    """The structure had nothing in it, and gets a whole document with the new field in it."""
    objects = one_page()
    objects[1] = {"Type": b"/Catalog", "Pages": b"2 0 R", "StructTreeRoot": b"30 0 R"}
    objects[30] = b"<< /Type /StructTreeRoot >>"
    paper = Paper(objects).sign(desk.agency)
    grown: dict[int, Body] = {
        30: b"<< /Type /StructTreeRoot /K 200 0 R /ParentTree << /Nums [1 201 0 R] >> >>",
        200: b"<< /Type /StructElem /S /Document /P 30 0 R /K [201 0 R] %b >>" % more,
        201: b"<< /Type /StructElem /S /Form /P 200 0 R /Pg 10 0 R %b >>" % inner,
    }
    return also(paper, desk, widget=b"/Rect [0 0 0 0] /F 132 /StructParent 1", more=grown)


NO_FIELDS = {
    "a part of the page": b"/K 0",
    "nothing": b"",
    "the page's content": b"/K << /Type /MCR /MCID 0 /Pg 10 0 R >>",
    "an old thing": b"/K << /Type /OBJR /Obj 40 0 R >>",
    "other words": b"/ActualText (void) /K << /Type /OBJR /Obj 42 0 R >>",
    "itself": b"/K 201 0 R",
}


@pytest.mark.parametrize("name", NO_FIELDS)
def test_new_structure_of_something_else(desk: Desk, name: str) -> None:
    assert not desk.verify(tagged_first(desk, NO_FIELDS[name]).pdf).passed
    assert not desk.verify(tagged_first(desk, more=b"/ActualText (void)").pdf).passed


@pytest.mark.parametrize(
    ("permission", "order", "passes"),
    [(2, b"/S", True), (2, b"/R", False), (3, b"/R", True), (3, b"/X", False), (3, b"(R)", False)],
)
def test_the_order_of_tabs(desk: Desk, permission: int, order: bytes, *, passes: bool) -> None:
    paper = Paper().sign(desk.agency, permission=permission)
    report = desk.verify(paper.write({10: paper.entry(10, Tabs=order)}).pdf)
    assert report.passed is passes


FOLLOWED: dict[str, Callable[[Desk], Paper]] = {
    "the first elements of a structure": tagged_first,
    "fields are filled in, and signed for": lambda d: also(fill(rich().sign(d.agency)), d),
    "certified, then filled in and signed for": lambda d: also(fill(rich().sign(d.agency, permission=2)), d),
    "certified for notes, then filled in and signed for": lambda d: also(
        fill(rich().sign(d.agency, permission=3)), d
    ),
    "filled in within the signature's own revision": lambda d: also(
        rich().sign(d.agency), d, more={30: text_field(b"Li"), 31: drawn(b"Li")}
    ),
    "looks are written anew under their number": lambda d: also(
        rich().sign(d.agency).write({30: text_field(b"Li"), 31: drawn(b"Li")}), d
    ),
    "PKCS #7 behind CAdES": lambda d: also(Paper().sign(d.agency), d, kind=PKCS7),
    "a seen signature": lambda d: also(
        Paper().sign(d.agency, permission=2),
        d,
        widget=b"/Rect [300 20 400 60] /F 132 /AP << /N 200 0 R >>",
        more={200: drawn(b"Li")},
    ),
    "a signature that locks": lambda d: also(
        rich().sign(d.agency), d, lock=b"<< /Type /SigFieldLock /Action /All >>"
    ),
    "the form gets letters": lambda d: also(
        Paper().sign(d.agency),
        d,
        more={
            20: {
                "Fields": references([40, 42]),
                "SigFlags": b"3",
                "DA": b"(/Helv 0 Tf 0 g)",
                "DR": b"<< /Font << /Helv 200 0 R >> >>",
            },
            200: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        },
    ),
    "information and metadata are of today": lambda d: also(
        Paper(
            {**one_page(), 12: b"<< /Title (Licence) /ModDate (D:20261101) >>"}, trailer=b" /Info 12 0 R"
        ).sign(d.agency),
        d,
        more={12: b"<< /Title (Licence) /ModDate (D:20261120) /Producer (x) >>"},
    ),
    "the catalogue has a version and extensions": lambda d: also(
        (p := Paper().sign(d.agency)).write(
            {
                1: p.entry(
                    1, Version=b"/1.7", Extensions=b"<< /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>"
                )
            }
        ),
        d,
    ),
    "lists of annotations and fields apart": listed_apart,
    "a field that was prepared": prepared,
    "a signature on the second page": second_page,
    "three signatures": lambda d: also(also(Paper().sign(d.agency), d), d, "Third"),
    "a tagged page, its structure grown": tagged,
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_somebody_stands_for_it(desk: Desk, name: str) -> None:
    paper = FOLLOWED[name](desk)
    passes(desk, paper, 3 if "three" in name else 2)


# Archive data, which nobody has to sign for.
def certificate(desk: Desk) -> bytes:
    data = zlib.compress(desk.pki.issuing.certificate.der)
    return stream(data, b"/Filter /FlateDecode")


def crl(desk: Desk) -> bytes:
    return stream(desk.pki.issuing.crl(NOON))


def store(
    paper: Paper, desk: Desk, form: bytes = b"400 0 R", more: dict[int, Body] | None = None, **how: object
) -> Paper:
    """A security store with the material of one signature, as DSS and iText write it."""
    key = hashlib.sha1(b"x", usedforsecurity=False).hexdigest().upper().encode()
    vri = b"<< /%b << /Type /VRI /Cert [401 0 R] /CRL [402 0 R] /TU (D:20261120120000Z) >> >>" % key
    whole = b"<< /Type /DSS /Certs [401 0 R] /CRLs [402 0 R] /VRI 403 0 R >>"
    objects: dict[int, Body] = {401: certificate(desk), 402: crl(desk), 403: vri, 400: whole}
    home = {1: paper.entry(1, DSS=form.replace(b"WHOLE", whole))}
    return paper.write({**objects, **home, **(more or {})}, **how)


def stamped(paper: Paper, desk: Desk, name: str = "Stamp", **how: object) -> Paper:
    def token(signed: bytes) -> bytes:
        return desk.tsa.stamp(hashlib.sha256(signed).digest())

    return paper.sign(token, name, kind=RFC3161, entries=b"/V 0", **how)


def signed(desk: Desk, **how: object) -> Paper:
    return Paper().sign(desk.agency, **how)


MADE = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:pdf="http://ns.adobe.com/pdf/1.3/" dc:format="application/pdf" pdf:Producer="yinxin"'
    ' xmp:CreateDate="2026-11-20T12:00:00Z" xmp:ModifyDate="2026-11-20T12:00:00Z"{more}/></rdf:RDF>'
)


def packet(text: str) -> bytes:
    return stream(text.encode(), b"/Type /Metadata /Subtype /XML")


def comes_back(desk: Desk, trailer: bytes, target: bytes = b"<< >>") -> Paper:
    """The first trailer says something, the signer's does not, and the next one says it again."""
    paper = Paper(trailer=b" /DocChecksum /A0 /Docs [9 0 R]").write({9: b"<< >>"})
    paper.trailer = b""
    paper = paper.sign(desk.agency)
    more: dict[int, Body] = {9: target} if target != b"<< >>" else {}
    return paper.write({1: paper.entry(1, DSS=b"<< /Certs [] >>"), **more}, trailer=trailer)


def originals(desk: Desk, body: bytes) -> Paper:
    """The number that the trailer names for the editable original is nobody's, and later somebody's."""
    trailer = b" /AdditionalStreams [/application#2fvnd.oasis.opendocument.text 405 0 R]"
    paper = Paper(trailer=trailer).sign(desk.agency)
    return paper.write({405: body, 1: paper.entry(1, DSS=b"<< /Certs [401 0 R] >>"), 401: certificate(desk)})


EXTENSION = (
    b"<< /ESIC << /BaseVersion /1.7 /ExtensionLevel 1 >> /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>"
)
ARCHIVED: dict[str, Callable[[Desk], Paper]] = {
    "a store": lambda d: store(signed(d), d),
    "a store where nothing is permitted": lambda d: store(signed(d, permission=1), d),
    "a store that is part of the catalogue": lambda d: store(signed(d), d, b"WHOLE"),
    "a store in a stream of references": lambda d: store(signed(d), d, layout="stream"),
    "a store in object streams": lambda d: store(signed(d), d, layout="packed"),
    "a store with extensions": lambda d: (p := store(signed(d), d)).write(
        {1: p.entry(1, Extensions=EXTENSION)}
    ),
    "a store, and again": lambda d: store(
        store(signed(d), d), d, more={404: crl(d), 400: b"<< /Certs [401 0 R] /CRLs [402 0 R 404 0 R] >>"}
    ),
    "a stamp": lambda d: stamped(signed(d), d),
    "a stamp where nothing is permitted": lambda d: stamped(signed(d, permission=1), d),
    "a store and a stamp": lambda d: stamped(store(signed(d), d), d),
    "a store and a stamp, twice": lambda d: stamped(store(stamped(store(signed(d), d), d), d), d, "Again"),
    "a store and a stamp in one revision": lambda d: stamped(signed(d), d, more={400: crl(d)}),
    "a stamp with a mark of the maker": lambda d: stamped(signed(d), d, behind=b"%iText-Core-9.4.0\n"),
    "a stamp, and numbers that nothing leads to are free": lambda d: stamped(
        Paper().write({60: b"<< >>"}).sign(d.agency), d, freed=(60,)
    ),
    "a stamp, and old looks are free": lambda d: stamped(signed(d), d, freed=(390, 391)),
    "a stamp, and dates are of today": lambda d: stamped(
        Paper({**one_page(), 12: b"<< /Title (x) /ModDate (D:2026) >>"}, trailer=b" /Info 12 0 R").sign(
            d.agency
        ),
        d,
        more={12: b"<< /Title (x) /ModDate (D:2027) /Producer (y) >>"},
    ),
    "a stamp, a version, and the first metadata, of technical things": lambda d: stamped(
        (p := signed(d)).write(
            {1: p.entry(1, Version=b"/2.0", Metadata=b"405 0 R"), 405: packet(MADE.format(more=""))}
        ),
        d,
    ),
    "an entry of the trailer comes back": lambda d: comes_back(d, b" /DocChecksum /A0 /Docs [9 0 R]"),
    "LibreOffice names an original that is none": lambda d: originals(d, b"<< /Type /Annot >>"),
    "a stamp in a stream of references": lambda d: stamped(signed(d), d, layout="stream"),
    "a stamp in object streams": lambda d: stamped(signed(d), d, layout="packed"),
}


@pytest.mark.parametrize("name", ARCHIVED)
def test_archive_data(desk: Desk, name: str) -> None:
    passes(desk, ARCHIVED[name](desk), 1)


def test_two_signatures_and_an_archive(desk: Desk) -> None:
    paper = also(fill(rich().sign(desk.agency, permission=2)), desk)
    passes(desk, stamped(store(paper, desk), desk), 2)
    assert desk.verify(paper.pdf, now=NOON + timedelta(hours=1)).passed


NOT_ARCHIVED: dict[str, Callable[[Desk], Paper]] = {
    "the first metadata name the document": lambda d: (p := signed(d)).write(
        {1: p.entry(1, Metadata=b"405 0 R"), 405: packet(MADE.format(more=' dc:title="Void"'))}
    ),
    "the first metadata say that it is no PDF": lambda d: (p := signed(d)).write(
        {1: p.entry(1, Metadata=b"405 0 R"), 405: packet(MADE.replace("application/", "x/").format(more=""))}
    ),
    "the first metadata cannot be read": lambda d: (p := signed(d)).write(
        {1: p.entry(1, Metadata=b"405 0 R"), 405: packet("<rdf:RDF")}
    ),
    "the first metadata are none": lambda d: (p := signed(d)).write({1: p.entry(1, Metadata=b"(x)")}),
    "an entry of the trailer comes back otherwise": lambda d: comes_back(d, b" /DocChecksum /A1"),
    "an entry of the trailer comes back, and leads elsewhere": lambda d: comes_back(
        d, b" /Docs [9 0 R]", b"<< /A 1 >>"
    ),
    "an original comes in": lambda d: originals(d, stream(b"another document")),
    "an original is named": lambda d: signed(d).write(
        {405: stream(b"x")}, trailer=b" /AdditionalStreams [/a 405 0 R]"
    ),
    "the evidence is taken away": lambda d: (p := store(signed(d), d).sign(d.citizen, "Second")).write(
        {1: {key: value for key, value in p.entry(1).items() if key != "DSS"}}
    ),
}


@pytest.mark.parametrize("name", NOT_ARCHIVED)
def test_what_is_no_archive_data(desk: Desk, name: str) -> None:
    assert not desk.verify(NOT_ARCHIVED[name](desk).pdf).passed
