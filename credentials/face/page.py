"""Typeset the page of a licence: PDF/A-3 with `licence.json` inside, ready to be sealed.

The catalogue says which design and which fields, in what order; designs are the Typst files beside this
module. `licence.json` carries the licence under the English item names of GB/T 36903 together with its
claims, so that a verifier knows which licence the PDF is. Sealing is the work of `signing.pdf`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.face.fonts import missing_characters
from credentials.face.ornament import Ground, draw_ground
from credentials.face.qr_code import draw_code
from credentials.face.typst_engine import ContentTooLong, Engine
from credentials.fields import FieldKind, shown_date
from credentials.licence_type import PLACEHOLDER
from yinxin.base.errors import InvalidClaims
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType

ATTACHMENT = "licence.json"
POINTS_PER_MM = 72 / 25.4
PICTURE_DOTS = 96.0  # to the inch: a page fills a screen


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand on a page, in mm from the upper left.

    Size of the page, middle of the seal's place, width of the frame's margin and band (0: plain rules), and
    the faint rosettes (middle and radius).
    """

    width: float
    height: float
    seal_x: float
    seal_y: float
    inset: float
    band: float
    rosettes: tuple[tuple[float, float, float], ...]
    fold: bool = False


LAYOUTS = {
    ("licence", "landscape"): Layout(297, 210, 238, 160, 9, 9, ((148.5, 105, 62),)),
    ("licence", "portrait"): Layout(210, 297, 157, 238, 9, 9, ((105, 148.5, 68),)),
    ("booklet", "landscape"): Layout(297, 210, 240, 157, 8, 7.5, ((78, 105, 47), (219, 105, 47)), fold=True),
    ("letter", "portrait"): Layout(210, 297, 157, 235, 8, 0, ((105, 148.5, 64),)),
}
_LONG_TERM = Text("长期", "without a last day")
_WORDS = {
    "scan": Text("扫码查验", "Scan to verify"),
    "identifier": Text("电子证照标识", "licence identifier"),
    "agency": Text("发证机关", "Issuing agency"),
    "validity": Text("有效期限", "Validity"),
    "attachment": Text("电子证照数据", "Data of the electronic licence"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A typeset page; `seal_centre` is where the seal's middle belongs, in points from the lower left."""

    pdf: bytes
    seal_centre: tuple[float, float]

    def seal_place(self, width_mm: float, height_mm: float) -> tuple[float, float]:
        """The lower left corner of a seal face of this size, in points."""
        x, y = self.seal_centre
        return x - width_mm * POINTS_PER_MM / 2, y - height_mm * POINTS_PER_MM / 2


class Typesetter:
    """Makes pages. May be used from any thread."""

    def __init__(self, *, engine: Engine | None = None) -> None:
        self._engine = engine or Engine()

    def typeset(self, licence: Licence, kind: LicenceType, *, code: str) -> Page:
        """The page of a licence; `code` is the text of the code printed on it.

        `InvalidClaims` names the field whose character the font lacks, or says that the texts do not fit.
        """
        faults = missing_glyphs(licence, kind)
        if faults:
            raise InvalidClaims(faults=faults)
        layout = LAYOUTS[kind.page.design, kind.page.orientation]
        data = self._data(licence, kind, layout, code)
        try:
            ground = _ground(kind, layout)
            pdf = self._engine.pdf(kind.page.design, data, ground=ground, at=licence.issued_at)
        except ContentTooLong as exc:
            longest = max(licence.claims, key=lambda name: len(str(licence.claims[name])))
            why = Text("内容过长，版面放不下", "the texts are too long for the page")
            raise InvalidClaims(faults=[(longest, why)]) from exc
        centre = (layout.seal_x * POINTS_PER_MM, (layout.height - layout.seal_y) * POINTS_PER_MM)
        return Page(pdf, centre)

    def picture(
        self, licence: Licence, kind: LicenceType, *, code: str, dots_per_inch: float = PICTURE_DOTS
    ) -> bytes:
        """The page as a PNG, for people to look at; `typeset` says what does not fit."""
        layout = LAYOUTS[kind.page.design, kind.page.orientation]
        data, ground = self._data(licence, kind, layout, code), _ground(kind, layout)
        return self._engine.png(kind.page.design, data, dots_per_inch=dots_per_inch, ground=ground)

    def _data(self, licence: Licence, kind: LicenceType, layout: Layout, code: str) -> dict[str, Any]:
        page, issued_on = kind.page, licence.issued_on
        return {
            "size": [layout.width, layout.height],
            "seal": {"x": layout.seal_x, "y": layout.seal_y},
            "orientation": page.orientation,
            "colour": page.colour,
            "accent": page.accent,
            "columns": page.columns,
            "title": kind.name.to_dict(),
            "subtitle": _words(page.subtitle),
            "note": _words(page.note),
            "number_label": page.number_label.to_dict(),
            "number": licence.number,
            "identifier": licence.identifier,
            "agency": licence.agency.name.to_dict(),
            "issued": shown_date(issued_on).to_dict(),
            "day": [issued_on.year, issued_on.month, issued_on.day],
            "validity": validity_text(licence).to_dict(),
            "fields": _rows(licence, kind, page.fields),
            "left": _rows(licence, kind, page.left_fields),
            "salutation": _words(_filled(page.salutation, licence, kind)),
            "body": [_words(_filled(one, licence, kind)) for one in page.body],
            "provenance": _words(licence.provenance.words if licence.provenance else None),
            "words": {name: text.to_dict() for name, text in _WORDS.items()},
            "code": draw_code(code),
            "code_address": code.partition("#")[0],
            "attachment": licence_json(licence, kind),
        }


def _ground(kind: LicenceType, layout: Layout) -> str:
    page = kind.page
    return draw_ground(
        Ground(
            layout.width,
            layout.height,
            page.colour,
            page.paper,
            layout.inset,
            layout.band,
            layout.rosettes,
            layout.fold,
        )
    )


def licence_json(licence: Licence, kind: LicenceType) -> str:
    """The licence as the JSON that stands in its PDF: GB/T 36903 items, and the type's claims.

    Deterministic: the same licence gives the same text.
    """
    holder_code_kind = kind.field(kind.holder_code).kind
    items = {
        "certificate_identifier": licence.identifier,
        "certificate_number": licence.number,
        "certificate_name": licence.type_name.zh,
        "certificate_version": f"{licence.version:03}",
        "certificate_type_name": licence.type_name.zh,
        "certificate_type_code": kind.number,
        "certificate_define_authority_name": kind.defined_by.zh,
        "certificate_define_authority_code": kind.number[:18],
        "certificate_issuing_authority_name": licence.agency.name.zh,
        "certificate_issuing_authority_code": licence.agency.credit_code,
        "certificate_issuing_authority_date": licence.issued_on.isoformat(),
        "certificate_holder_name": licence.holder_name,
        "certificate_holder_code": licence.holder_code,
        "certificate_holder_type_name": _HOLDER_TYPES.get(holder_code_kind, "其他证件号码"),
        "certificate_validate_start": licence.valid_from.isoformat(),
        "certificate_validate_end": licence.valid_until.isoformat() if licence.valid_until else "长期",
    }
    content = {"yinxin": 1, "type": licence.type_code, **items, "claims": dict(licence.claims)}
    if licence.replaces:
        content["replaces"] = licence.replaces
    if licence.provenance:
        # 原证照系统的记载：来源、录入时间、是否复核
        content["provenance"] = licence.provenance.to_dict()
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def validity_text(licence: Licence) -> Text:
    """From when until when a licence holds, as people read it."""
    first = shown_date(licence.valid_from)
    if licence.valid_until is None:
        return Text(f"自{first.zh}起长期有效", f"from {first.en}, without a last day")
    last = shown_date(licence.valid_until)
    return Text(f"{first.zh}至{last.zh}", f"{first.en} to {last.en}")


def missing_glyphs(licence: Licence, kind: LicenceType) -> list[tuple[str, Text]]:
    """For each field with characters that the font lacks: its name and which."""
    faults = []
    for name, value in licence.claims.items():
        missing = missing_characters(kind.field(name).shown(value).zh)
        if missing:
            listed = "、".join(f"{c}（U+{ord(c):04X}）" for c in missing[:5])
            plain = ", ".join(f"{c} (U+{ord(c):04X})" for c in missing[:5])
            faults.append((name, Text(f"字库缺字：{listed}", f"the font has no glyph for {plain}")))
    return faults


_HOLDER_TYPES = {FieldKind.CITIZEN_NUMBER: "公民身份号码", FieldKind.CREDIT_CODE: "统一社会信用代码"}


def _rows(licence: Licence, kind: LicenceType, names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for name in names:
        field, value = kind.field(name), licence.claims.get(name)
        shown = field.shown(value).zh if value is not None else "—"
        rows.append({"label": field.label.to_dict(), "value": shown, "emphasis": name in kind.page.emphasis})
    return rows


def _filled(text: Text | None, licence: Licence, kind: LicenceType) -> Text | None:
    """A letter's text with the values in place of its {fields}; the values stay plain text."""
    if text is None:
        return None
    standard = _standard_items(licence)

    def value(name: str) -> Text:
        if name in licence.claims:
            return kind.field(name).shown(licence.claims[name])
        return standard.get(name, Text("—", "—"))

    zh = PLACEHOLDER.sub(lambda found: value(found[1]).zh, text.zh)
    return Text(zh, PLACEHOLDER.sub(lambda found: value(found[1]).en, text.en))


def _standard_items(licence: Licence) -> dict[str, Text]:
    last = shown_date(licence.valid_until) if licence.valid_until else _LONG_TERM
    return {
        "number": Text(licence.number, licence.number),
        "agency": licence.agency.name,
        "issued_on": shown_date(licence.issued_on),
        "valid_from": shown_date(licence.valid_from),
        "valid_until": last,
        "holder": Text(licence.holder_name, licence.holder_name),
        "type": licence.type_name,
    }


def _words(text: Text | None) -> dict[str, str] | None:
    return text.to_dict() if text else None
