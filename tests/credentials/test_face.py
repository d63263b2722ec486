"""What people see: pages that look like licences, codes that scan, and seal faces."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pytest
from PIL import Image
from world.codes import read_codes
from world.printed import CATALOGUE, KINDS, Paper
from world.printed import sample_licence as licence
from world.work import counted_calls

from credentials import samples
from credentials.face.fonts import missing_characters, read_character_map
from credentials.face.ornament import Ground, draw_ground, mixed
from credentials.face.page import ATTACHMENT, LAYOUTS, Page, Typesetter
from credentials.face.seal_face import AGENCY_MM, draw_seal_face
from credentials.printed_code import read
from signing.report import Indication
from yinxin.base.errors import InvalidClaims, MalformedInput, UsageError

if TYPE_CHECKING:
    from pathlib import Path

TYPESETTER = Typesetter()
PAPER = Paper()


def page(code: str, **changed: object) -> Page:
    made = licence(code, **changed)
    return TYPESETTER.typeset(made, CATALOGUE[code], code=PAPER.code(made))


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1, "a licence is one page"
    return document[0].get_textpage().get_text_bounded().replace("\r", "").replace("\n", "")


def picture_of(pdf: bytes, dots_per_inch: int = 150) -> Image.Image:
    return pypdfium2.PdfDocument(pdf)[0].render(scale=dots_per_inch / 72).to_pil()


@pytest.mark.parametrize("code", KINDS)
def test_a_page_says_what_the_licence_says(code: str) -> None:
    kind, made = CATALOGUE[code], licence(code)
    text = text_of(page(code).pdf).replace(" ", "")
    for wanted in (kind.name.zh, samples.AGENCY.name.zh, "2026年11月20日", "0000128号", made.holder_name):
        assert wanted in text
    for name in (*kind.page.left_fields, *(() if kind.page.body else kind.page.fields)):
        if name in made.claims:
            assert kind.field(name).shown(made.claims[name]).zh.replace(" ", "") in text


@pytest.mark.parametrize("code", KINDS)
def test_the_printed_code_scans_from_the_page(code: str) -> None:
    found = read_codes(picture_of(page(code).pdf))
    assert len(found) == 1
    assert str(read(found[0].text).identifier) == licence(code).identifier
    assert PAPER.verify(found[0].text).then is Indication.PASSED


@pytest.mark.parametrize("code", ["food-business-licence", "physician-certificate", "no-record-certificate"])
def test_the_page_is_an_archive_pdf_with_the_licence_inside(code: str) -> None:
    pdf = page(code).pdf
    with pikepdf.open(io.BytesIO(pdf)) as document:
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        attached = document.attachments[ATTACHMENT]
        content = json.loads(attached.get_file().read_bytes())
        specification = attached.obj
        assert specification.AFRelationship == "/Data"
        assert specification.objgen in [one.objgen for one in document.Root.AF], "an associated file"
        fonts = {str(font.BaseFont) for font in document.pages[0].Resources.Font.values()}
        info = document.docinfo
    assert all("NotoS" in name and "+" in name for name in fonts), "embedded subsets of our own fonts"
    assert content["certificate_identifier"] == licence(code).identifier
    assert content["claims"] == licence(code).claims
    assert content["certificate_issuing_authority_code"] == samples.AGENCY.credit_code
    assert CATALOGUE[code].name.zh in str(info["/Title"])


def test_the_same_licence_gives_the_same_page() -> None:
    made, kind = licence("food-business-licence"), CATALOGUE["food-business-licence"]
    code = PAPER.code(made)  # each signature is another one
    assert TYPESETTER.typeset(made, kind, code=code).pdf == TYPESETTER.typeset(made, kind, code=code).pdf


MARKUP = (
    "#panic(1)", '#read("/etc/passwd")', "$ x^2 $", "*bold* _em_ `raw`", "@ref <label>", "https://a.example//c",
    "] } )", "\\u{41} \\ \\n", "// comment", "= Heading", '"quoted" \'single\'', "{applicant} {name}",
    "[[x]] %s",
)  # fmt: skip


@pytest.mark.parametrize("value", MARKUP)
@pytest.mark.parametrize(
    ("code", "field"), [("food-business-licence", "operator_name"), ("administrative-decision", "matter")]
)
def test_data_are_never_markup(code: str, field: str, value: str) -> None:
    text = text_of(page(code, **{field: value}).pdf)
    assert value.replace(" ", "") in text.replace(" ", "").replace("\u201c", '"')


def test_a_missing_glyph_is_a_fault_of_its_field() -> None:
    with pytest.raises(InvalidClaims) as caught:
        page("food-business-licence", responsible_person="王𠔻", domicile="路😀号")
    faults = dict(caught.value.faults)
    assert "U+2053B" in faults["responsible_person"].en
    assert "U+1F600" in faults["domicile"].zh


def test_long_values_wrap_and_shrink_and_then_are_refused() -> None:
    scope = ["许可项目：" + "食品生产食品销售餐饮服务" * 5] * 3
    long = page("business-licence", business_scope=[f"{one}{i}" for i, one in enumerate(scope)])
    assert "餐饮服务2" in text_of(long.pdf)
    with pytest.raises(InvalidClaims) as caught:
        page("business-licence", business_scope=["食品" * 900] * 3)
    assert caught.value.faults[0][0] == "business_scope"


@pytest.mark.parametrize("code", KINDS)
def test_nothing_stands_outside_the_page_or_on_the_code(code: str) -> None:
    kind = CATALOGUE[code]
    fields = {
        one.name: "津城市津城区海河东路" * 4
        for one in kind.fields
        if one.kind == "text" and one.max_characters >= 80
    }
    document = pypdfium2.PdfDocument(page(code, **fields).pdf)
    shown = document[0].get_textpage()
    width, height = document[0].get_size()
    for i in range(shown.count_rects()):
        left, bottom, right, top = shown.get_rect(i)
        assert 20 < left < right < width - 20
        assert 20 < bottom < top < height - 20
    assert read_codes(picture_of(page(code, **fields).pdf)), "the code stays readable"


def test_the_seal_has_its_place_inside_the_page() -> None:
    for (design, way), layout in LAYOUTS.items():
        assert layout.seal_x + AGENCY_MM / 2 < layout.width - layout.inset - layout.band, (design, way)
        assert layout.seal_y + AGENCY_MM / 2 < layout.height - layout.inset - layout.band, (design, way)
    x, y = page("food-business-licence").seal_place(45, 45)
    assert 0 < x < 842
    assert 0 < y < 595


def test_other_programs_find_nothing_wrong(tmp_path: Path) -> None:
    if not shutil.which("qpdf"):
        pytest.skip("no qpdf: apt-get install qpdf")
    file = tmp_path / "licence.pdf"
    file.write_bytes(page("real-estate-certificate").pdf)
    done = subprocess.run(["qpdf", "--check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_font_shows_what_licences_need() -> None:
    assert missing_characters("津城区行政审批局〔2026〕第1号（副本）—％㎡m²½①Ⅱ·《》“”、。\u200b\n") == []
    assert missing_characters("a😀b\U0002053b😀") == ["😀", "\U0002053b"]


@pytest.mark.parametrize("data", [b"", b"OTTO", b"OTTO\xff\xff" + b"\0" * 40, b"\0" * 100])
def test_what_is_no_font_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_character_map(data)


def test_the_character_map_agrees_with_what_is_drawn() -> None:
    made = text_of(page("food-business-licence", operator_name="㐀㐁龘麤齉靐嘅"[:2] + "龘").pdf)
    assert "龘" in made


@pytest.mark.parametrize(
    "name",
    ["津城区行政审批局", "津城海河糕点有限公司", "津", "津城市津城区市场监督管理局行政许可专用办公室印"],
)
def test_a_seal_face_is_red_round_and_clear(name: str) -> None:
    face = draw_seal_face(name, purpose="行政审批专用章", code="1201990000281")
    picture = Image.open(io.BytesIO(face.png))
    assert (face.width_mm, face.height_mm, picture.mode) == (AGENCY_MM, AGENCY_MM, "RGBA")
    width, height = picture.size
    assert width == height == pytest.approx(AGENCY_MM / 25.4 * 300, abs=2)
    assert picture.getpixel((0, 0))[3] == 0, "clear outside the ring"
    red, green, blue, alpha = picture.getpixel((width // 2, int(0.02 * height)))
    assert red > 200
    assert max(green, blue) < 40
    assert 180 < alpha < 255, "ink lets the text below show through"
    box = picture.getchannel("A").getbbox()
    assert box
    assert min(box[0], box[1]) <= 6
    assert max(box[2], box[3]) >= width - 6
    assert face.picture.width == width, "the PDF seal takes it as it is"


def test_a_seal_face_is_drawn_once() -> None:
    assert draw_seal_face("津城区档案馆", star=False).png is draw_seal_face("津城区档案馆", star=False).png


@pytest.mark.parametrize(
    ("name", "more"),
    [("", {}), ("津" * 29, {}), ("津😀局", {}), ("津城区", {"purpose": "章" * 13}), ("津", {"code": "😀"})],
)
def test_a_seal_needs_a_name_that_can_be_drawn(name: str, more: dict[str, str]) -> None:
    with pytest.raises(InvalidClaims):
        draw_seal_face(name, **more)  # type: ignore[arg-type]


def test_a_seal_has_a_lawful_size() -> None:
    with pytest.raises(UsageError):
        draw_seal_face("津城区档案馆", size_mm=100)


def test_the_ground_is_drawn_once_and_in_whole_numbers() -> None:
    ground = Ground(297, 210, "#a8252b", "#fdf6ec", 9, 9, ((148.5, 105, 62),))
    assert draw_ground(ground) is draw_ground(ground)
    assert "." not in draw_ground(ground).split("viewBox")[1]
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"


def test_a_second_page_compiles_nothing_anew() -> None:
    page("food-business-licence")
    page("food-business-licence", operator_name="津城第一食品店")
    with counted_calls() as work:
        page("food-business-licence", operator_name="津城第二食品店")
    assert work.calls < 40_000
