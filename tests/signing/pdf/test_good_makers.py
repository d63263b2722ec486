"""Good files as other makers write them, rebuilt by hand: their layouts, their order of keys, their updates.

Nothing here is copied; what a maker does was read from what it writes. No file may be refused.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from world.asn1_open import opened
from world.pdf_paper import (
    HEAD,
    PADES,
    PKCS7,
    ROOM,
    SLOT,
    Body,
    Paper,
    contents_by,
    filled,
    one_page,
    stream,
)
from world.pdf_rich import check_box, choice, drawn, rich, text_field
from world.pki import NOON

from signing import cms, der
from signing.algorithms import algorithm

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

    from signing.signers.file import FileSigner

LAYOUTS = ("table", "stream", "packed", "hybrid")
DATE = b"/M (D:20261120120000+08'00')"


def passes(desk: Desk, pdf: bytes, signatures: int = 1) -> None:
    report = desk.verify(pdf)
    assert report.passed, [(check.name, check.detail) for check in report.checks if check.reason]
    assert len(report.require().signatures) == signatures


@pytest.mark.parametrize("second", LAYOUTS)
@pytest.mark.parametrize("first", LAYOUTS)
def test_layouts(desk: Desk, first: str, second: str) -> None:
    paper = Paper(layout=first)
    paper.layout = second
    passes(desk, paper.sign(desk.agency, permission=2).pdf)


# What makers do with one signature over the whole file.
def line_ends(desk: Desk, end: bytes) -> Paper:
    """Lines that end otherwise, in what was there before the signature."""
    paper = Paper()
    text = b"%PDF-1.6" + end + b"%\xe2\xe3\xcf\xd3" + end
    places = {}
    for number, body in one_page().items():
        places[number] = len(text)
        shown = (
            body
            if isinstance(body, bytes)
            else b"<<"
            + end
            + end.join(b"/%b %b" % (key.encode(), value) for key, value in body.items())
            + end
            + b">>"
        )
        text += (b"%d 0 obj" + end + b"%b" + end + b"endobj" + end) % (number, shown)
    start = len(text)
    rows = {
        0: b"0000000000 65535 f",
        **{number: b"%010d 00000 n" % place for number, place in places.items()},
    }
    text += b"xref" + end
    for number, row in rows.items():
        text += b"%d 1" % number + end + row + (end if len(end) == 2 else b" " + end)
    text += b"trailer" + end + b"<</Size 12/Root 1 0 R>>" + end + b"startxref" + end + b"%d" % start + end
    paper.pdf = text + b"%%EOF" + end
    return paper.sign(desk.agency)


def with_time(desk: Desk) -> Callable[[bytes], bytes]:
    """With a signing time inside, as PKCS #7 makers do."""
    return lambda signed: cms.sign(
        desk.agency,
        hashlib.sha256(signed).digest(),
        attributes=[cms.attribute(cms.SIGNING_TIME, der.time(NOON))],
    )


def stamped(desk: Desk, signer: FileSigner | None = None) -> Callable[[bytes], bytes]:
    return lambda signed: cms.sign(
        signer or desk.agency,
        hashlib.sha256(signed).digest(),
        stamp=lambda value: desk.tsa.stamp(hashlib.sha256(value).digest()),
    )


def by_pss(desk: Desk) -> Callable[[bytes], bytes]:
    """RSASSA-PSS by SHA-512, salt as long as the hash."""
    signer = desk.pki.issuing.issue("PSS Agency", "seal", key_kind="RSA-2048")
    key = signer._private_key
    signer.algorithm = algorithm("PS512")
    scheme = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
    signer.sign = lambda message: key.sign(message, scheme, hashes.SHA512())  # type: ignore[method-assign]
    return lambda signed: cms.sign(signer, hashlib.sha512(signed).digest())


def of_kind(desk: Desk, kind: str) -> FileSigner:
    return desk.pki.issuing.issue(f"{kind} agency", "seal", key_kind=kind)


def trimmed(desk: Desk) -> Paper:
    paper = Paper().slot()
    paper.pdf = filled(paper.pdf.rstrip(b"\n"), desk.agency)
    return paper


