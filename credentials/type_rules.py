"""What can be judged only on a whole licence type: codes, references between its parts, validity, page.

`credentials.type_files` reads a file and asks here what else is wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from credentials.fields import FieldKind
from credentials.licence_type import NUMBER_PART, PLACEHOLDER, STANDARD_ITEMS, ValidityRule
from credentials.type_keys import DESIGNS
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import CreditCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.licence_type import LicenceType, Validity


def faults_of(made: LicenceType) -> Iterator[tuple[str, Text]]:
    """Key and what to do, for each rule of the whole that a type breaks."""
    yield from _codes(made)
    yield from _field_references(made)
    yield from _validity(made.validity)
    yield from _page(made)


def _field_references(made: LicenceType) -> Iterator[tuple[str, Text]]:
    kinds = {one.name: one.kind for one in made.fields}
    if len(kinds) != len(made.fields):
        yield _fault("fields", "有重复的字段名", "two fields have the same name")
    dates = {name for name, kind in kinds.items() if kind is FieldKind.DATE}
    for place, name in _references(made):
        if name not in kinds:
            yield _fault(place, f"没有名为 {name} 的字段", f"there is no field {name!r}")
    for place in ("commitment_due", "validity.from_field", "validity.until_field"):
        name = _reach(made, place)
        if name in kinds and name not in dates:
            yield _fault(place, f"字段 {name} 应为日期类型", f"the field {name!r} must be of the kind date")
    required = {one.name for one in made.fields if one.required}
    for place in ("holder_name", "holder_code", "commitment_due"):
        name = getattr(made, place)
        if name in kinds and name not in required:
            yield _fault(
                place.replace("holder_", "holder."),
                f"字段 {name} 必须为必填",
                f"the field {name!r} must be required",
            )


def _codes(made: LicenceType) -> Iterator[tuple[str, Text]]:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", made.code):
        yield _fault(
            "code",
            "用小写英文、数字和连字符，如 food-business-licence",
            "use lower-case letters, digits and hyphens, as in food-business-licence",
        )
    try:
        CreditCode.parse(made.number[:18])
    except MalformedInput:
        yield _fault(
            "number",
            "前 18 位不是有效的统一社会信用代码",
            "its first 18 characters are not a valid credit code",
        )
    if not re.fullmatch(r"[0-9A-Z]{18}\d{3}", made.number):
        yield _fault(
            "number", "应为 18 位信用代码加三位数字", "give 18 characters of credit code and three digits"
        )
    if not re.fullmatch(r"(urn:[a-z0-9][a-z0-9-]{0,31}:\S+|https://\S+)", made.vct):
        yield _fault(
            "vct", "应为 urn: 或 https:// 开头的标识", "give a name that begins with urn: or https://"
        )
    numbering = made.numbering
    if bool(numbering.pattern) == bool(numbering.field):
        yield _fault("numbering", "pattern 与 field 二者取一", "give either pattern or field")
    rest = NUMBER_PART.sub("", numbering.pattern)
    if numbering.pattern and ("{serial" not in numbering.pattern or "{" in rest or "}" in rest):
        yield _fault(
            "numbering.pattern",
            "须含 {serial:位数}，另可用 {year} {date}",
            "it must hold {serial:digits}, and may hold {year} and {date}",
        )


def _validity(validity: Validity) -> Iterator[tuple[str, Text]]:
    term = validity.years or validity.months or validity.days
    if (validity.rule is ValidityRule.TERM) != bool(term):
        yield _fault(
            "validity",
            "固定期限（term）且仅此规则须写 years、months 或 days",
            "give years, months or days for the rule term, and for no other",
        )
    if (validity.rule is ValidityRule.FIELD) != bool(validity.until_field):
        yield _fault(
            "validity.until_field",
            "规则 field 且仅此规则须写 until_field",
            "give until_field for the rule field, and for no other",
        )


def _page(made: LicenceType) -> Iterator[tuple[str, Text]]:
    page, names = made.page, {one.name for one in made.fields}
    if page.columns not in {1, 2}:
        yield _fault("page.columns", "只能为 1 或 2", "must be 1 or 2")
    ways = DESIGNS[page.design]
    if page.orientation not in ways:
        zh, en = "、".join(ways), " or ".join(ways)
        yield _fault("page.orientation", f"该版式只能为 {zh}", f"this design lies {en} only")
    if (page.design == "letter") != bool(page.body):
        yield _fault(
            "page.body",
            "公文版式（letter）且仅此版式须写正文",
            "give a body for the design letter, and for no other",
        )
    if (page.design == "booklet") != bool(page.left_fields):
        yield _fault(
            "page.left_fields",
            "对开版式（booklet）且仅此版式须写 left_fields",
            "give left_fields for the design booklet, and for no other",
        )
    for text in (*page.body, *((page.salutation,) if page.salutation else ())):
        for name in PLACEHOLDER.findall(text.zh + text.en):
            if name not in names and name not in STANDARD_ITEMS:
                yield _fault("page.body", f"没有名为 {{{name}}} 的字段", f"there is no field {{{name}}}")


def _references(made: LicenceType) -> list[tuple[str, str]]:
    """Every place that names a field, and the name."""
    single = (
        "holder.name",
        "holder.code",
        "commitment_due",
        "numbering.field",
        "validity.from_field",
        "validity.until_field",
    )
    named = [(place, _reach(made, place)) for place in single]
    for place in ("printed_code", "page.fields", "page.left_fields", "page.emphasis"):
        named += [(place, name) for name in _reach(made, place)]
    return [(place, name) for place, name in named if name]


def _reach(made: LicenceType, place: str) -> Any:
    """The value at a key such as `validity.from_field`."""
    if place.startswith("holder."):
        return getattr(made, place.replace(".", "_"))
    value: Any = made
    for step in place.split("."):
        value = getattr(value, step)
    return value


def _fault(place: str, zh: str, en: str) -> tuple[str, Text]:
    return place, Text(zh, en)
