"""Read the audit log: entries by their place, checkpoints, proofs, and the files of C2SP tlog-tiles.

The order of the log is the order of `log_index`, which only the sequencer gives. Follow it by asking for
entries `after` the last index seen; nothing is ever inserted below an index that was there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from yinxin.base.audit.checkpoint import parse_checkpoint, verify_checkpoint
from yinxin.base.audit.entry import Entry, entry_digest
from yinxin.base.audit.merkle import HASH_BYTES, consistency_path, inclusion_path, leaf_hash
from yinxin.base.audit.proof import ConsistencyProof, InclusionProof, OfflineProof, carry
from yinxin.base.audit.records import CHECKPOINTS, ENTRIES, INBOX
from yinxin.base.audit.sequencer import read_tile
from yinxin.base.audit.tiles import TILE_WIDTH, GrowingTree, TileName, TileReader
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlmodel import Session

    from yinxin.base.database import Database

MAX_ENTRIES = 1000


class AuditLog:
    """The reading face of the log in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint; None as long as the log is empty."""
        with self._database.reading() as session:
            return _newest_note(session)

    def size(self) -> int:
        """How many entries are in the log."""
        with self._database.reading() as session:
            return _size(session)

    def head(self) -> tuple[int, bytes]:
        """How many entries are in the log, and its root."""
        with self._database.reading() as session:
            tree = _tree(session, None)
            return tree.size, tree.root()

    def root_at(self, size: int) -> bytes | None:
        """The root of this log at a size that it had, or has when its inbox is in it; None beyond that."""
        with self._database.reading() as session:
            newest = _size(session)
            if size <= newest:
                return _tree(session, size).root()
            tree = GrowingTree(newest, lambda level, number: read_tile(session, level, number))
            waiting = select(INBOX.c.salt, INBOX.c.body).order_by(INBOX.c.number).limit(size - newest)
            for row in session.execute(waiting):
                tree.append((leaf_hash(entry_digest(row.salt, row.body)),))
            return tree.root() if tree.size == size else None

    def backlog(self) -> int:
        """How many entries wait in the inbox for their place."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(INBOX)) or 0

    def entries(self, *, after: int = -1, limit: int = 100, subject: str | None = None) -> list[Entry]:
        """The entries after a log index, in their order; of one subject, if asked. At most 1,000 at once."""
        wanted = select(ENTRIES).where(ENTRIES.c.log_index > after).order_by(ENTRIES.c.log_index)
        if subject is not None:
            wanted = wanted.where(ENTRIES.c.subject == subject)
        with self._database.reading() as session:
            return [_entry(row) for row in session.execute(wanted.limit(min(limit, MAX_ENTRIES)))]

    def entry(self, entry_id: str) -> Entry:
        """One entry by the id that `record` gave; `NotFound` before the sequencer has taken it."""
        with self._database.reading() as session:
            return _by_id(session, entry_id)

    def inclusion_proof(self, entry_id: str, *, size: int | None = None) -> InclusionProof:
        """That an entry is in the log, of its newest size or of an older one."""
        with self._database.reading() as session:
            index = _by_id(session, entry_id).log_index
            tree = _tree(session, size)
            return InclusionProof(index, tree.size, inclusion_path(index, tree.size, tree.subtree))

    def consistency_proof(self, old: int, new: int) -> ConsistencyProof:
        """That the log of `new` entries begins with the log of `old` entries."""
        with self._database.reading() as session:
            tree = _tree(session, new)
            return ConsistencyProof(old, new, consistency_path(old, new, tree.subtree))

    def offline_proof(self, entry_id: str, *, show_entry: bool = True) -> str:
        """A `.tlog-proof` text for the newest checkpoint, with the entry in it if it may be shown."""
        with self._database.reading() as session:
            entry = _by_id(session, entry_id)
            tree = _tree(session, None)
            path = inclusion_path(entry.log_index, tree.size, tree.subtree)
            note = _newest_note(session) or ""
        shown = show_entry and entry.salt is not None and entry.body is not None
        extra = carry(entry.salt or b"", entry.body or "") if shown else None
        return OfflineProof(entry.log_index, path, note, extra).to_text()

    def resource(self, path: str) -> bytes:
        """The content of `checkpoint`, `tile/0/x001/067.p/112` or `tile/entries/000`; `NotFound` otherwise.

        Tiles never change and may be cached for good; the checkpoint may not.
        """
        with self._database.reading() as session:
            if path == "checkpoint":
                note = _newest_note(session)
                if note is None:
                    raise NotFound("the log is empty")
                return note.encode("utf-8")
            name = TileName.parse(path)
            return _bundle(session, name) if name.level is None else _tile(session, name.level, name)

    def problems(self, *, origin: str, public_key: bytes) -> list[Text]:
        """Go through the whole log and say what does not hold; an empty list is good news."""
        found: list[Text] = []
        with self._database.reading() as session:
            note = _newest_note(session)
            if note is None:
                return found
            signed = verify_checkpoint(note, origin=origin, public_key=public_key)
            tree = GrowingTree(0, lambda _level, _number: b"")
            for row in session.execute(select(ENTRIES).order_by(ENTRIES.c.log_index)).yield_per(1000):
                found += _entry_problems(_entry(row), tree.size)
                tree.append((leaf_hash(row.digest),))
            if (tree.size, tree.root()) != (signed.size, signed.root):
                found.append(
                    Text("条目与已签名的检查点不符", "the entries do not give the signed checkpoint")
                )
            if _tree(session, None).root() != signed.root:
                found.append(
                    Text("哈希分块与已签名的检查点不符", "the tiles do not give the signed checkpoint")
                )
        return found


