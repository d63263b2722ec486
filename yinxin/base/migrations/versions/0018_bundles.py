"""Bundles of cases: one file of applications, agreed to as a whole."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "office_bundle",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("faults", sa.LargeBinary(), nullable=False),
        sa.Column("editors", sa.JSON(), nullable=False),
        sa.Column("consents", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agency", "number", name="uq_office_bundle_number"),
    )
    with op.batch_alter_table("office_case") as table:
        table.add_column(sa.Column("bundle", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
        table.create_foreign_key("fk_office_case_bundle", "office_bundle", ["bundle"], ["id"])
        table.create_index("ix_office_case_bundle", ["bundle"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("office_case") as table:
        table.drop_index("ix_office_case_bundle")
        table.drop_constraint("fk_office_case_bundle", type_="foreignkey")
        table.drop_column("place")
        table.drop_column("bundle")
    op.drop_table("office_bundle")
