"""Homes for tests: as the ceremony makes them, on tables that were migrated once and are copied since.

Running every migration takes longer than all keys and certificates of a home. That migrations do what they
should is told in `tests/app/test_migrations.py`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from world.databases import fill, template_of
from yinxin.app import ceremony
from yinxin.base.database import Database

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from yinxin.app.ceremony import Plan
    from yinxin.app.home import Home

_MIGRATE = Database.migrate


def make_home(directory: Path, plan: Plan, **options: Any) -> Home:
    """`yinxin.app.ceremony.make_home`, in half of the time."""
    with patch.object(Database, "migrate", _migrated):
        return ceremony.make_home(directory, plan, **options)


def _migrated(database: Database) -> None:
    if database.is_sqlite:
        fill(database, _template())
    else:  # there `postgresql.fresh(migrated=True)` does it before
        _MIGRATE(database)


@functools.cache
def _template() -> sqlite3.Connection:
    made = Database("sqlite://")
    _MIGRATE(made)
    return template_of(made)
