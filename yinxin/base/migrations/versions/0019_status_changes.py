"""Every change of a status list's entries, so that a list can be given as it was at an earlier time."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Of what changed before, the last value and its time are known: they begin the history.
_KNOWN = """
INSERT INTO status_change (uri, number, position, value, changed_at)
SELECT uri, row_number() OVER (PARTITION BY uri ORDER BY changed_at, position), position, value, changed_at
FROM status_entry WHERE value > 0
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "status_change",
        sa.Column("uri", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uri", "number"),
        sa.ForeignKeyConstraint(["uri"], ["status_list.uri"]),
    )
    op.execute(_KNOWN)


def downgrade() -> None:
    """Undo."""
    op.drop_table("status_change")
