"""A folder through which the process that fetches lists hands them to the workers of the same supervisor.

Private to this user and gone with the supervisor. Workers verify what they take from it as if they had
fetched it themselves, at the time when it was fetched.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from yinxin.app.network import Fetched
from yinxin.base.errors import MalformedInput, Unreachable
from yinxin.base.files import read_file, replace_file

if TYPE_CHECKING:
    from pathlib import Path

INDEX = "index.json"
MAX_INDEX_BYTES = 4 << 20


class Shelf:
    """`put` and `publish` by the one that fetches, `get` by the others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, tuple[str, datetime]] = {}

    @property
    def is_filled(self) -> bool:
        """Whether a round was published yet."""
        return (self._folder / INDEX).is_file()

    def put(self, url: str, fetched: Fetched) -> None:
        """Lay down what an address answered; seen by others from the next `publish` on."""
        digest = hashlib.sha256(fetched.body).hexdigest()
        place = self._folder / digest
        if not place.is_file():
            replace_file(place, fetched.body)
        self._rows[url] = (digest, fetched.at)

    def publish(self) -> None:
        """Show what was put, and take away what nothing names any more but the last round did."""
        rows = {url: [digest, at.isoformat()] for url, (digest, at) in self._rows.items()}
        before = self._read() if self.is_filled else {}
        replace_file(self._folder / INDEX, json.dumps(rows).encode())
        named = {digest for digest, _ in self._rows.values()} | {digest for digest, _ in before.values()}
        for path in self._folder.iterdir():
            if path.name != INDEX and path.name not in named and not path.name.startswith("."):
                path.unlink(missing_ok=True)

    def get(self, url: str, limit: int) -> Fetched:
        """What the address answered last."""
        rows = self._read()
        if url not in rows:
            raise Unreachable("not fetched yet")
        digest, at = rows[url]
        return Fetched(read_file(self._folder / digest, limit=limit), at)

    def _read(self) -> dict[str, tuple[str, datetime]]:
        content: dict[str, Any] = json.loads(read_file(self._folder / INDEX, limit=MAX_INDEX_BYTES))
        try:
            return {url: (digest, datetime.fromisoformat(at)) for url, (digest, at) in content.items()}
        except (TypeError, ValueError) as exc:
            raise MalformedInput("shelf") from exc
