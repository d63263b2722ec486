"""Nodes: homes on both databases, as offices run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.databases import database_url, postgresql
from world.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["database_url", "postgresql"]


@pytest.fixture
def node(database_url: str, tmp_path: Path) -> Iterator[Node]:
    """A node with a licence, on SQLite and on PostgreSQL."""
    made = Node.make(tmp_path / "home", database_url)
    yield made
    made.close()
