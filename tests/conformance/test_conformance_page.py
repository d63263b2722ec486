"""The reference page names tests that are there, and every module's test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "conformance.md"
FILES = (
    "tests/credentials/oid4vci/test_oidf_modules.py",
    "tests/conformance/test_oidf_verifier_modules.py",
    "tests/conformance/test_oidf_wallet_modules.py",
)


@pytest.mark.parametrize("file", FILES)
def test_each_module_of_the_page_has_its_test(file: str) -> None:
    _, found, rest = PAGE.read_text("utf-8").partition(f"`{file}`")
    assert found
    table = rest.partition("## ")[0]
    named = set(re.findall(r"\| `(test_\w+)` \|", table))
    there = set(re.findall(r"^def (test_\w+)", (ROOT / file).read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= there
    assert len(re.findall(r"^\| `[a-z]", table, re.MULTILINE)) > len(named)  # what cannot be says so


def test_files_that_the_page_names_are_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", PAGE.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
