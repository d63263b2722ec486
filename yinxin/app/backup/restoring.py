"""Put a backup back into an empty home and database, in quarantine; and release it, by another person.

All is checked before anything is written. A file in the home, and a row in the database, keep services from
starting until somebody else than who restored it releases it, and not before whatever was good for a few
minutes when the old node stopped has ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from yinxin.app import wiring
from yinxin.app.backup import manifest as papers
from yinxin.app.backup import quarantine
from yinxin.app.backup.mark import MARK, put_mark, take_mark
from yinxin.app.home import SETTINGS, Home
from yinxin.base import audit, restoration, transfer
from yinxin.base.actor import ActorKind, one_spelling
from yinxin.base.errors import Conflict, NotPermitted, UsageError
from yinxin.base.files import READABLE, read_file, replace_file
from yinxin.base.randomness import SystemRandomness, random_text
from yinxin.base.restoration import Restoration
from yinxin.base.toml import toml_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from yinxin.app.backup.manifest import Manifest, StoredFile
    from yinxin.app.backup.quarantine import Quarantine
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock

NOTICE_FILE = "fork-notice.txt"
# Nonces, assertions and proofs of possession are good for five minutes and some skew, and a restored node
# does not know which of them were used.
RELEASE_AFTER = timedelta(minutes=10)
_SQLITE = "sqlite:///"
_DATABASE_LINE = re.compile(r"^\s*database_url\s*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the operator still has of the time after the backup, and how numbers are skipped."""

    checkpoint: str | None = None
    lists: Sequence[Path] = ()
    serials: int | None = None


def restore(  # noqa: PLR0913 - from where, into what, by whom, with what known
    folder: Path,
    into: Path,
    *,
    passphrase: str,
    actor: Actor,
    clock: Clock,
    evidence: Evidence = Evidence(),
    database_url: str | None = None,
    log_key: str | None = None,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None,
) -> Quarantine:
    """Put a backup back; the node is in quarantine then.

    `database_url` stands in place of the one in the settings. `log_key` is the verifier key that must have
    signed the backup. `MalformedInput`: the backup is not whole. `Conflict`: the home or its database is not
    empty, or the checkpoint given is of another history.
    """
    _require_person(actor)
    manifest = papers.read(folder, log_key=log_key)
    files = papers.files_of(folder, manifest)
    papers.check(folder, files, progress=lambda done, every: progress("check", done, every))
    _require_empty(into)
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    put_mark(into, state="restoring", taken_at=manifest.taken_at.isoformat())
    _copy_home(folder, into, files, progress)
    if database_url:
        _set_database(into, database_url)
    home = Home.open(into, passphrase=passphrase, clock=clock)
    if wiring.log_key(home)[1] != manifest.log_key:
        raise Conflict("the backup was signed by another key than its own log's")
    try:
        _fill_database(home, manifest, folder, actor, progress)
        return quarantine_home(home, actor=actor, evidence=evidence, taken_at=manifest.taken_at)
    finally:
        home.database.close()


def quarantine_home(
    home: Home, *, actor: Actor, evidence: Evidence, taken_at: datetime | None = None
) -> Quarantine:
    """Put a home into quarantine whose files and database are back, by `restore` or by other means."""
    _require_person(actor)
    home.database.migrate()
    made = quarantine.enter(
        home,
        actor=actor,
        taken_at=taken_at,
        checkpoint=evidence.checkpoint,
        lists=evidence.lists,
        serials=evidence.serials,
    )
    if made.notice:
        replace_file(home.directory / NOTICE_FILE, made.notice.encode(), mode=READABLE)
    put_mark(home.directory, state="quarantined", id=made.id, restored_by=str(actor))
    return made


def release(home: Home, *, actor: Actor) -> None:
    """Let the services of a restored node start again.

    `NotPermitted` for who restored it, `Conflict` while single-use values from before may still be good, or
    when there is nothing to release.
    """
    _require_person(actor)
    now = home.clock.now()
    with home.database.transaction() as session:
        found = restoration.unreleased(session)
        if found is None:
            raise Conflict("nothing waits for a release here")
        if one_spelling(found.restored_by) == one_spelling(str(actor)):
            raise NotPermitted("a second person releases what one has restored")
        if now < found.restored_at + RELEASE_AFTER:
            until = (found.restored_at + RELEASE_AFTER).isoformat(timespec="seconds")
            raise Conflict(f"not before {until}: what was used on the old node must have ended")
        restoration.release(session, found, by=str(actor), at=now)
        subject = f"restoration/{found.id}"
        audit.record(session, action="node.release", subject=subject, actor=actor, at=now)
    take_mark(home.directory)


def _require_person(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF:
        raise NotPermitted("a person restores and releases, no process")


def _require_empty(into: Path) -> None:
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Conflict(f"{into} is not empty: restore into a new folder")


def _copy_home(
    folder: Path, into: Path, files: list[StoredFile], progress: Callable[[str, int, int], None]
) -> None:
    wanted = [file for file in files if file.path.startswith(f"{papers.HOME}/")]
    for done, file in enumerate(wanted):
        target = into / file.path.removeprefix(f"{papers.HOME}/")
        if target.parent == into and target.name == MARK:
            continue
        papers.copy_file(folder / file.path, target, mode=0o600)
        progress("files", done + 1, len(wanted))


def _set_database(into: Path, url: str) -> None:
    """Write another database into the settings of a home."""
    path = into / SETTINGS
    text = read_file(path).decode("utf-8")
    line = f"database_url = {toml_text(url)}"
    changed = _DATABASE_LINE.sub(lambda _: line, text) if _DATABASE_LINE.search(text) else f"{line}\n{text}"
    replace_file(path, changed.encode())


def _fill_database(
    home: Home, manifest: Manifest, folder: Path, actor: Actor, progress: Callable[[str, int, int], None]
) -> None:
    """Put the rows back; from the first moment on they say that they wait for a release."""
    url = home.settings.database_url
    if (manifest.database == "sqlite") is not url.startswith("sqlite"):
        raise UsageError(f"the backup is of {manifest.database}: name such a database by --database-url")
    row = Restoration(random_text(SystemRandomness()), manifest.taken_at, home.clock.now(), str(actor))
    if manifest.database == "sqlite":
        place = Path(url.removeprefix(_SQLITE))
        papers.copy_file(folder / papers.DATABASE / transfer.SQLITE_FILE, place, mode=0o600)
        home.database.migrate()
        with home.database.transaction() as session:
            restoration.keep(session, row)
        return
    tables = {name: tuple(columns) for name, columns in manifest.tables.items()}
    transfer.copy_in(
        home.database,
        transfer.Copied(manifest.database, manifest.revision, tables),
        folder / papers.DATABASE,
        finish=lambda session: restoration.keep(session, row),
        progress=lambda done, every: progress("database", done, every),
    )
