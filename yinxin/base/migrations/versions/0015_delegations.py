"""Delegations from legal representatives to agents."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEXES = {
    "delegation": ("holder_index", "person_index", "agent_key", "parent"),
    "delegation_copy": ("delegation",),
    "delegation_use": ("delegation",),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "delegation_holder",
        sa.Column("holder_index", sa.LargeBinary(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("holder_index"),
    )
    op.create_table(
        "delegation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("holder_index", sa.LargeBinary(), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=True),
        sa.Column("agent_key", sa.String(length=64), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["holder_index"], ["delegation_holder.holder_index"]),
        sa.ForeignKeyConstraint(["parent"], ["delegation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "delegation_copy",
        sa.Column("status_uri", sa.String(length=200), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("delegation", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["delegation"], ["delegation.id"]),
        sa.PrimaryKeyConstraint("status_uri", "status_index"),
    )
    op.create_table(
        "delegation_use",
        sa.Column("verification", sa.String(length=32), nullable=False),
        sa.Column("delegation", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("matter", sa.String(length=200), nullable=False),
        sa.Column("licence_type", sa.String(length=80), nullable=False),
        sa.Column("indication", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["delegation"], ["delegation.id"]),
        sa.PrimaryKeyConstraint("verification"),
    )
    for table, columns in _INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column], unique=False)


def downgrade() -> None:
    """Undo."""
    for table in ("delegation_use", "delegation_copy", "delegation", "delegation_holder"):
        op.drop_table(table)
