"""Supervision, refusals and disputes."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispute",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=220), nullable=False),
        sa.Column("is_holder", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("slip", sa.LargeBinary(), nullable=True),
        sa.Column("licence", sa.String(length=160), nullable=True),
        sa.Column("type_code", sa.String(length=80), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("result", sa.String(length=160), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("slip"),
    )
    op.create_index("ix_dispute_licence", "dispute", ["licence"], unique=False)
    op.create_index("ix_dispute_waiting", "dispute", ["agency", "state", "due_at"], unique=False)
    op.create_table(
        "supervision_cursor",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "supervision_finding",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=False),
        sa.Column("officers", sa.JSON(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("explained_by", sa.String(length=200), nullable=True),
        sa.Column("explained_at", UtcDateTime(), nullable=True),
        sa.Column("explanation", sa.LargeBinary(), nullable=True),
        sa.Column("closed_by", sa.String(length=200), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closing", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_supervision_finding_state",
        "supervision_finding",
        ["organisation", "state", "found_at"],
        unique=False,
    )
    op.create_table(
        "supervision_inspection",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("inspector", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_supervision_inspection_inspector",
        "supervision_inspection",
        ["inspector", "begun_at"],
        unique=False,
    )
    op.create_table(
        "supervision_line",
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=False),
        sa.Column("office", sa.String(length=18), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=True),
        sa.Column("case_id", sa.String(length=160), nullable=True),
        sa.Column("seal", sa.String(length=160), nullable=True),
        sa.Column("due", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("log_index"),
    )
    op.create_index("ix_supervision_line_actor", "supervision_line", ["actor", "log_index"], unique=False)
    op.create_index("ix_supervision_line_at", "supervision_line", ["at"], unique=False)
    op.create_index("ix_supervision_line_case", "supervision_line", ["case_id", "log_index"], unique=False)
    op.create_index("ix_supervision_line_licence", "supervision_line", ["licence", "log_index"], unique=False)
    op.create_index("ix_supervision_line_seal", "supervision_line", ["seal", "log_index"], unique=False)
    op.create_table(
        "supervision_look_up",
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("inspection", sa.String(length=32), nullable=False),
        sa.Column("inspector", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index(
        "ix_supervision_look_up_inspector", "supervision_look_up", ["inspector", "kind", "at"], unique=False
    )
    op.create_table(
        "supervision_running",
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "subject"),
    )
    op.create_index("ix_supervision_running_due", "supervision_running", ["rule", "due_at"], unique=False)
    op.create_table(
        "supervision_scope",
        sa.Column("inspector", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=False),
        sa.Column("granted_by", sa.String(length=420), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("inspector", "organisation"),
    )
    op.create_table(
        "supervision_tally",
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("bucket", sa.String(length=260), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "bucket", "name"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("supervision_tally")
    op.drop_table("supervision_scope")
    op.drop_table("supervision_running")
    op.drop_table("supervision_look_up")
    op.drop_table("supervision_line")
    op.drop_table("supervision_inspection")
    op.drop_table("supervision_finding")
    op.drop_table("supervision_cursor")
    op.drop_table("dispute")
