"""What people open in a spreadsheet is text there, whatever somebody typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinxin.base.spreadsheet import cell

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "−1",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u3000=1",
    "\x00=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_would_be_computed_is_marked(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "津城面包坊", "A-1", "2026-11", "１２", "a=b", "李 明", "3 - 2"])
def test_what_is_plain_stays(text: str) -> None:
    assert cell(text) == text


@given(st.text())
def test_nothing_begins_a_formula_or_another_cell(text: str) -> None:
    made = cell(text)
    assert not made.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not set(made) & set("\t\r\n\x00\u2028\u202e")
