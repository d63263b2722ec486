"""The migrations make the very tables that the code expects, on both databases."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world.databases import database, database_url, postgresql  # noqa: F401 - fixtures

from yinxin.base.database import Database, schema_differences

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="module")
def _every_table() -> None:
    for path in [
        *ROOT.glob("*/*records.py"),
        *ROOT.glob("*/*/*records.py"),
        *ROOT.glob("*/*/*/*records.py"),
        ROOT / "yinxin/base/audit/records.py",
    ]:
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in ("yinxin.base.once", "yinxin.base.restoration"):
        importlib.import_module(name)


@pytest.fixture
def bare(database_url: str) -> Iterator[Database]:  # noqa: F811 - the fixture
    found = Database(database_url)
    yield found
    found.close()


def test_a_migrated_database_has_the_tables_of_the_code(bare: Database) -> None:
    bare.migrate()
    assert _differences(bare) == []


def test_migrating_twice_changes_nothing(bare: Database) -> None:
    bare.migrate()
    bare.migrate()
    assert _differences(bare) == []


def _differences(found: Database) -> list[object]:
    """Without the tables that other tests make for themselves."""
    return [one for one in schema_differences(found) if "Table('test_" not in str(one)]
