"""What somebody reads before they sign: all of the work, in words where there are some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.catalogue import Catalogue
from credentials.office.cases import KINDS, Work, WorkKind
from credentials.office.telling import DETAIL_NAMES, details_of, rows_of
from signing.signers.file import FileSigner
from yinxin.base.text import Text

LICENCE = "1.2.156.3005.2.11100000900001017N002.1112010090000201XF.UT0M9AFSR7KDR5CKKGLD.001.7"
FOOD = Catalogue.load()["food-business-licence"]
ENDING = Work(
    WorkKind.END,
    FOOD.code,
    {},
    licence=LICENCE,
    ground="行政许可法第七十条",
    document_number="津审〔2026〕1号",
    details={"ending": "revoked", "effective_from": "2026-11-23T16:00:00+00:00"},
)
CLAIMS: dict[str, Any] = {
    "operator_name": "津城云栖宾馆",
    "main_format": "sales",
    "business_items": ["甲", "乙"],
}


def said(work: Work, kind: Any = FOOD) -> list[tuple[str, str]]:
    return [(label.en, text.en) for label, text in rows_of(work, kind)]


def test_an_ending_says_what_ends_how_when_and_why() -> None:
    found = dict(said(ENDING))
    assert found["What is done"] == "an ending"
    assert found["Licence"] == LICENCE
    assert found["Legal ground"] == "行政许可法第七十条"
    assert found["Document"] == "津审〔2026〕1号"
    assert found["Kind of ending"] == "revoked (revoked)"
    assert found["Effective from"] == "2026-11-24 00:00:00 UTC+8"
    assert details_of(ENDING)["ending"] == Text("吊销（revoked）", "revoked (revoked)")


def test_claims_are_told_by_their_labels_and_what_no_type_knows_is_told_too() -> None:
    work = Work(WorkKind.ISSUE, FOOD.code, {**CLAIMS, "unknown": {"a": 1}})
    found = dict(said(work))
    assert found["Name of operator"] == "津城云栖宾馆"
    assert found["Main form of business"] != "sales"
    assert found["unknown"] == '{\n "a": 1\n}'
    assert dict(said(work, None))["main_format"] == "sales"


def test_whose_wallet_it_is_for() -> None:
    key = FileSigner.generate().public_key
    work = Work(WorkKind.ISSUE, FOOD.code, CLAIMS, holder_key=key.to_jwk())
    assert ("Holder's key", key.thumbprint) in said(work)


def test_what_a_draft_says_wrongly_is_told_as_it_stands() -> None:
    said_wrongly = {"ending": "melted", "effective_from": "soon"}
    found = details_of(replace(ENDING, details=said_wrongly))
    assert {name: text.en for name, text in found.items()} == said_wrongly


@pytest.mark.parametrize("kind", WorkKind)
def test_every_detail_of_every_kind_has_a_name(kind: WorkKind) -> None:
    assert KINDS[kind].details <= DETAIL_NAMES.keys()


VALUES = st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))


@given(st.dictionaries(st.sampled_from(sorted(KINDS[WorkKind.END].details)), VALUES))
def test_nothing_that_is_signed_is_hidden(details: dict[str, Any]) -> None:
    work = replace(ENDING, details=details)
    assert details_of(work).keys() == details.keys()
    assert len(said(work)) == 5 + len(details)
