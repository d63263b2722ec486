"""Events of a subject and what they bring about; certificates are found by their subject's credit code."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("ca_certificate", sa.Column("subject_code", sa.String(length=18), nullable=True))
    # The code stood at the end of the displayed name; what was issued before is found by it too.
    op.execute(
        "UPDATE ca_certificate SET subject_code = substr(subject, length(subject) - 17) "
        "WHERE subject LIKE '%, credit_code=__________________'"
    )
    op.create_index("ix_ca_certificate_subject_code", "ca_certificate", ["subject_code"], unique=False)
    op.create_table(
        "subject_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("planners", sa.JSON(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("consents", sa.JSON(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("run_by", sa.String(length=200), nullable=True),
        sa.Column("undone_by", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_subject_event_subject", "subject_event", ["agency", "subject_index", "planned_at"])
    op.create_index("ix_subject_event_recent", "subject_event", ["agency", "planned_at"])
    op.create_index(
        "uq_subject_event_running",
        "subject_event",
        ["agency", "subject_index"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "subject_effect",
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("of", sa.String(length=12), nullable=False),
        sa.Column("thing", sa.String(length=300), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("why_zh", sa.String(length=300), nullable=False),
        sa.Column("why_en", sa.String(length=300), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("outcome_facts", sa.JSON(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["event"], ["subject_event.id"]),
        sa.PrimaryKeyConstraint("event", "sequence"),
    )
    op.create_table(
        "subject_certificate",
        sa.Column("subject_index", sa.LargeBinary(), nullable=False),
        sa.Column("authority", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("subject_index", "authority", "serial"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("subject_certificate")
    op.drop_table("subject_effect")
    op.drop_table("subject_event")
    op.drop_index("ix_ca_certificate_subject_code", table_name="ca_certificate")
    op.drop_column("ca_certificate", "subject_code")