def alone(desk: Desk) -> Paper:
    """Written in one go, signature and all, as LibreOffice does."""
    objects = one_page()
    value = b"<< /Type /Sig /SubFilter %b /Contents <%b>\n%b\n/Filter /Adobe.PPKMS %b >>"
    objects |= {
        1: {"Type": b"/Catalog", "Pages": b"2 0 R", "AcroForm": b"<< /Fields [40 0 R] /SigFlags 3 >>"},
        40: b"<< /Type /Annot /Subtype /Widget /F 132 /Rect [0 0 0 0] /FT /Sig /P 10 0 R /T (Signature1)"
        b" /V 41 0 R /DV 41 0 R >>",
        41: value % (PADES, b"00" * ROOM, SLOT, DATE),
    }
    page = objects[10]
    assert isinstance(page, dict)
    objects[10] = {**page, "Annots": b"[40 0 R]"}
    paper = Paper(objects, head=HEAD.replace(b"1.7", b"1.6"))
    paper.pdf = filled(paper.pdf, desk.agency)
    return paper


def packed_rich() -> Paper:
    paper = rich()
    paper.layout = "packed"
    return paper


def empty_field(value: bytes = b"") -> Paper:
    field: dict[int, Body] = {
        30: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Later) /P 10 0 R /Rect [0 0 0 0] %b >>" % value
    }
    return Paper().form(field)


def named_below(desk: Desk) -> Paper:
    """A form whose field stands below a group, and the signature beside it."""
    paper = Paper()
    paper.notes += [31]
    paper.fields += [30]
    group = b"<< /T (Group) /Kids [31 0 R] >>"
    text = b"<< /Type /Annot /Subtype /Widget /Parent 30 0 R /FT /Tx /T (Name) /V (x) /Rect [9 9 99 20] >>"
    return paper.sign(desk.agency, more={30: group, 31: text})


def split_widget(desk: Desk) -> Paper:
    """Field and widget are two objects; several widgets would be possible so."""
    paper = Paper().slot()
    number, value = paper.fields[-1], paper.fields[-1] + 1
    paper = Paper()
    paper.notes += [60]
    more: dict[int, Body] = {
        number: b"<< /FT /Sig /T (Signature1) /V %d 0 R /Kids [60 0 R] >>" % value,
        60: b"<< /Type /Annot /Subtype /Widget /Parent %d 0 R /P 10 0 R /Rect [0 0 0 0] /F 132 >>" % number,
    }
    return paper.sign(desk.agency, more=more)


def form_inside(desk: Desk) -> Paper:
    paper = Paper()
    inside = paper.entry(1, AcroForm=b"<< /Fields 21 0 R /SigFlags 3 /DR << >> >>")
    return paper.sign(desk.agency, more={1: inside, 21: b"[40 0 R]"})


def inherited() -> Paper:
    """A page tree of two floors, where boxes, turn and resources come from above."""
    objects = one_page()
    objects |= {
        2: b"<< /Type /Pages /Kids [4 0 R] /Count 1/MediaBox [0 0 595 842] /Rotate 90 /CropBox [9 9 90 90]>>",
        4: b"<< /Type /Pages /Parent 2 0 R /Kids [10 0 R] /Count 1 /Resources << /Font << /F1 3 0 R >> >> >>",
        10: {"Type": b"/Page", "Parent": b"4 0 R", "Contents": b"[11 0 R]"},
    }
    return Paper(objects)


