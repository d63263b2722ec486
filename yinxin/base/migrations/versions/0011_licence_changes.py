"""Corrections, mergers, splits, undone endings, notices."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    """What is added to tables that were there; fresh ones each time, since a column belongs to one table."""
    return {
        "licence": (
            sa.Column("kind", sa.String(length=20), nullable=True),
            sa.Column("effective_from", UtcDateTime(), nullable=True),
            sa.Column("origins", sa.JSON(), nullable=True),
            sa.Column("successors", sa.JSON(), nullable=True),
        ),
        "licence_event": (
            sa.Column("successors", sa.JSON(), nullable=True),
            sa.Column("version_kind", sa.String(length=20), nullable=True),
            sa.Column("cause", sa.String(length=30), nullable=True),
            sa.Column("undoes", sa.Integer(), nullable=True),
        ),
        "licence_copy": (
            sa.Column("retired_at", UtcDateTime(), nullable=True),
            sa.Column("retired_by", sa.String(length=20), nullable=True),
        ),
        "verify_verification": (sa.Column("accepted", sa.String(length=160), nullable=True),),
    }


def upgrade() -> None:
    """Apply."""
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("verify_verification_accepted", "verify_verification", ["accepted", "department"])
    _fill_accepted()
    op.create_table(
        "office_notice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["licence"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("department", "licence", "event", name="uq_office_notice_event"),
    )
    op.create_index("ix_office_notice_waiting", "office_notice", ["department", "acknowledged_at", "told_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_office_notice_waiting", table_name="office_notice")
    op.drop_table("office_notice")
    op.drop_index("verify_verification_accepted", table_name="verify_verification")
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)


def _fill_accepted() -> None:
    """Which version a department relied on stands in what was recorded of its verifications."""
    if op.get_bind().dialect.name == "postgresql":
        licence, indication = "content->>'licence'", "content->>'indication'"
    else:
        licence, indication = "json_extract(content, '$.licence')", "json_extract(content, '$.indication')"
    op.execute(f"UPDATE verify_verification SET accepted = {licence} WHERE {indication} = 'passed'")  # noqa: S608 - constants
