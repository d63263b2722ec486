"""A page with everything on it that can be changed behind a signature's back: one object for each thing."""

from __future__ import annotations

from world.pdf_paper import Body, Paper, one_page, stream

BOX = b"/Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R >> >>"
ANNOTATION = b"/Type /Annot /P 10 0 R /F 4"


def drawn(text: bytes) -> bytes:
    return stream(b"BT /F1 12 Tf 2 5 Td (%b) Tj ET" % text, BOX)


def text_field(value: bytes = b"Zhang", look: int = 31, more: bytes = b"") -> bytes:
    return (
        b"<< %b /Subtype /Widget /FT /Tx /T (Name) /V (%b) /DA (/F1 12 Tf) /Rect [72 600 272 620]"
        b" /AP << /N %d 0 R >> %b >>" % (ANNOTATION, value, look, more)
    )


def check_box(state: bytes = b"Off", more: bytes = b"") -> bytes:
    return (
        b"<< %b /Subtype /Widget /FT /Btn /T (Agreed) /V /%b /AS /%b /Rect [72 570 92 590]"
        b" /AP << /N << /Yes 33 0 R /Off 34 0 R >> >> %b >>" % (ANNOTATION, state, state, more)
    )


def choice(value: bytes = b"(a)", more: bytes = b"") -> bytes:
    return (
        b"<< %b /Subtype /Widget /FT /Ch /Ff 131072 /T (Kind) /Opt [(a) (b)] /V %b /Rect [72 540 172 560]"
        b" /AP << /N 36 0 R >> %b >>" % (ANNOTATION, value, more)
    )


FIELDS = {30: text_field(), 32: check_box(), 35: choice()}
LOOKS: dict[int, Body] = {31: drawn(b"Zhang"), 33: drawn(b"X"), 34: drawn(b""), 36: drawn(b"a")}
CONTENT = (
    b"/Cs1 cs /GS1 gs /OC /Layer BDC BT /F1 24 Tf 72 700 Td (Licence 001) Tj ET EMC"
    b" q 99 0 0 99 72 400 cm /Im1 Do Q /Fm1 Do /Pattern cs /P1 scn 9 9 9 9 re f"
    b" /Span << /MCID 0 >> BDC BT /F1 9 Tf 72 90 Td (valid) Tj ET EMC"
)
IMAGE = b"/Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8"
TILE = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 1 /YStep 1 /Resources << >>"