def erase(session: Session, entry_id: str) -> None:
    """Erase an entry's text and salt; its digest and every proof stay. The erasure itself is to be recorded.

    `Conflict` while the entry waits in the inbox.
    """
    if session.scalar(select(INBOX.c.number).where(INBOX.c.entry_id == entry_id)) is not None:
        raise Conflict("the entry is not in the log yet")
    _by_id(session, entry_id)
    session.execute(update(ENTRIES).where(ENTRIES.c.entry_id == entry_id).values(salt=None, body=None))


def _newest_note(session: Session) -> str | None:
    note: str | None = session.scalar(select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(1))
    return note


def _size(session: Session) -> int:
    note = _newest_note(session)
    return parse_checkpoint(note).size if note else 0


def _tree(session: Session, size: int | None) -> TileReader:
    newest = _size(session)
    wanted = newest if size is None else size
    if not 0 <= wanted <= newest:
        raise UsageError(f"the log has {newest} entries, not {wanted}")
    return TileReader(wanted, lambda level, number: read_tile(session, level, number))


def _by_id(session: Session, entry_id: str) -> Entry:
    row = session.execute(select(ENTRIES).where(ENTRIES.c.entry_id == entry_id)).one_or_none()
    if row is None:
        raise NotFound("no such entry in the audit log")
    return _entry(row)


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.log_index, row.entry_id, row.subject, row.digest, row.salt, row.body)


def _tile(session: Session, level: int, name: TileName) -> bytes:
    hashes = read_tile(session, level, name.number)[: name.width * HASH_BYTES]
    if len(hashes) < name.width * HASH_BYTES:
        raise NotFound("no such tile")
    return hashes


def _bundle(session: Session, name: TileName) -> bytes:
    first = name.number * TILE_WIDTH
    wanted = select(ENTRIES.c.digest).where(
        ENTRIES.c.log_index >= first, ENTRIES.c.log_index < first + name.width
    )
    digests = session.scalars(wanted.order_by(ENTRIES.c.log_index)).all()
    if len(digests) < name.width:
        raise NotFound("no such bundle")
    return b"".join(len(digest).to_bytes(2, "big") + digest for digest in digests)


def _entry_problems(entry: Entry, expected_index: int) -> list[Text]:
    found = []
    if entry.log_index != expected_index:
        found.append(Text(f"缺少第 {expected_index} 条", f"entry {expected_index} is missing"))
    erased = entry.salt is None and entry.body is None
    if not erased and not entry.is_intact:
        index = entry.log_index
        found.append(Text(f"第 {index} 条内容与其摘要不符", f"entry {index} does not give its digest"))
    return found
