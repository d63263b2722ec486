"""Licences from older registers."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("licence", sa.Column("provenance", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("licence", "provenance")
