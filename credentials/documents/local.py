"""A local folder as a place for documents; the default, and part of every backup."""

from __future__ import annotations

from pathlib import Path

from yinxin.base.errors import NotFound, TooLarge, Unreachable
from yinxin.base.files import read_file, replace_file


class LocalFolder:
    """Files below one folder, three levels deep, readable by their owner only."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    def write(self, name: str, data: bytes) -> None:
        """Keep these bytes, whole or not at all."""
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise Unreachable(f"the document store cannot be written: {exc.strerror}") from exc
        replace_file(path, data)

    def read(self, name: str, *, limit: int) -> bytes | None:
        """The bytes of a name, None when there are none."""
        try:
            return read_file(self._path(name), limit=limit)
        except TooLarge:
            raise
        except NotFound:
            return None

    def has(self, name: str) -> bool:
        """Whether something is kept under a name."""
        return self._path(name).exists()

    def remove(self, name: str) -> None:
        """Forget a name, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / name[:2] / name[2:4] / name[4:]
