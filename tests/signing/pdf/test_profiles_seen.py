"""What a reader of pages sees: slices that make a seal, faces that stand upright, notes on copies.

Pages are drawn by pdfium and looked at as pictures.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from PIL import Image, ImageChops
from world.desk import Desk, append_revision, plain_pdf, png
from world.pki import NOON

from credentials.face.copy_note import draw_copy_note
from credentials.face.seal_face import draw_seal_face
from signing.pdf import Place, Seal, SealFace, prepare_joint, seal_as_agency, seal_copy, sign_jointly
from yinxin.base.errors import InvalidClaims, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

A4 = "/MediaBox [0 0 595 842]"
KINDS = {
    "all alike": [A4] * 3,
    "one upside down": [A4, f"{A4} /Rotate 180", A4],
    "turned": [f"/MediaBox [0 0 842 595] /Rotate {turn}" for turn in (90, 270, 90)],
    "cropped": [f"{A4} /CropBox [50 30 545 800]"] * 4,
    "cropped and turned": ["/MediaBox [-40 -30 860 700] /CropBox [0 10 800 600] /Rotate 270"] * 2,
    "several sizes": [A4, "/MediaBox [0 0 842 1191]", "/MediaBox [100 100 520 695]", A4],
    "another unit": ["/MediaBox [0 0 297.5 421] /UserUnit 2"] * 2,
    "twenty": [A4] * 20,
}


@pytest.fixture(scope="module")
def face() -> SealFace:
    return draw_seal_face("津城市市场监督管理局", code="MB1A00001", size_mm=42)


@pytest.fixture(scope="module")
def agency(desk: Desk, face: SealFace) -> Seal:
    return Seal(desk.agency, face=face)


def pages_of(kinds: Sequence[str]) -> bytes:
    """A file of empty pages, each with these entries."""
    pages = {
        10 + 2 * number: f"<< /Type /Page /Parent 2 0 R {entries} >>".encode()
        for number, entries in enumerate(kinds)
    }
    return append_revision(plain_pdf(pages=len(kinds)), pages)


def pictures(pdf: bytes, scale: float = 1) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()  # seals are widgets of a form
    try:
        return [page.render(scale=scale, may_draw_forms=True).to_pil().convert("RGB") for page in document]
    finally:
        document.close()


def redness(picture: Image.Image) -> Image.Image:
    red, green, _ = picture.split()
    return ImageChops.subtract(red, green)


@pytest.mark.parametrize("kind", KINDS)
def test_slices_laid_edge_to_edge_show_the_seal(desk: Desk, agency: Seal, face: SealFace, kind: str) -> None:
    boxes = KINDS[kind]
    document = seal_as_agency(agency, pages_of(boxes), now=NOON, straddles=True, at=(0, 0))
    assert desk.verify(document).passed
    seen = pictures(document, scale=2 if "UserUnit" not in boxes[0] else 4)
    side = 2 * 42 * 72 / 25.4
    lowest = min(page.height for page in seen)
    top = round((lowest - side) / 2)
    whole = Image.new("RGB", (round(side) + 2, round(side) + 2), "white")
    for number, page in enumerate(seen):
        left = side * number / len(seen)
        share = round(side * (number + 1) / len(seen)) - round(left)
        below = page.height - top - round(side)  # the same height above every lower edge
        strip = page.crop((page.width - share, below - 1, page.width, below + round(side) + 1))
        whole.paste(strip, (round(left), 0))
    alone = _alone(face, whole.size)
    difference = ImageChops.difference(redness(whole), redness(alone)).resize((24, 24), Image.Resampling.BOX)
    assert max(difference.tobytes()) < 90  # the letters stand where they should; edges may be half a dot off
    assert sum(redness(whole).histogram()[100:]) > 0.8 * sum(redness(alone).histogram()[100:])


def _alone(face: SealFace, size: tuple[int, int]) -> Image.Image:
    """The seal face on paper, without any file around it."""
    ink = Image.open(io.BytesIO(face.png)).resize((size[0] - 2, size[1] - 2), Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", size, "white")
    paper.alpha_composite(ink, (0, 1))
    return paper.convert("RGB")


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox [40 60 540 780]"])
def test_a_face_stands_upright_where_it_was_asked_for(desk: Desk, turn: int, crop: str) -> None:
    # Wider than high and red at the left alone: a picture that tells how it is turned.
    half = Image.new("RGBA", (40, 20), (0, 0, 255, 255))
    half.paste((255, 0, 0, 255), (0, 0, 20, 20))
    document = desk.seal(
        pages_of([f"{A4} /Rotate {turn} {crop}"]), face=_face_of(half, 60, 30), at=(100, 50), stamped=False
    )
    (page,) = pictures(document)
    width, height = 60 * 72 / 25.4, 30 * 72 / 25.4
    middle = page.height - 50 - height / 2
    assert page.getpixel((round(100 + width / 4), round(middle))) == (255, 0, 0)
    assert page.getpixel((round(100 + 3 * width / 4), round(middle))) == (0, 0, 255)
    for outside in ((95, middle), (105 + width, middle), (100 + width / 4, middle + height / 2 + 5)):
        assert page.getpixel((round(outside[0]), round(outside[1]))) == (255, 255, 255)


def _face_of(picture: Image.Image, width_mm: float, height_mm: float) -> SealFace:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return SealFace(out.getvalue(), width_mm, height_mm)


@pytest.fixture(scope="module")
def original(agency: Seal) -> bytes:
    return seal_as_agency(agency, plain_pdf(pages=2, files={"licence.json": b"{}"}), now=NOON, straddles=True)


def note(original: str = "0" * 64) -> SealFace:
    return draw_copy_note("津城市档案馆", "仅用于贷款申请", day=NOON.date(), original=original)


@pytest.mark.parametrize("embeds", [True, False])
def test_a_copy_says_of_what_by_whom_when_and_for_what(
    desk: Desk, agency: Seal, original: bytes, *, embeds: bool
) -> None:
    document = desk.verify(original).require()
    said = {"maker": "津城市档案馆", "purpose": "仅用于贷款申请"}
    copy = seal_copy(agency, original, document, **said, note=note(), now=NOON, embeds=embeds)
    report = desk.verify(copy)
    found = report.require()
    (finding,) = report.findings["signatures"]
    assert finding["commitments"] == ["copy"]
    stated = found.signatures[0].copy
    assert stated is not None
    assert (stated.original, stated.maker) == (document.pdf_digest, "津城市档案馆")
    assert finding["copy"] == {
        "original": document.pdf_digest,
        "embedded": embeds,
        "maker": "津城市档案馆",
        "made": NOON.isoformat(),
        "purpose": "仅用于贷款申请",
    }
    assert found.attachments == ({"original.pdf": original} if embeds else {})
    if embeds:
        assert desk.verify(found.attachments["original.pdf"]).passed


def test_a_copy_looks_like_its_original_with_a_note_on_each_page(
    desk: Desk, agency: Seal, original: bytes
) -> None:
    document = desk.verify(original).require()
    plain = Seal(desk.agency)
    copy = seal_copy(plain, original, document, maker="档案馆", purpose="备查", note=note(), now=NOON)
    for was, shown in zip(pictures(original), pictures(copy), strict=True):
        box = ImageChops.difference(was, shown).getbbox()
        assert box is not None
        left, top, right, bottom = box
        assert left > 390  # nothing but the note differs: 62 x 24 mm, 8 mm from the upper right corner
        assert bottom < 95
        assert (right, top) == pytest.approx((572, 23), abs=3)


def test_a_copy_of_turned_and_cropped_pages(desk: Desk, agency: Seal) -> None:
    boxes = [f"{A4} /Rotate 90", "/MediaBox [-40 -30 860 700] /CropBox [0 10 800 600]"]
    original = seal_as_agency(agency, pages_of(boxes), now=NOON)
    document = desk.verify(original).require()
    copy = seal_copy(
        Seal(desk.agency), original, document, maker="档案馆", purpose="备查", note=note(), now=NOON
    )
    assert desk.verify(copy).passed
    for was, shown in zip(pictures(original), pictures(copy), strict=True):
        assert was.size == shown.size
        left, top, _, bottom = ImageChops.difference(was, shown).getbbox() or (0, 0, 0, 0)
        assert left > was.width - 72 * 71 / 25.4
        assert top > 15
        assert bottom < 95


def test_a_copy_is_made_of_what_was_verified_and_fits(desk: Desk, agency: Seal, original: bytes) -> None:
    other = desk.verify(desk.seal(plain_pdf())).require()
    document = desk.verify(original).require()
    asked = {"maker": "档案馆", "purpose": "备查", "note": note(), "now": NOON}
    with pytest.raises(UsageError):
        seal_copy(agency, original, other, **asked)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        seal_copy(agency, original, document, **{**asked, "note": SealFace(png(), 300, 20)})  # type: ignore[arg-type]
    for wrong in ({"maker": ""}, {"purpose": "x" * 1001}):
        with pytest.raises(UsageError):
            seal_copy(agency, original, document, **{**asked, **wrong})  # type: ignore[arg-type]


def test_an_original_that_is_too_large_is_named_and_not_embedded(
    desk: Desk, agency: Seal, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signing.pdf.profiles.copies.MAX_INSIDE_BYTES", 1000)
    document = desk.verify(original).require()
    with pytest.raises(TooLarge):
        seal_copy(agency, original, document, maker="档案馆", purpose="备查", note=note(), now=NOON)


@pytest.mark.parametrize(
    ("maker", "purpose"), [("", "x"), ("x", ""), ("x" * 41, "x"), ("x", "y" * 61), ("\ue000", "x")]
)
def test_a_note_says_something_that_can_be_written(maker: str, purpose: str) -> None:
    with pytest.raises(InvalidClaims):
        draw_copy_note(maker, purpose, day=NOON.date(), original="0" * 64)


def test_a_face_in_a_field_that_waited_on_a_turned_page(desk: Desk) -> None:
    half = Image.new("RGBA", (40, 20), (0, 0, 255, 255))
    half.paste((255, 0, 0, 255), (0, 0, 20, 20))
    places = [Place("A", 0, (100, 50), 60, 40), Place("B", 1, (100, 50), 60, 30)]
    form = prepare_joint(pages_of([f"{A4} /Rotate 90", A4]), places)
    seal = Seal(desk.agency, face=_face_of(half, 60, 30))
    signed = sign_jointly(seal, sign_jointly(seal, form, field="A", now=NOON), field="B", now=NOON)
    assert desk.verify(signed).passed
    point = 72 / 25.4
    for page, height_mm in zip(pictures(signed), (40, 30), strict=True):
        middle = page.height - 50 - height_mm / 2 * point
        assert page.getpixel((round(100 + 15 * point), round(middle))) == (255, 0, 0)
        assert page.getpixel((round(100 + 45 * point), round(middle))) == (0, 0, 255)
        # The face keeps its shape, also where the field is higher.
        assert page.getpixel((round(100 + 15 * point), round(middle + 17 * point))) == (255, 255, 255)
