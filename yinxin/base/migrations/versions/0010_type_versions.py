"""Types have versions with dates, a licence knows the one that it was issued under; consents; corrections."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHANGES, CONSENTS = "office_type_change", "verify_form_consent"
CORRECTIONS = "source_correction"
APPROVED = sa.text("state = 'approved'")


def upgrade() -> None:
    """Apply."""
    op.add_column("licence", sa.Column("type_version", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        CHANGES,
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("document_number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("consent", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_office_type_change_approved",
        CHANGES,
        ["agency", "code", "base"],
        unique=True,
        sqlite_where=APPROVED,
        postgresql_where=APPROVED,
    )
    op.create_index("ix_office_type_change_state", CHANGES, ["agency", "state"], unique=False)
    op.create_table(
        CONSENTS,
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("clerk", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("session"),
    )
    op.create_index("ix_verify_form_consent_asked_at", CONSENTS, ["asked_at"], unique=False)
    op.create_table(
        CORRECTIONS,
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("authority", sa.String(length=18), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("target", sa.String(length=160), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["licence"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_source_correction_state", CORRECTIONS, ["agency", "state", "asked_at"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table(CORRECTIONS)
    op.drop_table(CONSENTS)
    op.drop_table(CHANGES)
    op.drop_column("licence", "type_version")
