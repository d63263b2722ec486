"""Files that a person names: read with a limit, written only where nothing stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from yinxin.base.errors import Conflict, NotFound, TooLarge, UsageError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 256 << 20


def read_file(path: Path, *, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file, at most `limit` of them."""
    try:
        if not path.is_file():
            raise NotFound(f"{path} is not a file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        raise NotFound(f"{path} cannot be read") from exc
    if len(data) > limit:
        raise TooLarge("file", f"{path} has more than {limit} bytes")
    return data


def write_new_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file that did not exist; an existing one is a `Conflict` and stays as it is.

    Whole or not at all: a name appears only with all its bytes.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists():
            raise Conflict(f"{path} exists and is not overwritten")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} cannot be written") from exc
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    """Give the finished draft its name, without ever replacing a file."""
    try:
        os.link(draft, path)
    except FileExistsError as exc:
        raise Conflict(f"{path} exists and is not overwritten") from exc
    except OSError:  # a file system without hard links
        draft.rename(path)
