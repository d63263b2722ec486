"""The mark of a node that was restored and not released: a file in its home, and a row in its database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from yinxin.base import restoration
from yinxin.base.errors import Conflict
from yinxin.base.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from yinxin.app.home import Home

MARK = "quarantine.json"


def put_mark(home: Path, **facts: str) -> None:
    """Mark a home; what stood there is replaced."""
    replace_file(home / MARK, json.dumps(facts).encode())


def take_mark(home: Path) -> None:
    """Take the mark away."""
    (home / MARK).unlink(missing_ok=True)


def is_waiting(home: Home) -> bool:
    """Whether the node was restored and waits for its release."""
    if (home.directory / MARK).exists():
        return True
    with home.database.reading() as session:
        return restoration.unreleased(session) is not None


def require_released(home: Home) -> None:
    """`Conflict` for a node that waits for its release; its tables are those of this version."""
    if is_waiting(home):
        raise Conflict(
            "this node was restored from a backup: a second person releases it by `yinxin restore --release`"
        )
