"""Identifiers of Chinese licences, on published samples and against another implementation."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import CitizenNumber, CreditCode, LicenceIdentifier

if TYPE_CHECKING:
    from pathlib import Path

BUSINESS_LICENCE = "11100000000013338W011"
ISSUER = "11430000006122244L"


@pytest.fixture(scope="session")
def samples(vectors: Path) -> dict[str, list[str]]:
    content: dict[str, list[str]] = json.loads((vectors / "sm" / "identifiers.json").read_text("utf-8"))
    return content


def test_published_credit_codes_are_right(samples: dict[str, list[str]]) -> None:
    for text in samples["uscc_ok"]:
        code = CreditCode.parse(text)
        assert str(code) == text
        assert code.warnings == ()


def test_published_licence_identifiers_are_right(samples: dict[str, list[str]]) -> None:
    for text in samples["elicence_mod37_36_ok"]:
        assert str(LicenceIdentifier.parse(text)) == text
    for text in samples["elicence_bad_check_char"]:
        with pytest.raises(MalformedInput, match="check character"):
            LicenceIdentifier.parse(text)


def test_the_standards_citizen_number(samples: dict[str, list[str]]) -> None:
    number = CitizenNumber.parse(str(samples["gb11643_standard_example"]))
    assert number.birthday == date(1949, 12, 31)
    assert number.sex == "female"
    assert number.region == "110105"


def test_a_citizen_number_is_masked_wherever_it_is_printed() -> None:
    number = CitizenNumber.parse("11010519491231002x")
    for shown in (str(number), repr(number), f"{number}", f"{[number]}"):
        assert "19491231" not in shown
        assert "110***********002X" in shown
    assert number.reveal() == "11010519491231002X"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11010519491231002",
        "110105194912310021",
        "11010519490229002X",
        "11010519491331002X",
        "010105194912310020",
        "１1010519491231002X",
        "11010519491231002X\n1",
        None,
        17,
    ],
)
def test_a_wrong_citizen_number_is_refused_without_repeating_it(text: object) -> None:
    with pytest.raises(MalformedInput) as caught:
        CitizenNumber.parse(text)  # type: ignore[arg-type]
    assert str(text)[:8] not in str(caught.value) or not text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9111000000013338W",
        "11100000000013338X",
        "I1100000000013338W",
        "1110000000001333８W",
        "1" * 500,
        None,
    ],
)
def test_a_wrong_credit_code_is_refused(text: object) -> None:
    with pytest.raises(MalformedInput):
        CreditCode.parse(text)  # type: ignore[arg-type]


def test_an_early_code_with_a_wrong_check_character_can_be_let_through() -> None:
    with pytest.raises(MalformedInput, match="check character"):
        CreditCode.parse("91350100M000100Y40")
    code = CreditCode.parse("91350100M000100Y40", strict=False)
    assert next(warning.zh for warning in code.warnings) == "统一社会信用代码校验码不符"
    assert code.region == "350100"


def test_parts_of_a_credit_code() -> None:
    code = CreditCode.parse(" 11100000000013338w ")
    assert (code.registrar, code.region, code.organisation_code) == ("11", "100000", "000013338")


def test_a_licence_identifier_is_made_and_read_back() -> None:
    made = LicenceIdentifier.make(BUSINESS_LICENCE, ISSUER, "20230000403")
    assert str(made) == f"1.2.156.3005.2.{BUSINESS_LICENCE}.{ISSUER}.20230000403.001.U"
    assert LicenceIdentifier.parse(str(made)) == made
    assert made.with_version(2).version == "002"
    assert made.with_version(2).check != made.check


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("type_code", "123"),
        ("issuer", "12345"),
        ("serial", ""),
        ("serial", "a.b"),
        ("version", "1"),
        ("version", "0001"),
    ],
)
def test_a_part_of_the_wrong_form_is_refused(part: str, value: str) -> None:
    parts = {"type_code": BUSINESS_LICENCE, "issuer": ISSUER, "serial": "1", "version": "001"}
    with pytest.raises(MalformedInput):
        LicenceIdentifier.make(**{**parts, part: value})


def test_a_region_as_issuer_is_a_warning() -> None:
    assert [warning.en for warning in LicenceIdentifier.make(BUSINESS_LICENCE, "340100", "1").warnings] == [
        "the issuer is a region, not a credit code"
    ]
