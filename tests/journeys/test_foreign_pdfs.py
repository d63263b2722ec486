"""PDFs as other makers write them, sealed and verified, and the seal looked for on the rendered page."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from shutil import which
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pytest
import typst
from PIL import Image, ImageDraw
from world.desk import Desk, plain_pdf

from credentials.face.fonts import font_directory
from signing.pdf import SealFace
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "行政许可决定书 Decision 2026-001"


def _typst(**options: object) -> bytes:
    source = f"#set document(date: datetime(year: 2026, month: 11, day: 1))\n= {TEXT}\n#lorem(300)".encode()
    fonts = {"font_paths": [font_directory()], "ignore_system_fonts": True}
    return typst.compile(source, **fonts, **options)  # type: ignore[call-overload, no-any-return]


def _again(pdf: bytes, change: Callable[[pikepdf.Pdf], object] = lambda _: None, **save: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        document.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


def _turned(degrees: int) -> Callable[[pikepdf.Pdf], object]:
    return lambda document: document.pages[0].rotate(degrees, relative=False)


def _cropped(document: pikepdf.Pdf) -> None:
    document.pages[0].cropbox = [100, 150, 500, 700]


def _far_from_origin(document: pikepdf.Pdf) -> None:
    document.pages[0].mediabox = [-300, -400, 295, 442]


def _enlarged_unit(document: pikepdf.Pdf) -> None:
    document.pages[0].obj["/UserUnit"] = 2


def _with_annotations_apart(document: pikepdf.Pdf) -> None:
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[10, 10, 60, 30], Border=[0, 0, 1]
    )
    document.pages[0].obj["/Annots"] = document.make_indirect(pikepdf.Array([document.make_indirect(link)]))


def _with_form(document: pikepdf.Pdf) -> None:
    box = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="Name", V="张三",
        Rect=[72, 600, 300, 620], F=4, P=document.pages[0].obj,
    )  # fmt: skip
    field = document.make_indirect(box)
    document.pages[0].obj["/Annots"] = pikepdf.Array([field])
    document.Root["/AcroForm"] = pikepdf.Dictionary(
        Fields=[field], NeedAppearances=True, DA="/Helv 10 Tf 0 g"
    )


def _scan(mode: str, **options: object) -> bytes:
    page = Image.new("RGB", (1240, 1754), "white")
    ImageDraw.Draw(page).rectangle((200, 200, 1000, 400), outline="black", width=5)
    out = io.BytesIO()
    page.convert(mode).save(out, "PDF", resolution=150, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _hybrid() -> bytes:
    """A hybrid-reference file (ISO 32000-2, 7.5.8.4): a table for old readers, a stream for new ones."""
    plain = plain_pdf()
    body = plain[: plain.index(b"xref\n")]
    stream_at = len(body)
    entry = struct.pack(">BIB", 1, stream_at, 0)
    packed = zlib.compress(entry)
    body += (
        b"20 0 obj\n<< /Type /XRef /Size 21 /W [1 4 1] /Index [20 1] /Root 1 0 R\n"
        b"/Filter /FlateDecode /Length %d >>\n"
        b"stream\n%s\nendstream\nendobj\n" % (len(packed), packed)
    )
    table = plain[plain.index(b"xref\n") : plain.index(b"trailer")]
    trailer = b"trailer\n<< /Size 21 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n"
    return body + table + trailer % (stream_at, len(body))


MAKERS: dict[str, Callable[[], bytes]] = {
    "typst": _typst,
    "typst PDF/A-3b": lambda: _typst(pdf_standards="a-3b"),
    "typst PDF/A-2u": lambda: _typst(pdf_standards="a-2u"),
    "typst PDF 2.0": lambda: _typst(pdf_standards="2.0"),
    "scan in grey": lambda: _scan("L"),
    "scan in colour, many pages": lambda: _scan(
        "RGB", save_all=True, append_images=[Image.new("RGB", (600, 800), "white")]
    ),
    "scan in black and white": lambda: _scan("1"),
    "PDF 2.0": lambda: _again(plain_pdf(), force_version="2.0"),
    "PDF 1.4": lambda: _again(
        plain_pdf(), force_version="1.4", object_stream_mode=pikepdf.ObjectStreamMode.disable
    ),
    "linearised": lambda: _again(_typst(), linearize=True),
    "object streams": lambda: _again(_typst(), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "turned by 90": lambda: _again(_typst(), _turned(90)),
    "turned by 180": lambda: _again(_typst(), _turned(180)),
    "turned by 270": lambda: _again(_typst(), _turned(270)),
    "cropped": lambda: _again(_typst(), _cropped),
    "far from the origin": lambda: _again(_typst(), _far_from_origin),
    "large units": lambda: _again(_typst(), _enlarged_unit),
    "annotations apart": lambda: _again(_typst(), _with_annotations_apart),
    "a form": lambda: _again(_typst(), _with_form),
    "no end of line": lambda: plain_pdf().rstrip(b"\n"),
    "hybrid": _hybrid,
}


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def face() -> SealFace:
    """Red above, blue below, the left half stronger: so that a turned or mirrored one would be seen."""
    picture = Image.new("RGBA", (100, 60), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 99, 29), fill=(220, 0, 0, 255))
    draw.rectangle((0, 30, 99, 59), fill=(0, 0, 220, 255))
    draw.rectangle((50, 0, 99, 59), fill=(0, 160, 0, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return SealFace(out.getvalue(), 50, 30)


def rendered(pdf: bytes) -> Image.Image:
    """The last page at one pixel for each point, forms drawn."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    try:
        page = document[len(document) - 1]
        return page.render(scale=1).to_pil().convert("RGB")
    finally:
        document.close()


