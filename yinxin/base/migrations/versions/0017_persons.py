"""Personal data is kept sealed; a licence says when its personal data was erased."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# table, column, whether it may be empty, what it was before
COLUMNS = (
    ("licence", "holder_name", False, "VARCHAR(200)"),
    ("licence", "holder_code", False, "VARCHAR(64)"),
    ("licence", "claims", False, "JSON"),
    ("office_case", "work", False, "JSON"),
    ("oid4vci_offer", "holder", False, "VARCHAR(64)"),
    ("oid4vci_login", "holder", False, "VARCHAR(64)"),
    ("oid4vci_authorization", "holder", True, "VARCHAR(64)"),
    ("oid4vci_grant", "holder", False, "VARCHAR(64)"),
)


def upgrade() -> None:
    """Apply. What was there becomes a plain value (`p`); the first start with a key seals it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, column, is_nullable, _ in COLUMNS:
        needed = "" if is_nullable else " NOT NULL DEFAULT " + ("x''" if is_sqlite else "''")
        kind = "BLOB" if is_sqlite else "BYTEA"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}_kept {kind}{needed}")
        plain = (
            f"CAST('p' || {column} AS BLOB)" if is_sqlite else f"convert_to('p' || {column}::text, 'UTF8')"
        )
        op.execute(f"UPDATE {table} SET {column}_kept = {plain} WHERE {column} IS NOT NULL")  # noqa: S608 - names of ours
        _replace(table, column)
        if not (is_sqlite or is_nullable):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    op.add_column("licence", sa.Column("erased_at", UtcDateTime(), nullable=True))
    op.create_table(
        "person_erasure",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("document_number", sa.String(length=120), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("consent", sa.JSON(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("erased", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_person_erasure_agency", "person_erasure", ["agency"], unique=False)


def downgrade() -> None:
    """Undo, while nothing is sealed: a sealed value has no plain form without its key."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.drop_index("ix_person_erasure_agency", table_name="person_erasure")
    op.drop_table("person_erasure")
    op.drop_column("licence", "erased_at")
    for table, column, is_nullable, was in COLUMNS:
        needed = "" if is_nullable else " NOT NULL DEFAULT " + ("'null'" if was == "JSON" else "''")
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}_kept {was}{needed}")
        text = (
            f"substr(CAST({column} AS TEXT), 2)"
            if is_sqlite
            else f"substr(convert_from({column}, 'UTF8'), 2)"
        )
        cast = "" if is_sqlite or was != "JSON" else "::json"
        op.execute(f"UPDATE {table} SET {column}_kept = ({text}){cast} WHERE {column} IS NOT NULL")  # noqa: S608 - names of ours
        _replace(table, column)


def _replace(table: str, column: str) -> None:
    op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {column}_kept TO {column}")
