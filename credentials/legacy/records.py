"""The tables of legacy import: registers, runs over their files, and the rows that led to something."""

from sqlalchemy import JSON, Column, Date, ForeignKey, Integer, LargeBinary, String, Table
from sqlmodel import SQLModel

from yinxin.base.database import UtcDateTime

# One row for each older register of an agency: by which mapping it is read and who agreed to that, how far it
# was followed, and the last day that it may add.
REGISTERS = Table(
    "legacy_register",
    SQLModel.metadata,
    Column("agency", String(18), primary_key=True),
    Column("register", String(40), primary_key=True),
    Column("source", String(120), nullable=False),
    Column("type_code", String(80), nullable=False),
    Column("mapping_sha256", String(64), nullable=False),
    Column("proposed_by", String(200), nullable=False),
    Column("consent", JSON(none_as_null=True), nullable=True),
    Column("cursor", UtcDateTime, nullable=True),
    Column("cut_off", Date, nullable=True),
)

# One row for each walk over a file: who, which file by which mapping, and what came of it.
RUNS = Table(
    "legacy_run",
    SQLModel.metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(18), nullable=False),
    Column("register", String(40), nullable=False),
    Column("mapping_sha256", String(64), nullable=False),
    Column("file_sha256", String(64), nullable=True),
    Column("actor", String(200), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=True),
    Column("counts", JSON, nullable=True),
)

# One row for each number of a register: what its row was like when it was last taken over. `key` and `digest`
# are keyed digests. `licence` is the version that it led to, none for one of another issuer. `fixes` are
# columns and rules, no data.
ROWS = Table(
    "legacy_row",
    SQLModel.metadata,
    Column("agency", String(18), primary_key=True),
    Column("register", String(40), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("licence", String(160), ForeignKey("licence.identifier"), nullable=True, index=True),
    Column("run", String(32), ForeignKey("legacy_run.id"), nullable=False),
    Column("row", Integer, nullable=False),
    Column("fixes", JSON, nullable=False),
)
