"""Migrations of the tables: upgrade, compare, write a new one.

The scripts are Python files in `yinxin/base/migrations/versions`, part of the installed package; no ini file
is needed. `Database.migrate()` is what users call.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LOCK = 0x79696E78  # "yinx": two processes that start together must not migrate at once
OPTIONS: dict[str, Any] = {"compare_type": True, "render_as_batch": True, "transaction_per_migration": False}


def upgrade(connection: Connection) -> None:
    """Run the migrations that this database has not seen, all or none of them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(_config(connection), "head")


def differences(connection: Connection) -> list[Any]:
    """Alembic's operations that would turn the tables found into those of the code."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


def write_migration(connection: Connection, message: str, *, directory: Path | None = None) -> None:
    """Write the next script from the differences, for a developer to read and finish.

    `directory` holds the scripts; None is the package's own.
    """
    config = _config(connection)
    if directory is not None:
        config.set_main_option("version_locations", str(directory))
        config.set_main_option("path_separator", "newline")
    command.revision(config, message, autogenerate=True, version_path=str(directory) if directory else None)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