WHOLE: dict[str, Callable[[Desk], Paper]] = {
    "PKCS #7": lambda d: Paper().sign(d.agency, kind=PKCS7),
    "PKCS #7 with a signing time": lambda d: Paper().sign(with_time(d), kind=PKCS7),
    "CAdES with a signing time": lambda d: Paper().sign(with_time(d)),
    "a time-stamp in it": lambda d: Paper().sign(stamped(d)),
    "BER with open lengths": lambda d: Paper().sign(lambda signed: opened(contents_by(d.agency)(signed))),
    "BER with a time-stamp in it": lambda d: Paper().sign(lambda signed: opened(stamped(d)(signed))),
    "RSA of 2048 bits": lambda d: Paper().sign(of_kind(d, "RSA-2048")),
    "RSA of 3072 bits": lambda d: Paper().sign(of_kind(d, "RSA-3072")),
    "RSA-PSS": lambda d: Paper().sign(by_pss(d)),
    "P-384": lambda d: Paper().sign(of_kind(d, "P-384")),
    "Ed25519": lambda d: Paper().sign(of_kind(d, "Ed25519")),
    "a byte range without spaces": lambda d: Paper().sign(d.agency, place=SLOT.replace(b" [", b"[")),
    "contents before the byte range": lambda d: Paper().sign(d.agency, place=b"", entries=DATE + b" " + SLOT),
    "all that Acrobat says": lambda d: Paper().sign(
        d.agency,
        kind=PKCS7,
        entries=DATE
        + b"/Name(Zhang)/Reason<FEFF51C651C6>/Location(Jin)/ContactInfo(x)"
        + b"/Prop_Build<</App<</Name/Acrobat#20Pro#20DC/OS[/Win]/R 1245184/TrustedMode true>>"
        + b"/Filter<</Date(2026)/Name/Adobe.PPKLite/R 131104/V 2>>/PubSec<</NonEFontNoWarn true>>>>",
    ),
    "a look of layers": lambda d: Paper().sign(
        d.agency,
        widget=b"/Rect [20 20 120 60] /F 132 /AP << /N 200 0 R >> /MK << >>",
        more={
            200: stream(
                b"q 1 0 0 1 0 0 cm /FRM Do Q",
                b"/Subtype /Form /BBox [0 0 100 40] /Resources << /XObject << /FRM 201 0 R >> >>",
            ),
            201: stream(
                b"q /n0 Do Q /n2 Do",
                b"/Subtype /Form /BBox [0 0 100 40] /Resources << /XObject << /n0 202 0 R /n2 203 0 R >> >>",
            ),
            202: stream(b"% DSBlank", b"/Subtype /Form /BBox [0 0 100 100]"),
            203: drawn(b"Zhang"),
        },
    ),
    "a mark of the maker before startxref": lambda d: Paper().sign(d.agency, behind=b"%iText-Core-9.4.0\n"),
    "no end of line at the end": trimmed,
    "lines that end with a carriage return": lambda d: line_ends(d, b"\r"),
    "lines that end with both": lambda d: line_ends(d, b"\r\n"),
    "PDF 1.4": lambda d: Paper(head=b"%PDF-1.4\n").sign(d.agency),
    "PDF 2.0": lambda d: Paper(head=HEAD.replace(b"1.7", b"2.0")).sign(d.agency),
    "a version in the catalogue": lambda d: (
        (p := Paper()).write({1: p.entry(1, Version=b"/2.0")}).sign(d.agency)
    ),
    "extensions in the catalogue": lambda d: (
        (p := Paper())
        .write({1: p.entry(1, Extensions=b"<< /ESIC << /BaseVersion /1.7 /ExtensionLevel 2 >> >>")})
        .sign(d.agency)
    ),
    "identifiers and information": lambda d: Paper(
        {**one_page(), 12: b"<< /Title (Licence) /Producer (x) /ModDate (D:20261120) >>"},
        trailer=b" /Info 12 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]",
    ).sign(d.agency),
    "one revision alone": alone,
    "a form that was filled in": lambda d: (
        rich()
        .write(
            {
                30: text_field(b"Li"),
                31: drawn(b"Li"),
                32: check_box(b"Yes"),
                35: choice(b"(b)"),
                36: drawn(b"b"),
            }
        )
        .sign(d.agency)
    ),
    "everything on the page": lambda d: rich().sign(d.agency, permission=1),
    "everything on the page, packed": lambda d: packed_rich().sign(d.agency, permission=3),
    "an empty field beside": lambda d: empty_field().sign(d.agency),
    "an empty field whose value is null": lambda d: empty_field(b"/V null").sign(d.agency),
    "names below names": named_below,
    "a field whose widget is a kid": split_widget,
    "a form that is part of the catalogue": form_inside,
    "a page of inherited things": lambda d: inherited().sign(d.agency),
    "objects that nothing leads to": lambda d: Paper().write({60: stream(b"x")}).sign(d.agency),
    "numbers that are free": lambda d: Paper().write({}, freed=(60, 61)).sign(d.agency),
    "comments between objects": lambda d: Paper().write({60: b"1"}, before=b"% a comment\n").sign(d.agency),
}


@pytest.mark.parametrize("name", WHOLE)
def test_one_signature_over_the_whole_file(desk: Desk, name: str) -> None:
    passes(desk, WHOLE[name](desk).pdf)
