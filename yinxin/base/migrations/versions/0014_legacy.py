"""Licences from older registers, and an index of licences that others issued."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("licence", sa.Column("provenance", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("licence", sa.Column("wanted_at", UtcDateTime(), nullable=True))
    wanted = sa.text("wanted_at IS NOT NULL")
    op.create_index(
        "ix_licence_wanted",
        "licence",
        ["wanted_at"],
        unique=False,
        sqlite_where=wanted,
        postgresql_where=wanted,
    )
    op.create_table(
        "legacy_register",
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("register", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("type_code", sa.String(length=80), nullable=False),
        sa.Column("mapping_sha256", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("consent", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("cursor", UtcDateTime(), nullable=True),
        sa.Column("cut_off", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("agency", "register"),
    )
    op.create_table(
        "legacy_run",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("register", sa.String(length=40), nullable=False),
        sa.Column("mapping_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "legacy_row",
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("register", sa.String(length=40), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=True),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("fixes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["licence"], ["licence.identifier"]),
        sa.ForeignKeyConstraint(["run"], ["legacy_run.id"]),
        sa.PrimaryKeyConstraint("agency", "register", "key"),
    )
    op.create_index("ix_legacy_row_licence", "legacy_row", ["licence"], unique=False)
    op.create_table(
        "foreign_licence",
        sa.Column("type_code", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("type_zh", sa.String(length=200), nullable=False),
        sa.Column("type_en", sa.String(length=200), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("issuer_zh", sa.String(length=200), nullable=False),
        sa.Column("issuer_en", sa.String(length=200), nullable=False),
        sa.Column("verify_at", sa.String(length=200), nullable=False),
        sa.Column("holder_index", sa.LargeBinary(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("kept_by", sa.String(length=18), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("type_code", "number"),
    )
    op.create_index("ix_foreign_licence_holder", "foreign_licence", ["holder_index"], unique=False)
    op.create_index("ix_foreign_licence_number", "foreign_licence", ["number"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table("foreign_licence")
    op.drop_table("legacy_row")
    op.drop_table("legacy_run")
    op.drop_table("legacy_register")
    op.drop_index("ix_licence_wanted", table_name="licence")
    op.drop_column("licence", "wanted_at")
    op.drop_column("licence", "provenance")