def colour(picture: Image.Image, x: float, y: float) -> str:
    """The main colour at a point counted from the lower left."""
    red, green, blue = picture.getpixel((int(x), int(picture.height - y)))  # type: ignore[misc]
    strongest = max((red, "red"), (green, "green"), (blue, "blue"))
    return strongest[1] if min(red, green, blue) < 120 else "white"


def look(pdf: bytes, x: float, y: float, width: float, height: float) -> list[str]:
    """What is seen in the face's upper left, lower left and right."""
    picture = rendered(pdf)
    places = ((0.25, 0.75), (0.25, 0.25), (0.75, 0.5))
    return [colour(picture, x + u * width, y + v * height) for u, v in places]


@pytest.mark.parametrize("maker", MAKERS)
def test_sealed_and_verified(desk: Desk, face: SealFace, maker: str, tmp_path: Path) -> None:
    original = MAKERS[maker]()
    sealed = desk.seal(original, face=face, reason="准予许可")
    assert sealed.startswith(original)
    report = desk.verify(sealed)
    assert report.passed, (report.reasons, [check for check in report.checks if check.reason])
    picture = rendered(sealed)
    unit = 2 if maker == "large units" else 1
    width, height = 50 * 72 / 25.4 / unit, 30 * 72 / 25.4 / unit
    seen = look(sealed, picture.width - 36 - width, 36, width, height)
    assert seen == ["red", "blue", "green"], picture.size
    assert _checked_by_qpdf(sealed, tmp_path)


def _checked_by_qpdf(pdf: bytes, folder: Path) -> bool:
    if which("qpdf") is None:
        return True
    (folder / "sealed.pdf").write_bytes(pdf)
    ran = subprocess.run(["qpdf", "--check", "sealed.pdf"], cwd=folder, capture_output=True, check=False)
    # A linearised file that was updated is no longer linearised, and qpdf says so as a warning.
    return ran.returncode == 0 or (ran.returncode == 3 and b"linearization" in ran.stdout + ran.stderr)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_stated_place_is_that_of_the_page_as_it_is_shown(desk: Desk, face: SealFace, degrees: int) -> None:
    sealed = desk.seal(_again(_typst(), _turned(degrees)), face=face, at=(40, 60))
    assert look(sealed, 40, 60, 50 * 72 / 25.4, 30 * 72 / 25.4) == ["red", "blue", "green"]


def test_sealed_again_by_several_offices(desk: Desk, face: SealFace) -> None:
    for maker in ("typst PDF/A-3b", "linearised", "object streams", "PDF 2.0", "scan in grey", "a form"):
        document = MAKERS[maker]()
        for office in range(3):
            document = desk.seal(document, face=face, at=(40, 40 + 120 * office))
        report = desk.verify(document)
        assert report.passed, (maker, [check for check in report.checks if check.reason])
        assert len(report.require().signatures) == 3


def test_a_hybrid_file_is_sealed_twice_and_verified(desk: Desk) -> None:
    """Both seals stand behind its two tables, each in an update of one table."""
    twice = desk.seal(desk.seal(_hybrid()))
    assert [one.covers_whole_file for one in desk.verify(twice).require().signatures] == [False, True]


@pytest.mark.parametrize("user", ["", "secret"])
def test_an_encrypted_file_is_refused_with_a_next_step(desk: Desk, user: str) -> None:
    locked = _again(plain_pdf(), encryption=pikepdf.Encryption(owner="owner", user=user))
    with pytest.raises(MalformedInput, match="password"):
        desk.seal(locked)
    report = desk.verify(locked)
    assert report.reasons == {Reason.ENCRYPTED_DOCUMENT}
    (reason,) = report.reasons
    assert reason.next_step.zh


def test_pdf_a_keeps_its_metadata(desk: Desk, face: SealFace) -> None:
    original = _typst(pdf_standards="a-3b")
    sealed = desk.seal(original, face=face)
    with pikepdf.open(io.BytesIO(sealed)) as after, pikepdf.open(io.BytesIO(original)) as before:
        assert bytes(after.Root.Metadata.read_bytes()) == bytes(before.Root.Metadata.read_bytes())
        assert b"pdfaid:part>3" in after.Root.Metadata.read_bytes()
        assert after.docinfo == before.docinfo
        widget = after.pages[-1].Annots[0]
        # ISO 19005-3, 6.3: an annotation that is shown has an appearance, prints, and is not hidden.
        assert "/N" in widget.AP
        assert int(widget.F) & 0b100111 == 0b100


@pytest.mark.peer
def test_a_document_of_libreoffice(desk: Desk, face: SealFace, tmp_path: Path) -> None:
    if which("soffice") is None:
        pytest.skip("no LibreOffice: apt-get install --no-install-recommends libreoffice-writer-nogui")
    (tmp_path / "letter.html").write_text(
        f"<html><meta charset=utf-8><h1>{TEXT}</h1><p>正文</p></html>", "utf-8"
    )
    own = f"-env:UserInstallation=file://{tmp_path}/profile"
    kinds = ("pdf", 'pdf:writer_web_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"3"}}')
    for kind in kinds:
        ran = subprocess.run(
            ["soffice", own, "--headless", "--convert-to", kind, "letter.html"],
            cwd=tmp_path, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        made = tmp_path / "letter.pdf"
        assert made.is_file(), ran.stderr
        once = desk.seal(made.read_bytes(), face=face)
        twice = desk.seal(once, face=face, at=(40, 40))
        assert desk.verify(once).passed
        assert desk.verify(twice).passed
        assert _checked_by_qpdf(twice, tmp_path)
        made.unlink()
