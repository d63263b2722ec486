"""Migrations: written from the code, run from the package, on both databases."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, String, Table, inspect
from sqlmodel import SQLModel

from yinxin.base import audit, once, schema
from yinxin.base.database import Database, UtcDateTime, schema_differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

assert audit
assert once


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    yield found
    found.close()


def test_a_migration_written_from_the_code_makes_the_tables_of_the_code(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "SCRIPTS", tmp_path)
    assert schema_differences(empty)
    with empty.connection() as connection:
        schema.write_migration(connection, "the first tables")
    (script,) = tmp_path.glob("*.py")
    text = script.read_text("utf-8")
    assert "UtcDateTime()" in text
    assert "audit_inbox" in text
    empty.migrate()
    empty.migrate()  # nothing left to do
    assert schema_differences(empty) == []

    extra = Table(
        "later", SQLModel.metadata, Column("a", Integer, primary_key=True), Column("at", UtcDateTime)
    )
    try:
        with empty.connection() as connection:
            schema.write_migration(connection, "a later table")
        empty.migrate()
        assert schema_differences(empty) == []
    finally:
        SQLModel.metadata.remove(extra)


def test_a_migration_that_fails_changes_nothing(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "SCRIPTS", tmp_path)
    (tmp_path / "0001_bad.py").write_text(BAD)
    with pytest.raises(ZeroDivisionError):
        empty.migrate()
    with empty.connection() as connection:
        assert inspect(connection).get_table_names() == []


def test_the_packages_own_migrations_run(empty: Database) -> None:
    empty.migrate()
    assert importlib.util.find_spec("yinxin.base.migrations.env")


def test_a_column_of_another_type_is_a_difference(empty: Database) -> None:
    table = Table("typed", SQLModel.metadata, Column("a", Integer, primary_key=True), Column("b", String(5)))
    try:
        empty.create_schema()
        with empty.connection() as connection:
            connection.exec_driver_sql("DROP TABLE typed")
            connection.exec_driver_sql("CREATE TABLE typed (a INTEGER NOT NULL PRIMARY KEY, b INTEGER)")
        assert schema_differences(empty)
    finally:
        SQLModel.metadata.remove(table)


BAD = '''"""Bad."""
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("half", sa.Column("a", sa.Integer))
    1 // 0
'''