# What each object is, as it stands and as an attacker would have it.
THINGS: dict[str, tuple[int, Body, Body]] = {
    "what the page draws": (11, stream(CONTENT), stream(CONTENT.replace(b"001", b"999"))),
    "the resources": (
        60,
        (
            b"<< /Font << /F1 3 0 R >> /XObject << /Im1 74 0 R /Fm1 76 0 R >> /ExtGState << /GS1 77 0 R >>"
            b" /ColorSpace << /Cs1 78 0 R >> /Pattern << /P1 79 0 R >> /Properties << /Layer 80 0 R >> >>"
        ),
        b"<< /Font << /F1 3 0 R >> >>",
    ),
    "the font": (
        3,
        (
            b"<< /Type /Font /Subtype /TrueType /BaseFont /Own /FontDescriptor 71 0 R /ToUnicode 73 0 R"
            b" /FirstChar 48 /LastChar 49 /Widths 70 0 R >>"
        ),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>",
    ),
    "the widths of glyphs": (70, b"[500 500]", b"[0 0]"),
    "the font's description": (
        71,
        b"<< /Type /FontDescriptor /FontName /Own /Flags 32 /FontFile2 72 0 R >>",
        b"<< /Type /FontDescriptor /FontName /Own /Flags 4 /FontFile2 74 0 R >>",
    ),
    "the font's program": (72, stream(b"glyphs"), stream(b"glyphs of others")),
    "what its letters mean": (73, stream(b"<30> <0030>"), stream(b"<30> <0039>")),
    "the picture": (
        74,
        stream(b"\0", IMAGE + b" /ColorSpace /DeviceGray /SMask 75 0 R"),
        stream(b"\xff", IMAGE + b" /ColorSpace /DeviceGray /SMask 75 0 R"),
    ),
    "the picture's mask": (
        75,
        stream(b"\xff", IMAGE + b" /ColorSpace /DeviceGray"),
        stream(b"\0", IMAGE + b" /ColorSpace /DeviceGray"),
    ),
    "a drawing": (76, drawn(b"stamp"), drawn(b"other")),
    "a state of drawing": (77, b"<< /Type /ExtGState /ca 1 >>", b"<< /Type /ExtGState /ca 0 >>"),
    "a space of colours": (78, b"[/Indexed /DeviceRGB 0 <000000>]", b"[/Indexed /DeviceRGB 0 <ffffff>]"),
    "a pattern": (79, stream(b"0 0 1 1 re f", TILE), stream(b"0 0 9 9 re f", TILE)),
    "a layer": (80, b"<< /Type /OCG /Name (Shown) >>", b"<< /Type /OCG /Name (Hidden) >>"),
    "which layers are shown": (
        81,
        b"<< /OCGs [80 0 R] /D << /ON [80 0 R] >> >>",
        b"<< /OCGs [80 0 R] /D << /OFF [80 0 R] >> >>",
    ),
    "the tree of structure": (
        82,
        b"<< /Type /StructTreeRoot /K 83 0 R >>",
        b"<< /Type /StructTreeRoot /K 83 0 R /RoleMap << /Span /Artifact >> >>",
    ),
    "what is read out": (
        83,
        b"<< /Type /StructElem /S /Span /P 82 0 R /Pg 10 0 R /K 0 /ActualText (valid) >>",
        b"<< /Type /StructElem /S /Span /P 82 0 R /Pg 10 0 R /K 0 /ActualText (void) >>",
    ),
    "where names lead": (84, b"<< /Names [(a) [10 0 R /Fit]] >>", b"<< /Names [(a) [10 0 R /FitB]] >>"),
    "an embedded file's name": (
        85,
        b"<< /Type /Filespec /F (a.json) /UF (a.json) /EF << /F 86 0 R >> >>",
        b"<< /Type /Filespec /F (a.exe) /UF (a.exe) /EF << /F 86 0 R >> >>",
    ),
    "an embedded file": (86, stream(b'{"number": "001"}'), stream(b'{"number": "999"}')),
    "the outline": (
        87,
        b"<< /Type /Outlines /First 88 0 R /Last 88 0 R /Count 1 >>",
        b"<< /Type /Outlines /First 88 0 R /Last 88 0 R /Count -1 >>",
    ),
    "a line of the outline": (
        88,
        b"<< /Title (Licence) /Parent 87 0 R /Dest [10 0 R /Fit] >>",
        b"<< /Title (Licence) /Parent 87 0 R /A << /S /URI /URI (http://a.test) >> >>",
    ),
    "a link": (
        90,
        b"<< %b /Subtype /Link /Rect [9 9 99 20] /A 91 0 R >>" % ANNOTATION,
        b"<< %b /Subtype /Link /Rect [0 0 595 842] /A 91 0 R >>" % ANNOTATION,
    ),
    "where a link leads": (91, b"<< /S /URI /URI (http://a.test) >>", b"<< /S /URI /URI (http://b.test) >>"),
    "a note's look": (93, drawn(b"checked"), drawn(b"void")),
    "a note": (
        92,
        b"<< %b /Subtype /FreeText /Rect [300 9 400 20] /Contents (checked) /AP << /N 93 0 R >> >>"
        % ANNOTATION,
        b"<< %b /Subtype /FreeText /Rect [0 0 595 842] /Contents (void) /AP << /N 93 0 R >> >>" % ANNOTATION,
    ),
    "the intended colours": (
        94,
        b"<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) >>",
        b"<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (CMYK) >>",
    ),
}


def rich() -> Paper:
    """The page, not signed yet, with a form of three fields."""
    objects = one_page()
    objects |= {number: body for number, body, _ in THINGS.values()}
    objects[1] = {
        "Type": b"/Catalog",
        "Pages": b"2 0 R",
        "OCProperties": b"81 0 R",
        "StructTreeRoot": b"82 0 R",
        "Names": b"<< /Dests 84 0 R /EmbeddedFiles << /Names [(a.json) 85 0 R] >> >>",
        "Outlines": b"87 0 R",
        "OutputIntents": b"[94 0 R]",
        "MarkInfo": b"<< /Marked true >>",
    }
    page = objects[10]
    assert isinstance(page, dict)
    objects[10] = {**page, "Resources": b"60 0 R"}
    paper = Paper(objects)
    paper.notes += [90, 92]
    font = b"<< /Font << /F1 3 0 R >> >>"
    return paper.form(dict(FIELDS), LOOKS, DA=b"(/F1 12 Tf)", DR=font)
