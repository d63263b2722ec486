"""Files on this machine: read with a limit, written whole or not at all.

A name appears only with all its bytes behind it, whatever crashes meanwhile. Which folder, which format and
who may write is for the callers; what the system refuses leaves as an error of ours.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from yinxin.base.errors import Conflict, NotFound, TooLarge, Unreachable, UsageError
from yinxin.base.randomness import SystemRandomness

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom
    from pathlib import Path

MAX_FILE_BYTES = 256 << 20
PRIVATE, READABLE = 0o600, 0o644  # modes; the process's umask takes its part away


def read_file(path: Path, *, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a regular file, at most `limit` of them; else `NotFound` or `TooLarge`."""
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


def write_new_file(path: Path, data: bytes, *, mode: int = READABLE) -> None:
    """Write a file that did not exist; an existing one is a `Conflict` and stays as it is.

    `UsageError`: nothing can be written there.
    """
    try:
        if path.exists():
            raise Conflict(f"{path} exists and is not overwritten")
        with _draft(path, data, mode) as draft:
            _publish(draft, path)
    except FileExistsError as exc:
        raise Conflict(f"{path} exists and is not overwritten") from exc
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} cannot be written") from exc


@contextmanager
def drafted(
    path: Path, *, mode: int = READABLE, replace: bool = False, flush: bool = True
) -> Iterator[BufferedRandom]:
    """A new file to write and read; it gets its name at the end of the block, with all its bytes on the disk.

    An error in the block leaves nothing. A file that is there is a `Conflict`, unless it is to be replaced.
    Without `flush` its bytes are on the disk and its name need not be yet (`flush_folder`).
    `UsageError`: nothing can be written there; `Unreachable`: the disk refuses.
    """
    if not replace and path.exists():
        raise Conflict(f"{path} exists and is not overwritten")
    draft = path.with_name(f".{SystemRandomness().bytes(8).hex()}.part")
    try:
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} cannot be written") from exc
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            _publish(draft, path)
        if flush:
            flush_folder(path.parent)
    except FileExistsError as exc:
        raise Conflict(f"{path} exists and is not overwritten") from exc
    except OSError as exc:
        raise Unreachable(f"{path} cannot be written: {exc.strerror}") from exc
    finally:
        draft.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes, *, mode: int = PRIVATE, flush: bool = True) -> None:
    """Put a file in place of whatever stood there; a crash leaves the old one or the new one.

    Without `flush` a power cut may leave a broken one: for what can be made again. `Unreachable`: the disk
    refuses.
    """
    try:
        with _draft(path, data, mode, flush=flush) as draft:
            draft.replace(path)
        if flush:
            flush_folder(path.parent)
    except OSError as exc:
        raise Unreachable(f"{path} cannot be written: {exc.strerror}") from exc


def publish_file(draft: Path, path: Path) -> None:
    """Give a finished file on the same disk its name; an existing one is a `Conflict` and stays as it is.

    The name lasts through a power cut after `flush_folder`. `Unreachable`: the disk refuses.
    """
    try:
        if path.exists():
            raise Conflict(f"{path} exists and is not overwritten")
        _publish(draft, path)
        draft.unlink(missing_ok=True)
    except FileExistsError as exc:
        raise Conflict(f"{path} exists and is not overwritten") from exc
    except OSError as exc:
        raise Unreachable(f"{path} cannot be written: {exc.strerror}") from exc


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that this file stands for, once nobody else does; a process that ends gives it back.

    The file is made where it is missing, stays, and holds nothing. `Unreachable`: the disk refuses.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    except OSError as exc:
        raise Unreachable(f"{path}: {exc.strerror}") from exc
    try:
        _lock(handle, path)
        yield
    finally:
        os.close(handle)  # which gives the lock back


def _lock(handle: int, path: Path) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as exc:
        raise Unreachable(f"{path}: {exc.strerror}") from exc


@contextmanager
def _draft(path: Path, data: bytes, mode: int, *, flush: bool = True) -> Iterator[Path]:
    """All the bytes on the disk, beside `path` under a name of their own; gone at the end unless renamed."""
    draft = path.with_name(f".{SystemRandomness().bytes(8).hex()}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if flush:
                os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    """Give the draft its name; `FileExistsError` when somebody else was faster."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: take the name first
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        draft.replace(path)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut, where the system can do that."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
