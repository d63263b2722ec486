"""The tables of subjects' events: queries stand in `.repository`, meanings in `.values`."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime
from yinxin.base.sealed import SealedJson

_RUNNING = text("state = 'running'")

# One event of a subject. State and step change by compare-and-set only. Of one subject one event runs at a time.
EVENTS = Table(
    "subject_event",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(18), nullable=False),
    Column("subject_index", LargeBinary, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("facts", SealedJson("subject_event.facts"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("planners", JSON, nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("step", Integer, nullable=False),
    Column("consents", JSON, nullable=False),
    Column("begun_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("run_by", String(200)),
    Column("undone_by", String(32)),
    Index("ix_subject_event_subject", "agency", "subject_index", "planned_at"),
    Index("ix_subject_event_recent", "agency", "planned_at"),
    Index(
        "uq_subject_event_running",
        "agency",
        "subject_index",
        unique=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    ),
)

# What an event does to one thing, and what became of it. The outcome changes once, in the effect's transaction.
EFFECTS = Table(
    "subject_effect",
    SQLModel.metadata,
    Column("event", String(32), ForeignKey("subject_event.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("of", String(12), nullable=False),
    Column("thing", String(300), nullable=False),
    Column("name_zh", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("action", String(12), nullable=False),
    Column("why_zh", String(300), nullable=False),
    Column("why_en", String(300), nullable=False),
    Column("terms", JSON, nullable=False),
    Column("seen", JSON, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("code", String(64), nullable=False),
    Column("outcome_facts", JSON, nullable=False),
    Column("settled_at", UtcDateTime),
)

# Certificates that belong to a person: a certificate names no citizen's number, so staff says whose it is.
CERTIFICATES = Table(
    "subject_certificate",
    SQLModel.metadata,
    Column("subject_index", LargeBinary, primary_key=True),
    Column("authority", String(40), primary_key=True),
    Column("serial", String(40), primary_key=True),
)
