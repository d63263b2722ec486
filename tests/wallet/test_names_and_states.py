"""What holders read: names, values, states and links, whatever an issuer wrote."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.catalogue import Catalogue
from signing.reasons import Reason
from wallet.links import Task, host_of, task_of
from wallet.names import MAX_VALUE_CHARACTERS, Names, readable
from wallet.states import State, state_of
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

NAMES = Names(Catalogue.load())
FOOD = "urn:yinxin:licence:food-business-licence:1"
ODD = "urn:elsewhere:fishing"
FIELDS = Catalogue.load()["food-business-licence"].fields
FIRST = LicenceIdentifier.make("11100000900001017N002", "111201010000518600", "000000001", "001")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


def test_a_licence_of_the_catalogue_reads_in_its_types_words() -> None:
    claims = {
        "credit_code": "91120101MA5K3WXY0T",
        "operator_name": "津城小麦面包坊",
        "main_format": "catering",
    }
    claims |= {"licence_number": "JY1", "iss": "https://x", "cnf": {}, "exp": 1, "status": {}, "vct": FOOD}
    items = NAMES.items(FOOD, claims)
    assert [one.name for one in items] == ["operator_name", "credit_code", "main_format", "licence_number"]
    assert items[0].label == Text("经营者名称", "Name of operator")
    assert items[2].value.zh != "catering", "a choice reads as its label"
    assert NAMES.title(FOOD) == Text("食品经营许可证", "Food Business Licence")


def test_another_issuers_licence_reads_as_it_named_itself() -> None:
    learnt = {"boat": Text("船名", "Boat")}
    (item,) = NAMES.items(ODD, {"boat": "海燕"}, learnt)
    assert (item.label.zh, item.value.zh) == ("船名", "海燕")
    assert NAMES.title(ODD, {}, Text("捕捞许可证", "Fishing licence")).en == "Fishing licence"
    assert NAMES.title(ODD, {"licence_name": "捕捞证"}).zh == "捕捞证"
    assert NAMES.title(ODD, {}).en == ODD
    assert NAMES.style(ODD).startswith("other-")


def test_nothing_that_turns_or_breaks_a_line_is_read() -> None:
    hostile = "津城\u202e证照\u2066\n<b>\x00\u200b\u3000末"
    shown = NAMES.value(ODD, "x", hostile).zh
    assert shown.isprintable()
    assert "\u202e" not in shown
    assert shown.endswith(" 末")


def test_long_things_are_cut_and_marked() -> None:
    assert len(readable("长" * 100_000)) == MAX_VALUE_CHARACTERS + 1
    assert readable("长" * 100_000).endswith("…")
    assert NAMES.value(ODD, "x", list(range(1000))).zh.endswith("…")
    nested: Any = "deep"
    for _ in range(50):
        nested = [nested]
    assert "…" in NAMES.value(ODD, "x", nested).zh


def test_only_bounded_pictures_of_two_kinds_are_pictures() -> None:
    good = "data:image/png;base64,iVBORw0KGgo="
    assert NAMES.item(ODD, "photo", good).picture == good
    bad = "data:image/svg+xml;base64,PHN2Zz4=", 'data:image/png;base64,x" onerror="y', "https://x/y.png"
    for value in (*bad, "data:image/png;base64," + "A" * 600_000):
        assert not NAMES.item(ODD, "photo", value).picture


@given(st.dictionaries(st.text(max_size=20), json_values, max_size=6))
def test_any_claims_read_as_plain_lines(claims: dict[str, Any]) -> None:
    for vct in (FOOD, ODD):
        for item in NAMES.items(vct, claims):
            for text in (item.label.zh, item.label.en, item.value.zh, item.value.en):
                assert text
                assert text.isprintable()


@given(json_values)
def test_any_value_of_any_field_reads(value: Any) -> None:
    for field in FIELDS:
        assert NAMES.value(FOOD, field.name, value).zh.isprintable()


def test_the_style_sheet_has_a_row_for_each_kind_and_nothing_else() -> None:
    sheet = NAMES.style_sheet()
    assert sheet.count("{") == len(Catalogue.load())
    assert "<" not in sheet
    assert "url(" not in sheet


@pytest.mark.parametrize(
    ("reasons", "held", "state"),
    [
        ((), (), State.VALID),
        ((Reason.CREDENTIAL_REVOKED,), (), State.REVOKED),
        ((Reason.CREDENTIAL_REVOKED,), (str(FIRST.with_version(2)),), State.SUPERSEDED),
        ((Reason.CREDENTIAL_REVOKED,), ("urn:odd",), State.REVOKED),
        ((Reason.CREDENTIAL_SUSPENDED,), (), State.SUSPENDED),
        ((Reason.EXPIRED,), (), State.EXPIRED),
        ((Reason.NOT_YET_VALID,), (), State.NOT_YET),
        ((Reason.STATUS_UNKNOWN,), (), State.UNKNOWN),
        ((Reason.STATUS_STALE,), (), State.UNKNOWN),
        ((Reason.STATUS_STALE, Reason.EXPIRED), (), State.EXPIRED),
        ((Reason.NO_CERTIFICATE_CHAIN_FOUND,), (), State.REFUSED),
        ((Reason.CERTIFICATE_REVOKED, Reason.EXPIRED), (), State.REFUSED),
        ((Reason.CERTIFICATE_REVOKED, Reason.STATUS_UNKNOWN), (), State.REFUSED),
    ],
)
def test_a_state_follows_from_the_reasons(
    reasons: tuple[Reason, ...], held: tuple[str, ...], state: State
) -> None:
    report: Any = SimpleNamespace(reasons=frozenset(reasons), findings={})
    assert state_of(report, str(FIRST), held=(str(FIRST), *held)).state is state


@pytest.mark.parametrize(
    ("link", "task", "host"),
    [
        (
            "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa.example%2Fo",
            Task.RECEIVE,
            "a.example",
        ),
        ("openid-credential-offer://?credential_offer=%7B%7D", Task.RECEIVE, ""),
        (
            "https://wallet.example/present?client_id=x&request_uri=https://v.example:8443/r",
            Task.PRESENT,
            "v.example:8443",
        ),
        ("openid4vp://?client_id=x&request=abc", Task.PRESENT, ""),
        ("https://example.org/", None, ""),
        ("津城", None, ""),
        ("openid4vp://?request_uri=https://[::1", Task.PRESENT, ""),
    ],
)
def test_a_link_says_what_it_is_for(link: str, task: Task | None, host: str) -> None:
    assert (task_of(link), host_of(link)) == (task, host)


@given(st.text(max_size=300))
def test_any_text_is_a_link_or_none(text: str) -> None:
    task_of(text)
    assert host_of("x:?request_uri=" + text).isprintable()
