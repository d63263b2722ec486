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
    "tests/wallet/test_oidf_wallet_modules.py",
)


@pytest.mark.parametrize("file", FILES)
def test_each_module_of_the_page_has_its_test(file: str) -> None:
    _, found, rest = PAGE.read_text("utf-8").partition(f"`{file}`")
    assert found
    table = rest.partition("## ")[0]
    text = (ROOT / file).read_text("utf-8")
    rows = re.findall(r"^\| `[a-z-]+` \| (.*) \|$", table, re.MULTILINE)
    assert rows
    there = set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))
    for row in rows:
        if row.startswith("not built: "):
            continue
        name, case = re.match(r"`(test_\w+)(?:\[(\w+)\])?`", row).groups()  # type: ignore[union-attr]
        assert name in there, row
        assert case is None or f'"{case}"' in text, row


def test_files_that_the_page_names_are_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", PAGE.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
