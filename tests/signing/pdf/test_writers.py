"""Writers put seals into files: ours where the structure is plain or orderly, pyHanko's everywhere else."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from world.desk import Desk, append_revision, plain_pdf, png, red_face
from world.mutants import Edit, drawn_edits, edited
from world.pdf_bytes import byte_range
from world.pdf_files import one_page, with_form
from world.pki import NOON

from signing.pdf import SealFace, preparing, verify, writers
from signing.pdf._pyhanko import Editing
from signing.pdf.frame import Frame
from signing.pdf.profiles.addition import Addition
from signing.pdf.update import NotPlain, PlainEditing
from yinxin.base.errors import YinxinError

DESK = Desk()
REVOCATION = DESK.revocation()
PAGE = b"<< /Type /Page /Parent 2 0 R /Contents 11 0 R >>"
QUICK = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pdf: bytes) -> None:
        raise AssertionError("pyHanko was asked")

    monkeypatch.setattr("signing.pdf._pyhanko.Editing", refuse)


@pytest.mark.usefixtures("only_ours")
@pytest.mark.parametrize(
    "pdf",
    [
        plain_pdf(),
        plain_pdf(pages=3, files={"a.json": b"{}"}),
        plain_pdf().rstrip(),
        plain_pdf().replace(b"%PDF-1.7", b"%PDF-2.0"),
        one_page("/Annots [] /Rotate 90 /CropBox [10 10 300 300] /UserUnit 2"),
        one_page("/MediaBox [595 842 0 -0.5] /PieceInfo << /A << /B [(x\\)) <00> null] >> >>"),
        one_page(trailer="/ID [(a\\)b) <00ff>]"),
        plain_pdf().replace(b"%PDF-1.7", b"%PDF-1.4"),
        plain_pdf().replace(b"startxref", b"%a maker\r\n% and another\nstartxref"),
        one_page(catalogue="/AcroForm << /Fields [] >>"),
        with_form("/FT /Tx /T (Seal1)", form="/SigFlags 0 /DA (/Helv 0 Tf)"),
        with_form("/FT /Btn /T <FEFF590D6838>", apart=True),
        with_form("/FT /Sig /T (waits)", apart=True, form="/Q 0"),
    ],
)
def test_a_plain_file_is_sealed_without_the_library(pdf: bytes) -> None:
    for stamped in (False, True):
        for face in (None, red_face()):
            sealed = DESK.seal(pdf, face=face, stamped=stamped, reason="准予", field="复核章")
            assert sealed.startswith(pdf)
            (signature,) = DESK.verify(sealed, revocation=REVOCATION).require().signatures
            assert (signature.reason, signature.field) == ("准予", "复核章")
            assert signature.covers_whole_file


@pytest.mark.usefixtures("only_ours")
def test_what_the_typesetter_writes_is_plain() -> None:
    typst = pytest.importorskip("typst")
    pdf = typst.compile(b"#set page(width: 100mm, height: 80mm)\n#pagebreak()\n#pagebreak()")
    for page in (0, 1, -1):
        report = DESK.verify(DESK.seal(pdf, face=red_face(), page=page), revocation=REVOCATION)
        assert report.passed


NOT_PLAIN = {
    "a second revision": append_revision(plain_pdf(), {10: PAGE}),
    "a form of another kind": one_page(catalogue="/AcroForm << /Fields [] /XFA 20 0 R >>"),
    "a form that is drawn anew": one_page(catalogue="/AcroForm << /Fields [] /NeedAppearances true >>"),
    "a form without fields": one_page(catalogue="/AcroForm << >>"),
    "a form elsewhere": one_page(catalogue="/AcroForm 20 0 R"),
    "a field twice": with_form("/FT /Tx /T (a)", fields="[20 0 R 20 0 R]"),
    "fields elsewhere": with_form("/FT /Tx /T (a)", fields="20 0 R"),
    "a field of fields": with_form("/FT /Tx /T (a) /Kids []"),
    "a field in fields": with_form("/FT /Tx /T (a) /Parent 9 0 R"),
    "a field of no kind": with_form("/T (a)"),
    "a field without a name": with_form("/FT /Tx"),
    "a field with a name of signs": with_form("/FT /Tx /T (a\\051)"),
    "a signature": with_form("/FT /Sig /T (a) /V 11 0 R"),
    "a field that locks": with_form("/FT /Sig /T (a) /Lock << >>"),
    "a field of our name": with_form("/FT /Sig /T (Seal1)"),
    "a page that is a field": one_page("/FT /Tx /T (a)", catalogue="/AcroForm << /Fields [10 0 R] >>"),
    "permissions": one_page(catalogue="/Perms << >>"),
    "extensions": one_page(catalogue="/Extensions << >>"),
    "a version in the catalogue": one_page(catalogue="/Version /1.7"),
    "an identity of another": one_page(trailer="/ID null /More << /ID [<00> <01>] >>"),
    "two identities": one_page(trailer="/ID [<00> <01>] /More << /ID [<00> <01>] >>"),
    "an identity in a text": one_page(trailer="/More (/ID [<00> <01>])"),
    "a key twice": one_page(catalogue="/Lang (a) /Lang (b)"),
    "a key with a sign": one_page(catalogue="/L#61ng (a)"),
    "a comment": one_page(catalogue="% here\n"),
    "a comment in a page": one_page("% here\n"),
    "annotations elsewhere": one_page("/Annots 20 0 R"),
    "a size elsewhere": one_page("/MediaBox 20 0 R"),
    "half a turn of a degree": one_page("/Rotate 0.5"),
    "another parent": one_page().replace(b"/Parent 2 0 R", b"/Parent 1 0 R"),
    "a page with kids": one_page("/Kids [11 0 R]"),
    "a stream of references": one_page(trailer="/XRefStm 9"),
    "an identity of one": one_page(trailer="/ID [<00>]"),
    "encryption": one_page(trailer="/Encrypt 9 0 R"),
    "a version to come": plain_pdf().replace(b"%PDF-1.7", b"%PDF-1.8"),
    "something before": b"\n" + plain_pdf(),
    "something behind": plain_pdf() + b"% a remark",
    "an object of two sections": plain_pdf().replace(b"3 1\n", b"2 1\n"),
    "a table larger than it says": plain_pdf().replace(b"/Size 12", b"/Size 11"),
    "deep nesting": one_page("/PieceInfo " + "[" * 9 + "]" * 9),
    "nothing": b"",
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_library(name: str) -> None:
    frame = Frame("Seal1", 0, certify=True, appearance=None)
    with pytest.raises(NotPlain):
        PlainEditing(NOT_PLAIN[name]).prepare(frame, digest_algorithm="sha256", reserve=10)


def facts(pdf: bytes) -> tuple[Any, ...]:
    """What a seal's update says, numbers of objects and lengths aside."""
    reader = PdfFileReader(io.BytesIO(pdf))
    (found,) = reader.embedded_signatures
    widget, value, page = found.sig_field, found.sig_object, found.sig_field["/P"]
    rectangle = [round(float(number), 3) for number in widget["/Rect"]]
    keys = {"/Type", "/Filter", "/SubFilter", "/M", "/Reason", "/Location"}
    shown = widget["/AP"]["/N"] if "/AP" in widget else None
    picture = shown["/Resources"]["/XObject"]["/Face"] if shown is not None else None
    return (
        sorted(reader.root),
        reader.root["/AcroForm"]["/SigFlags"],
        str(reader.root["/Extensions"]),
        "/Perms" in reader.root and str(value["/Reference"]),
        rectangle,
        sorted(widget),
        [widget[key] for key in ("/FT", "/T", "/Subtype", "/F")],
        {key: str(value[key]) for key in keys if key in value},
        sorted(page),
        len(page["/Annots"]),
        shown is not None
        and [[round(float(number), 3) for number in shown[key]] for key in ("/BBox", "/Matrix")],
        shown is not None
        and [
            [_value(word) for word in shown.data.split()],
            picture.encoded_data,
            picture["/SMask"].encoded_data,
        ],
        sorted(picture) if picture is not None else (),
    )


