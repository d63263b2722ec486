"""The tables of the audit log."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

# Rows get their log index from the sequencer alone, so the order of `number` means nothing to readers.
INBOX = Table(
    "audit_inbox",
    SQLModel.metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("entry_id", String(32), nullable=False, unique=True),
    Column("subject", String(200), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
)

# `salt` and `body` are empty once an entry is erased; `digest` stays, and with it the tree.
ENTRIES = Table(
    "audit_entry",
    SQLModel.metadata,
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", String(32), nullable=False, unique=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),
    Column("salt", LargeBinary),
    Column("body", Text),
)

# One row for each tile, as wide as it is by now: a narrower partial tile is its beginning.
TILES = Table(
    "audit_tile",
    SQLModel.metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

CHECKPOINTS = Table(
    "audit_checkpoint",
    SQLModel.metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
)
