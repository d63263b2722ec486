"""Take a backup of a node while it works.

The database is copied in one transaction, with the log's newest checkpoint in the same one; then the files of
the home, which are only added to or replaced whole. Keys are copied as they are, encrypted; the passphrase is
no part of a backup, wherever it is kept.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import yinxin
from yinxin.app.backup import manifest as papers
from yinxin.app.backup.manifest import Manifest, StoredFile
from yinxin.app.gathering.library import SEEN
from yinxin.app.home import GATHERED, PASSPHRASE
from yinxin.app.wiring import log_key
from yinxin.base import transfer
from yinxin.base.audit import AuditLog
from yinxin.base.errors import Conflict, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yinxin.app.home import Home

LEFT_OUT = frozenset({PASSPHRASE, "server.lock", "server.lock-journal"})
_SQLITE = "sqlite:///"


def take(
    home: Home, folder: Path, *, progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None
) -> Manifest:
    """Back the node up into a new or empty folder; `progress` hears what is done, and of how much.

    `Conflict` for a folder with something in it, and for a database of another version than this program.
    """
    if not home.database.is_migrated():
        raise Conflict("the database is of another version: run this version's `yinxin serve` first")
    _, key = log_key(home)  # asks for the passphrase before anything is written
    sign = home.signer("log").sign
    _make(folder, home)
    (folder / papers.DATABASE).mkdir(mode=0o700)
    with home.database.reading() as session:
        taken_at = home.clock.now()
        checkpoint = AuditLog(home.database).checkpoint()
        copied = transfer.copy_out(
            home.database,
            session,
            folder / papers.DATABASE,
            progress=lambda done, every: progress("database", done, every),
        )
    stored = [*_database_files(folder), *_home_files(home, folder, progress)]
    digest, count, size = papers.write_list(folder, stored)
    manifest = Manifest(
        taken_at=taken_at,
        version=yinxin.__version__,
        origin=home.settings.audit_origin,
        log_key=key,
        checkpoint=checkpoint,
        database=copied.kind,
        revision=copied.revision,
        tables={name: list(columns) for name, columns in copied.tables.items()},
        files_digest=digest,
        count=count,
        size_bytes=size,
        left_out=_outside(home),
    )
    papers.seal(folder, manifest, sign=sign)
    return manifest


def _make(folder: Path, home: Home) -> None:
    place, inside = folder.resolve(), home.directory.resolve()
    if place == inside or inside in place.parents:
        raise UsageError("a backup does not go into the home that it is of")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise Conflict(f"{folder} is not empty: each backup has a folder of its own")
        folder.chmod(0o700)
    except OSError as exc:
        raise UsageError(f"{folder} cannot be made: {exc.strerror}") from exc


def _database_files(folder: Path) -> Iterator[StoredFile]:
    for path in sorted((folder / papers.DATABASE).iterdir()):
        yield StoredFile(f"{papers.DATABASE}/{path.name}", *papers.digest_of(path))


def _home_files(home: Home, folder: Path, progress: Callable[[str, int, int], None]) -> Iterator[StoredFile]:
    database = _database_file(home)
    found = [path for path in _walk(home.directory) if not _is_left_out(path, home.directory, database)]
    for done, path in enumerate(found):
        name = path.relative_to(home.directory).as_posix()
        target = folder / papers.HOME / name
        try:
            digest, size = papers.copy_file(path, target, mode=0o600)
        except FileNotFoundError:  # a draft that got its name, or a list that was replaced
            target.unlink(missing_ok=True)
            continue
        yield StoredFile(f"{papers.HOME}/{name}", digest, size)
        progress("files", done + 1, len(found))


def _walk(directory: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(directory):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def _is_left_out(path: Path, directory: Path, database: Path | None) -> bool:
    if path.parent == directory and path.name in LEFT_OUT:
        return True
    first, *below = path.relative_to(directory).parts
    if first == GATHERED and below[:1] != [SEEN]:  # fetched anew; copied while it changes it would be torn
        return True
    if path.name.startswith(".") and path.name.endswith(".part"):  # a draft of `yinxin.base.files`
        return True
    return database is not None and path.resolve().as_posix().startswith(database.as_posix())


def _database_file(home: Home) -> Path | None:
    """The database's file and, as its beginning, the names of SQLite's side files."""
    url = home.settings.database_url
    return Path(url.removeprefix(_SQLITE)).resolve() if url.startswith(_SQLITE) else None


def _outside(home: Home) -> list[str]:
    """What the settings name that does not lie in the home: the operator keeps it otherwise."""
    settings, inside = home.settings, home.directory.resolve()
    places = (
        settings.trust_directory,
        settings.catalogue_directory,
        settings.forms_directory,
        settings.policy_file,
    )
    return [str(place) for place in places if place and inside not in place.resolve().parents]
