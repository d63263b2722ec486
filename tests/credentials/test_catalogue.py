"""An office edits the catalogue; what it gets wrong is said so that it can be put right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from credentials import samples
from credentials.catalogue import BUILT_IN, Catalogue, InvalidCatalogue, LicenceType
from credentials.face.page import LAYOUTS
from credentials.type_files import read_type
from credentials.type_keys import DESIGNS, FORMS, KEYS, documentation
from yinxin.base.errors import InvalidClaims, UnknownLicenceType
from yinxin.base.identifiers import CreditCode

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = Catalogue.load()
FOOD = (BUILT_IN / "food_business_licence.toml").read_text(encoding="utf-8")


def faults(text: str) -> dict[str, str]:
    with pytest.raises(InvalidCatalogue) as caught:
        read_type(text.encode(), "food.toml")
    assert all(what.zh for _, what in caught.value.faults)
    return {place: what.en for place, what in caught.value.faults}


def test_the_built_in_kinds_are_complete() -> None:
    assert len(CATALOGUE) >= 8
    for kind in CATALOGUE:
        assert CreditCode.parse(kind.number[:18]).warnings == ()
        assert kind.page.design in DESIGNS
        assert set(kind.page.left_fields).isdisjoint(kind.page.fields)
        assert any(not one.disclosable for one in kind.fields), kind.code
        assert all(one.disclosable for one in kind.fields if one.personal)
        assert CATALOGUE.by_number(kind.number) is CATALOGUE.by_vct(kind.vct) is CATALOGUE[kind.code]


def test_every_design_of_the_catalogue_has_its_layout() -> None:
    assert {(design, way) for design, ways in DESIGNS.items() for way in ways} == set(LAYOUTS)


def test_every_kind_takes_its_sample() -> None:
    for kind in CATALOGUE:
        claims = kind.check(samples.application(kind.code))
        assert list(claims) == [one.name for one in kind.fields if one.name in claims]
        assert kind.check(claims) == claims, "what was checked passes unchanged"


def test_an_unknown_kind_says_which_are_known() -> None:
    with pytest.raises(UnknownLicenceType, match="food-business-licence"):
        CATALOGUE["fishing-licence"]


def test_a_misspelt_key_is_named_with_the_right_one() -> None:
    found = faults(FOOD.replace("legal_basis =", "legal_bases ="))
    assert "did you mean 'legal_basis'" in found["food.toml: legal_bases"]
    assert "missing" in found["food.toml: legal_basis"]


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ('kind = "credit-code"', 'kind = "creditcode"', "fields[credit_code].kind", "must be one of"),
        ("personal = true", 'personal = "yes"', "fields[responsible_person].personal", "true or false"),
        ('colour = "#2e7d5b"', 'colour = "green"', "page.colour", "#rrggbb"),
        ("years = 5", "years = 0", "validity.years", "whole number"),
        ('rule = "term"\nyears = 5', 'rule = "term"', "validity", "give years, months or days"),
        ('code = "credit_code"', 'code = "tax_code"', "holder.code", "no field 'tax_code'"),
        ("{serial:7}", "", "numbering.pattern", "must hold {serial:digits}"),
        ("{serial:7}", "{serial:7}{month}", "numbering.pattern", "must hold {serial:digits}"),
        ("11100000900001017N002", "11100000900001017X002", "number", "not a valid credit code"),
        ('orientation = "landscape"', 'orientation = "sideways"', "page.orientation", "must be one of"),
        ('name = "domicile"', 'name = "status"', "fields[status].name", "means something else"),
        ('name = "domicile"', 'name = "Domicile"', "fields[Domicile].name", "lower-case"),
        ('design = "licence"', 'design = "booklet"', "page.left_fields", "give left_fields"),
        ('design = "licence"', 'design = "letter"', "page.body", "give a body"),
        ('zh = "经营场所", en = "Premises"', 'zh = "经营场所"', "fields[business_premises].label", "zh"),
        (
            'disclosure = "always"\nmax_characters = 80',
            'disclosure = "always"\npersonal = true',
            "fields[operator_name].disclosure",
            "personal data must be selective",
        ),
    ],
)
def test_a_mistake_is_said_by_file_and_key(old: str, new: str, place: str, says: str) -> None:
    assert old in FOOD
    found = faults(FOOD.replace(old, new, 1))
    assert says in found[f"food.toml: {place}"]


def test_all_mistakes_of_a_file_come_at_once() -> None:
    broken = FOOD.replace("years = 5", "years = -5").replace("#2e7d5b", "red").replace('"catering" =', "x =")
    assert len(faults(broken)) == 2


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"code = ", b"a" * 300_000, b"[[fields]]\n" * 50, b"fields = 3"]
)
def test_what_is_no_type_file_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidCatalogue):
        read_type(data, "x.toml")


def test_two_files_may_not_define_the_same_kind(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(FOOD, encoding="utf-8")
    (tmp_path / "b.toml").write_text(FOOD, encoding="utf-8")
    with pytest.raises(InvalidCatalogue) as caught:
        Catalogue.load(tmp_path)
    assert [place for place, _ in caught.value.faults] == ["b.toml: code", "b.toml: number", "b.toml: vct"]


def test_an_empty_folder_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(InvalidCatalogue, match=r"no \.toml"):
        Catalogue.load(tmp_path)


def test_a_file_saved_with_a_byte_order_mark_is_read() -> None:
    assert read_type(b"\xef\xbb\xbf" + FOOD.encode(), "food.toml").code == "food-business-licence"


def test_every_key_is_documented() -> None:
    assert {key.form for key in KEYS} == set(FORMS)
    rows = documentation()
    assert len(rows) == len({row["key"] for row in rows}) == len(KEYS)


def food() -> LicenceType:
    return CATALOGUE["food-business-licence"]


def test_claims_are_kept_in_one_form() -> None:
    given = {
        **samples.application("food-business-licence"),
        "main_format": "Catering service",
        "business_items": " 热食类食品制售；冷食类食品制售\n热食类食品制售 ",
        "credit_code": samples.credit_code(9).lower(),
        "complaint_line": "",
    }
    claims = food().check(given)
    assert claims["main_format"] == "catering"
    assert claims["business_items"] == ["热食类食品制售", "冷食类食品制售"]
    assert claims["credit_code"] == samples.credit_code(9)
    assert "complaint_line" not in claims


def test_every_fault_of_an_application_is_named() -> None:
    given = {
        **samples.application("food-business-licence"),
        "credit_code": "1",
        "colour": "red",
        "domicile": " ",
    }
    with pytest.raises(InvalidClaims) as caught:
        food().check(given)
    assert [name for name, _ in caught.value.faults] == ["credit_code", "domicile", "colour"]


@pytest.mark.parametrize(
    "value", [3, True, None, {"a": 1}, [1], ["a"] * 51, "甲" * 2000, "a\x00b", "a\u202eb", "\ud800"]
)
def test_a_value_of_no_use_is_a_fault_and_never_a_traceback(value: object) -> None:
    with pytest.raises(InvalidClaims):
        food().check({**samples.application("food-business-licence"), "business_items": value})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026年2月3日", "2026-02-03"),
        ("2026/2/3", "2026-02-03"),
        ("20260203", "2026-02-03"),
        ("2026-02-30", None),
    ],
)
def test_dates_as_offices_write_them(text: str, kept: str | None) -> None:
    kind = CATALOGUE["hygiene-licence-on-commitment"]
    given = {**samples.application(kind.code), "commitment_due": text}
    if kept is None:
        with pytest.raises(InvalidClaims, match="not a date"):
            kind.check(given)
    else:
        claims = kind.check(given)
        assert claims["commitment_due"] == kept
        assert kind.commitment_day(claims) == date(2026, 2, 3)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("人民币500万元", None), ("¥1,200.5 元", "1200.50"), ("3元整", "3.00"), ("1.234", None)],
)
def test_money_as_offices_write_it(text: str, kept: str | None) -> None:
    kind = CATALOGUE["construction-permit"]
    given = {**samples.application(kind.code), "contract_price": text}
    if kept is None:
        with pytest.raises(InvalidClaims):
            kind.check(given)
    else:
        assert kind.check(given)["contract_price"] == kept


def test_a_term_ends_on_the_day_before_it_began() -> None:
    validity = food().validity
    assert validity.period({}, issued_on=date(2026, 11, 20)) == (date(2026, 11, 20), date(2031, 11, 19))
    assert validity.period({}, issued_on=date(2024, 2, 29)) == (date(2024, 2, 29), date(2029, 2, 27))


def test_a_term_taken_from_a_field() -> None:
    validity = CATALOGUE["business-licence"].validity
    claims = {"established_on": "2019-03-18", "business_until": "2039-03-17"}
    assert validity.period(claims, issued_on=date(2026, 1, 1)) == (date(2019, 3, 18), date(2039, 3, 17))
    assert validity.period({"established_on": "2019-03-18"}, issued_on=date(2026, 1, 1))[1] is None
    with pytest.raises(InvalidClaims):
        validity.period({**claims, "business_until": "2018-01-01"}, issued_on=date(2026, 1, 1))


def test_numbers_follow_their_pattern() -> None:
    on = date(2026, 11, 20)
    made = {kind.code: kind.numbering.make({}, on=on, serial=12) for kind in CATALOGUE}
    assert made["real-estate-certificate"] == "津（2026）津城区不动产权第0000012号"
    assert made["administrative-decision"] == "津城审许决〔2026〕12号"
    assert made["construction-permit"] == "120199202611200012"
    assert CATALOGUE["food-business-licence"].numbering.series(on=on) == "all"
    assert CATALOGUE["administrative-decision"].numbering.series(on=on) == "2026"
