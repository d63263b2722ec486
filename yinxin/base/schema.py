"""Migrations of the tables: upgrade, compare, write a new one.

The scripts are Python files in `yinxin/base/migrations/versions`, part of the installed package; no ini file
is needed. `Database.migrate()` is what users call.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import AutoString, SQLModel

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_HOME = Path(__file__).parent / "migrations"
SCRIPTS = _HOME / "versions"
_LOCK = 0x79696E78  # "yinx": two processes that start together must not migrate at once


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Run the migrations that this database has not seen, up to one of them, all or none."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(_config(connection), to)


def revision(connection: Connection) -> str:
    """The last migration that this database has seen; empty for none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def differences(connection: Connection) -> list[Any]:
    """Alembic's operations that would turn the tables found into those of the code."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


def is_newest(connection: Connection) -> bool:
    """Whether the last migration that this database has seen is the last one that we ship."""
    found = MigrationContext.configure(connection).get_current_heads()
    return set(found) == set(ScriptDirectory.from_config(_config(connection)).get_heads())


def write_migration(connection: Connection, message: str) -> None:
    """Write the next script from the differences, for a developer to read and finish."""
    command.revision(_config(connection), message, autogenerate=True)


def options() -> dict[str, Any]:
    """How the scripts are run and written; `migrations/env.py` asks."""
    return {
        "compare_type": True,
        "render_as_batch": True,  # SQLite changes a table by copying it
        "transaction_per_migration": False,
        "render_item": _render,
    }


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Our column types as scripts write them; SQLModel's text type as the plain one that it is."""
    if kind == "type" and type(item).__name__ == "UtcDateTime":  # by name: `database` stands above us
        return "UtcDateTime()"
    if kind == "type" and type(item).__name__ in {"SealedText", "SealedJson"}:
        return "sa.LargeBinary()"  # what they are to the database
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def _config(connection: Connection) -> Config:
    config = Config()
    for name, value in (("script_location", _HOME), ("version_locations", SCRIPTS)):
        config.set_main_option(name, str(value).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a path may hold spaces and colons
    config.attributes["connection"] = connection
    return config
