"""The register of seals, grants, the log of their use; since when a revoked key is not to be trusted."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _seal(*, nullable: bool = False) -> sa.Column[str]:
    return sa.Column("seal", sa.String(length=40), sa.ForeignKey("office_seal.id"), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.add_column("ca_revocation", sa.Column("invalid_since", UtcDateTime(), nullable=True))
    _add_register()
    _add_uses()
    _add_drills()


def downgrade() -> None:
    """Undo."""
    for name in ("drill_item", "drill", "alarm", "use", "count", "grant", "request"):
        op.drop_table(f"office_seal_{name}")
    op.drop_table("office_seal")
    op.drop_column("ca_revocation", "invalid_since")


def _add_register() -> None:
    op.create_table(
        "office_seal",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("owner_name", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("applied_by", sa.String(length=200), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=True),
        sa.Column("not_after", UtcDateTime(), nullable=True),
        sa.Column("face", sa.String(length=64), nullable=True),
        sa.Column("filing_number", sa.String(length=120), nullable=True),
        sa.Column("replaces", sa.String(length=40), nullable=True),
        sa.Column("replaced_by", sa.String(length=40), nullable=True),
        sa.Column("remade_for", sa.String(length=20), nullable=True),
        sa.Column("from_before", sa.Boolean(), nullable=False),
        sa.Column("leaked_since", UtcDateTime(), nullable=True),
        sa.Column("stopped_from", sa.String(length=20), nullable=True),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("document_number", sa.String(length=120), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    certified = sa.text("certificate IS NOT NULL")
    op.create_index(
        "uq_office_seal_certificate",
        "office_seal",
        ["agency", "certificate"],
        unique=True,
        sqlite_where=certified,
        postgresql_where=certified,
    )
    op.create_index("ix_office_seal_owner", "office_seal", ["agency", "owner"])
    op.create_table(
        "office_seal_request",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        _seal(nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("consent", sa.JSON(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    is_open = sa.text("decided_at IS NULL")
    op.create_index(
        "ix_office_seal_request_open",
        "office_seal_request",
        ["agency"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _add_uses() -> None:
    op.create_table(
        "office_seal_grant",
        sa.Column("id", sa.String(length=40), nullable=False),
        _seal(),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_for", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_office_seal_grant_seal", "office_seal_grant", ["seal"])
    op.create_table(
        "office_seal_count",
        sa.Column("grant", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("grant", "day"),
    )
    op.create_table(
        "office_seal_use",
        sa.Column("number", sa.Integer(), nullable=False),
        _seal(),
        sa.Column("grant", sa.String(length=40), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    for name, columns in (
        ("seal", ["seal", "number"]),
        ("day", ["seal", "used_at"]),
        ("licence", ["licence"]),
    ):
        op.create_index(f"ix_office_seal_use_{name}", "office_seal_use", columns)
    op.create_table(
        "office_seal_alarm",
        sa.Column("number", sa.Integer(), nullable=False),
        _seal(),
        sa.Column("grant", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("stopped", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_office_seal_alarm_seal", "office_seal_alarm", ["seal", "number"])


def _add_drills() -> None:
    op.create_table(
        "office_seal_drill",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=18), nullable=False),
        _seal(nullable=True),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("document_number", sa.String(length=120), nullable=False),
        sa.Column("begun_by", sa.String(length=200), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "office_seal_drill_item",
        sa.Column("drill", sa.String(length=40), sa.ForeignKey("office_seal_drill.id"), nullable=False),
        sa.Column("use", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("proved_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("result", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("drill", "use"),
    )
    op.create_index("ix_office_seal_drill_item_state", "office_seal_drill_item", ["drill", "state", "use"])
