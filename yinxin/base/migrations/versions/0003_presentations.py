"""The table of presentation sessions (OpenID4VP)."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "verify_presentation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("kept_until", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.LargeBinary(), nullable=True),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("request"),
    )
    with op.batch_alter_table("verify_presentation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verify_presentation_kept_until"), ["kept_until"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("verify_presentation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verify_presentation_kept_until"))

    op.drop_table("verify_presentation")