def _value(word: bytes) -> Any:
    try:
        return float(word)
    except ValueError:
        return word


sides = st.integers(130, 2000)
corners = st.integers(-300, 300)
texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))


@QUICK
@given(
    st.tuples(corners, corners, sides, sides),
    st.sampled_from([0, 90, 180, 270, -90, 450]),
    st.booleans(),
    texts,
    texts,
    st.booleans(),
)
def test_both_writers_say_the_same(
    box: tuple[int, int, int, int],
    rotate: int,
    cropped: bool,  # noqa: FBT001 - drawn
    reason: str | None,
    location: str | None,
    certify: bool,  # noqa: FBT001 - drawn
) -> None:
    x, y, width, height = box
    crop = f"/CropBox [{x} {y} {x + width - 7} {y + height - 3}]" if cropped else ""
    pdf = one_page(f"/MediaBox [{x} {y} {x + width} {y + height}] /Rotate {rotate} {crop}")
    assert PlainEditing(pdf).page_box(0) == Editing(pdf).page_box(0)
    asked = {"face": red_face(30, 20), "stamped": False, "reason": reason, "location": location}
    ours = DESK.seal(pdf, certify=certify, **asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparing, "PlainEditing", _never)
        orderly = DESK.seal(pdf, certify=certify, **asked)
        patch.setattr(writers, "OrderlyEditing", _never)
        theirs = DESK.seal(pdf, certify=certify, **asked)
    assert facts(ours) == facts(theirs) == facts(orderly)
    report = verify(ours, DESK.trust, revocation=REVOCATION, now=NOON)
    assert report.passed, report.reasons


