"""The tables of batches: files of applications, what they led to, documents on their way."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

# One row for each file that an agency issues from; its id follows from agency, type and file.
BATCHES = Table(
    "licence_batch",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("agency_code", String(18), nullable=False, index=True),
    Column("total", Integer, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("faulty", Integer),
)

# One row for each application that a licence was issued for: the key is unique for the agency, whatever
# the file.
APPLICATIONS = Table(
    "licence_application",
    SQLModel.metadata,
    Column("agency_code", String(18), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("batch", String(32), ForeignKey("licence_batch.id"), nullable=False, index=True),
    Column("row", Integer, nullable=False),
    Column("licence", String(160), ForeignKey("licence.identifier"), nullable=False, unique=True),
)

# A document that is being written and whose licence is not recorded yet; what a killed process leaves is
# found here.
DRAFTS = Table(
    "licence_draft",
    SQLModel.metadata,
    Column("digest", String(64), primary_key=True),
    Column("made_at", UtcDateTime, nullable=False, index=True),
)
