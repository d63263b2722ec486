"""Keys that members of staff and systems of an agency sign with."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "access_key",
        sa.Column("thumbprint", sa.String(length=43), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["access_account.id"]),
        sa.PrimaryKeyConstraint("thumbprint"),
    )
    op.create_index("ix_access_key_account", "access_key", ["account"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_access_key_account", table_name="access_key")
    op.drop_table("access_key")
