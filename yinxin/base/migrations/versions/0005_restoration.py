"""The table of restorations from backups."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "restoration",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=True),
        sa.Column("restored_at", UtcDateTime(), nullable=False),
        sa.Column("restored_by", sa.String(length=220), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("released_by", sa.String(length=220), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("restoration")
