"""What pages show of an answer: every check has a name, hostile text is harmless, pictures are pictures."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.catalogue import Catalogue
from signing.report.checks import CHECKS, OTHER
from signing.trust import TrustStore
from verify_api.documents import Snapshots
from verify_api.pages.legible import MAX_MARKS, legible
from verify_api.pages.views import is_picture, result_view
from verify_api.pages.words import age, check_name, progress
from verify_api.presentations.sessions import State

ROOT = Path(__file__).parents[3]
CATALOGUE, NOTHING = Catalogue.load(), Snapshots(TrustStore([]))
_LITERAL = re.compile(r'\b(?:Check|_checks|_text|_check)\(\s*"([a-z_ /]+)"')


def names_in_the_code() -> set[str]:
    files = [
        path for room in ("signing", "credentials", "verify_api") for path in (ROOT / room).rglob("*.py")
    ]
    return {name for path in files for name in _LITERAL.findall(path.read_text("utf-8"))}


def content(**changes: Any) -> dict[str, Any]:
    text = {"zh": "核验通过", "en": "Verification passed"}
    return {
        "indication": "passed",
        "text": text,
        "subject": "pdf",
        "digest": {"algorithm": "sha-256", "value": "0" * 64},
        "at": "2026-11-20T12:00:00+00:00",
        "status": {"now": {"state": "in_force", "text": {"zh": "有效", "en": "in force"}}},
        "reasons": [],
        "checks": [],
        **changes,
    }


def licence_content(claims: dict[str, Any], kind: str = "food-business-licence") -> dict[str, Any]:
    name = {"zh": "证", "en": "licence"}
    licence = {
        "identifier": "1.2.3",
        "type": kind,
        "type_name": name,
        "agency": {"name": name, "credit_code": "x"},
        "valid_from": "2026-08-01",
        "valid_until": None,
    }
    return content(licence=licence, claims=claims)


def test_every_check_has_a_name() -> None:
    """A check that is added later needs a row in `signing.report.checks`."""
    missing = {name for name in names_in_the_code() if check_name(name) is OTHER.text}
    assert missing == set()
    assert len(names_in_the_code()) > 30
    assert check_name("Seal1/coverage") == CHECKS["coverage"].text
    assert check_name("Seal1/timestamp_certificate").zh == "时间戳：签署证书"
    assert check_name("\u202e") is OTHER.text


def test_every_state_of_a_presentation_has_words() -> None:
    assert all(progress(str(state)) for state in State)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "刚刚", "just now"),
        (59, "刚刚", "just now"),
        (60, "1 分钟前", "1 minute ago"),
        (7199, "1 小时前", "1 hour ago"),
        (200_000, "2 天前", "2 days ago"),
        (-5, "刚刚", "just now"),
    ],
)
def test_ages(seconds: int, zh: str, en: str) -> None:
    assert (age(timedelta(seconds=seconds)).zh, age(timedelta(seconds=seconds)).en) == (zh, en)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("津城小麦面包坊", "津城小麦面包坊"),
        ("evil\u202egpj.exe", "evil⟨U+202E⟩gpj.exe"),
        ("\u2066\u2069\u200f\u061c", "⟨U+2066⟩⟨U+2069⟩⟨U+200F⟩⟨U+061C⟩"),
        ("a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩"),
        ("\x1b[31m\x00\r\n", "⟨U+001B⟩[31m⟨U+0000⟩⟨U+000D⟩⟨U+000A⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\ue000\ud800", "⟨U+E000⟩⟨U+D800⟩"),
        ("\u3164\u2800", "⟨U+3164⟩⟨U+2800⟩"),
        ("a\u00a0b\u2003c\u3000d", "a b c\u3000d"),
        ("z" + "\u0301" * 40, "z" + "\u0301" * MAX_MARKS),
    ],
)
def test_hidden_characters_are_seen(text: str, shown: str) -> None:
    assert legible(text) == shown


@given(st.text(st.characters(), max_size=60))
def test_legible_text_hides_nothing(text: str) -> None:
    shown = legible(text)
    assert all(unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for one in shown)
    assert legible(shown) == shown
    shown.encode()


def test_long_text_is_cut() -> None:
    assert legible("长" * 3000) == "长" * 2000 + "…"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("data:image/jpeg;base64," + "A" * 20, True),
        ("data:image/png;base64," + "A" * 18 + "==", True),
        ("data:image/svg+xml;base64," + "A" * 20, False),
        ("data:text/html;base64," + "A" * 20, False),
        ("data:image/png;base64," + "A" * 20 + '" onload="x', False),
        ("data:image/png;base64," + "A" * 20 + "\n", False),
        ("DATA:image/png;base64," + "A" * 20, False),
        ("data:image/png," + "A" * 20, False),
        ("data:image/png;base64," + "A" * (1 << 20), False),
        ("https://evil.example/x.png", False),
        (7, False),
    ],
    ids=range(11),
)
def test_only_plain_pictures_are_shown(value: object, *, expected: bool) -> None:
    assert is_picture(value) is expected


def test_a_photograph_stands_apart_from_the_facts() -> None:
    picture = "data:image/png;base64," + "A" * 20
    found = result_view(licence_content({"portrait": picture, "operator_name": "王"}), CATALOGUE, NOTHING)
    assert found.licence
    assert found.licence.pictures == (picture,)
    assert found.licence.holder == "王"
    assert found.licence.facts == ()


@pytest.mark.parametrize("kind", ["food-business-licence", "no-such-type", "physician-certificate"])
@given(
    claims=st.dictionaries(
        st.text(st.characters(), max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_any_claims_can_be_shown(kind: str, claims: dict[str, Any]) -> None:
    known = dict.fromkeys(
        ("operator_name", "born_on", "practice_scope", "sex"), next(iter(claims.values()), "")
    )
    found = result_view(licence_content({**claims, **known}, kind), CATALOGUE, NOTHING)
    assert found.licence
    for fact in found.licence.facts:
        assert legible(fact.value.zh) == fact.value.zh
        assert legible(fact.label.en) == fact.label.en


def test_values_are_read_as_their_type_says() -> None:
    claims = {
        "born_on": "1990-02-03",
        "sex": "female",
        "practice_scope": ["内科", "儿科"],
        "citizen_number": 5,
    }
    found = result_view(licence_content(claims, "physician-certificate"), CATALOGUE, NOTHING)
    assert found.licence
    said = {fact.label.zh: fact.value.zh for fact in found.licence.facts}
    assert said == {"性别": "女", "出生日期": "1990年2月3日", "执业范围": "内科；儿科", "公民身份号码": "5"}


def test_the_same_check_of_several_certificates_counts_as_the_worst() -> None:
    names = [("Seal1/certificate_revocation", "passed"), ("Seal1/certificate_revocation", "indeterminate")]
    checks = [{"name": name, "indication": kind} for name, kind in names]
    found = result_view(content(checks=checks), CATALOGUE, NOTHING)
    assert [(one.field, one.indication) for one in found.checks] == [("Seal1", "indeterminate")]


def test_what_signers_state_is_shown_with_whose_it_is_and_harmless() -> None:
    says = [{"zh": "见证：Seal1\u202e", "en": "witnesses Seal1\u202e"}]
    signatures = [{"signer": "李四", "says": says}, {"signer": "机关"}]
    (line,) = result_view(content(signatures=signatures), CATALOGUE, NOTHING).says
    assert line.zh.startswith("李四：见证：Seal1")
    assert line.en.startswith("李四: witnesses Seal1")
    assert "\u202e" not in line.zh + line.en
