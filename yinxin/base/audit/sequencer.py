"""Give inbox entries their place in the log, and sign for it.

However many sequencers run, in threads, processes or on several machines, one works at a time: PostgreSQL has
an advisory lock for it, SQLite its one writer. Moving the entries, growing the tiles and storing the signed
checkpoint is one transaction, so a crash leaves all of it or nothing.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from yinxin.base.audit.checkpoint import Checkpoint, check_origin, parse_checkpoint, sign_checkpoint
from yinxin.base.audit.entry import entry_digest
from yinxin.base.audit.merkle import leaf_hash
from yinxin.base.audit.records import CHECKPOINTS, ENTRIES, INBOX, TILES
from yinxin.base.audit.tiles import GrowingTree
from yinxin.base.errors import Conflict, UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Row
    from sqlmodel import Session

    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

_LOCK = 0x79697365  # "yise": this database's one log
_log = logging.getLogger(__name__)


class Sequencer:
    """The log's writer: `run_once()` for one round, `start()` and `stop()` for a thread that goes on.

    `origin` is the log's name for good. `sign` makes raw Ed25519 signatures for the raw `public_key`; it is
    called inside the transaction, so it belongs to a key at hand, not to one across a network.
    """

    def __init__(
        self,
        database: Database,
        *,
        origin: str,
        sign: Callable[[bytes], bytes],
        public_key: bytes,
        clock: Clock,
    ) -> None:
        self._database = database
        self._origin = check_origin(origin)
        self._sign = sign
        self._public_key = public_key
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def run_once(self, limit: int = 1000) -> int:
        """Take up to `limit` entries from the inbox into the log; returns how many.

        `Conflict` when the stored tree does not fit its last checkpoint: somebody changed it.
        """
        with self._database.transaction() as session:
            if not self._database.is_sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            rows = _take(session, limit)
            if rows:
                self._grow(session, rows)
        return len(rows)

    def start(self, *, interval_seconds: float = 1.0) -> None:
        """Run rounds in a thread: every interval, after `wake()`, and at once while rounds are full."""
        if self._thread is not None:
            raise UsageError("the sequencer runs already")
        self._stopping.clear()
        self._thread = threading.Thread(
            target=self._run, args=(interval_seconds,), name="yinxin-sequencer", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look into the inbox now."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the round under way and stop the thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, interval_seconds: float, limit: int = 1000) -> None:
        while not self._stopping.is_set():
            taken = 0
            try:
                taken = self.run_once(limit)
            except YinxinError as error:  # the database may come back; entries wait in the inbox meanwhile
                _log.error("the audit sequencer could not work: %s", error)
            if taken < limit:
                self._wake.wait(interval_seconds)
                self._wake.clear()

    def _grow(self, session: Session, rows: list[Row[Any]]) -> None:
        tree = self._tree(session)
        digests = [entry_digest(row.salt, row.body) for row in rows]
        session.execute(
            insert(ENTRIES),
            [
                {
                    "log_index": tree.size + i,
                    "entry_id": row.entry_id,
                    "subject": row.subject,
                    "digest": digest,
                    "salt": row.salt,
                    "body": row.body,
                }
                for i, (row, digest) in enumerate(zip(rows, digests, strict=True))
            ],
        )
        tree.append(leaf_hash(digest) for digest in digests)
        _store(session, tree)
        checkpoint = Checkpoint(self._origin, tree.size, tree.root())
        note = sign_checkpoint(checkpoint, sign=self._sign, public_key=self._public_key)
        row = {"size": tree.size, "note": note, "signed_at": self._clock.now()}
        session.execute(insert(CHECKPOINTS), row)

    def _tree(self, session: Session) -> GrowingTree:
        """The tree as it was signed last."""
        newest = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(1)
        note = session.scalar(newest)
        if note is None:
            return GrowingTree(0, lambda _level, _number: b"")
        signed = parse_checkpoint(note)
        if signed.origin != self._origin:
            raise UsageError(f"this database holds the log {signed.origin}, not {self._origin}")
        tree = GrowingTree(signed.size, lambda level, number: read_tile(session, level, number))
        if tree.root() != signed.root:
            raise Conflict("the stored audit tree does not fit its last checkpoint")
        return tree


def read_tile(session: Session, level: int, number: int) -> bytes:
    """The hashes of a tile as stored, none when there is no such tile."""
    wanted = select(TILES.c.hashes).where(TILES.c.level == level, TILES.c.number == number)
    return session.scalar(wanted) or b""


def _take(session: Session, limit: int) -> list[Row[Any]]:
    """Take the oldest entries out of the inbox; ones committed later with a smaller number come next time."""
    oldest = select(INBOX.c.number).order_by(INBOX.c.number).limit(limit)
    taken = session.execute(delete(INBOX).where(INBOX.c.number.in_(oldest)).returning(INBOX))
    return sorted(taken, key=lambda row: row.number)


def _store(session: Session, tree: GrowingTree) -> None:
    upsert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = upsert(TILES)
    statement = statement.on_conflict_do_update(
        index_elements=["level", "number"], set_={"hashes": statement.excluded.hashes}
    )
    rows = [{"level": level, "number": n, "hashes": hashes} for (level, n), hashes in tree.changed.items()]
    session.execute(statement, rows)
