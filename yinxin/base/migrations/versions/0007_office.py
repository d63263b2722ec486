"""Cases of issuing offices: drafts, reviews, approvals."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "office_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("asked_for", sa.String(length=64), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("editors", sa.JSON(), nullable=False),
        sa.Column("consents", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("sealed_as", sa.String(length=160), nullable=True),
        sa.ForeignKeyConstraint(["sealed_as"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agency", "number", name="uq_office_case_number"),
    )
    op.create_index("ix_office_case_state", "office_case", ["state"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_office_case_state", table_name="office_case")
    op.drop_table("office_case")