def _never(_pdf: bytes) -> None:
    raise NotPlain


def test_both_writers_say_the_same_of_a_final_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"stamped": False, "addition": Addition(is_final=True, is_certifying=True)}
    ours = DESK.seal(plain_pdf(), **asked)
    monkeypatch.setattr(preparing, "PlainEditing", _never)
    assert facts(ours) == facts(DESK.seal(plain_pdf(), **asked))
    monkeypatch.setattr(writers, "OrderlyEditing", _never)
    assert facts(ours) == facts(DESK.seal(plain_pdf(), **asked))
    assert b"/P 1>>" in ours
    assert DESK.verify(ours, revocation=REVOCATION).passed


@pytest.mark.parametrize(
    "pdf",
    [
        plain_pdf().replace(b"%PDF-1.7", b"%PDF-1.3"),
        one_page(catalogue="/AcroForm << /Fields [] >>"),
        with_form("/FT /Tx /T (Seal1)", form="/SigFlags 1 /DA (/Helv 0 Tf)"),
        with_form("/FT /Btn /T (x)", apart=True),
    ],
)
def test_both_writers_say_the_same_of_older_files_and_of_forms(
    pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [DESK.seal(pdf, stamped=False)]
    for module, writer in ((preparing, "PlainEditing"), (writers, "OrderlyEditing")):
        monkeypatch.setattr(module, writer, _never)
        made.append(DESK.seal(pdf, stamped=False))
    assert facts(made[0]) == facts(made[1]) == facts(made[2])
    said = [PdfFileReader(io.BytesIO(sealed)).root for sealed in made]
    assert len({str(root.get("/Version")) for root in said}) == 1
    assert len({str(sorted(root["/AcroForm"])) for root in said}) == 1


@pytest.mark.parametrize("face", [None, red_face(), SealFace(png(16, 9, kind=2), 40, 30)])
def test_every_offset_leads_to_its_object(face: SealFace | None) -> None:
    pdf = plain_pdf().rstrip()
    sealed = DESK.seal(pdf, face=face, stamped=False, reason="x")
    first, start, end, length = byte_range(sealed)
    assert first == 0
    assert (sealed[start : start + 1], sealed[end - 1 : end]) == (b"<", b">")
    assert end + length == len(sealed)
    table = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n", sealed)[-1])
    rows = re.findall(rb"(\d+) 1\n(\d{10}) 00000 n \n", sealed[table:])
    assert len(rows) == (5 if face is None else 8 if face.picture.alpha else 7)
    for number, place in rows:
        assert sealed.startswith(number + b" 0 obj\n", int(place))
        assert int(place) > len(pdf)


@QUICK
@given(drawn_edits(b"<<", b">>", b"/", b"[", b"(", b"% ", b"0", b"9", b" R ", b"endobj", b"\xff"))
def test_whatever_is_read_only_our_errors_come_out(changes: list[Edit]) -> None:
    pdf = edited(one_page("/Rotate 90 /Annots []", trailer="/ID [<00> <01>]"), changes)
    frame = Frame("Seal1", 0, certify=True, appearance=None)
    try:
        editing = PlainEditing(pdf)
        box = editing.page_box(0)
        editing.prepare(frame, digest_algorithm="sha256", reserve=10)
        read_by_the_library = Editing(pdf).page_box(0)
    except (NotPlain, YinxinError):
        return
    assert box == read_by_the_library
