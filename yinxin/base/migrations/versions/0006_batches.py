"""Holders are found by a keyed digest; batches of applications remember what was issued.

Rows that are there get their digest from the first process that has the key.
"""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("licence", sa.Column("holder_index", sa.LargeBinary(), nullable=True))
    op.drop_index("ix_licence_holder", table_name="licence")
    op.create_index(
        "ix_licence_holder_index", "licence", ["holder_index", "issued_at", "identifier"], unique=False
    )
    op.create_table(
        "licence_batch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency_code", sa.String(length=18), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("faulty", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_licence_batch_agency_code", "licence_batch", ["agency_code"], unique=False)
    op.create_table(
        "licence_application",
        sa.Column("agency_code", sa.String(length=18), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["licence_batch.id"]),
        sa.ForeignKeyConstraint(["licence"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("agency_code", "key"),
        sa.UniqueConstraint("licence"),
    )
    op.create_index("ix_licence_application_batch", "licence_application", ["batch"], unique=False)
    op.create_table(
        "licence_draft",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_licence_draft_made_at", "licence_draft", ["made_at"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table("licence_draft")
    op.drop_table("licence_application")
    op.drop_table("licence_batch")
    op.drop_index("ix_licence_holder_index", table_name="licence")
    op.create_index("ix_licence_holder", "licence", ["holder_code"], unique=False)
    op.drop_column("licence", "holder_index")
