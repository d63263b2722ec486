"""Tables of credential offers, authorisations, grants and tokens (OpenID4VCI)."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "oid4vci_authorization",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("redirect_uri", sa.String(length=2000), nullable=False),
        sa.Column("client_state", sa.String(length=1000), nullable=True),
        sa.Column("challenge", sa.String(length=43), nullable=False),
        sa.Column("key_thumbprint", sa.String(length=43), nullable=True),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("by_details", sa.Boolean(), nullable=False),
        sa.Column("offer", sa.String(length=32), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("method", sa.String(length=32), nullable=True),
        sa.Column("licences", sa.JSON(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("request"),
    )
    with op.batch_alter_table("oid4vci_authorization", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oid4vci_authorization_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "oid4vci_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("licences", sa.JSON(), nullable=False),
        sa.Column("by_identifier", sa.Boolean(), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=True),
        sa.Column("key_thumbprint", sa.String(length=43), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("counted_from", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("oid4vci_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oid4vci_grant_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "oid4vci_login",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("oid4vci_login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oid4vci_login_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "oid4vci_offer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("tx_code", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("flow", sa.String(length=16), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("licences", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("reference"),
    )
    with op.batch_alter_table("oid4vci_offer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oid4vci_offer_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "oid4vci_delivery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=True),
        sa.Column("event_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["oid4vci_grant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "oid4vci_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["oid4vci_grant.id"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("oid4vci_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oid4vci_token_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_oid4vci_token_grant", ["grant_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("oid4vci_token", schema=None) as batch_op:
        batch_op.drop_index("ix_oid4vci_token_grant")
        batch_op.drop_index(batch_op.f("ix_oid4vci_token_expires_at"))

    op.drop_table("oid4vci_token")
    op.drop_table("oid4vci_delivery")
    with op.batch_alter_table("oid4vci_offer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_oid4vci_offer_expires_at"))

    op.drop_table("oid4vci_offer")
    with op.batch_alter_table("oid4vci_login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_oid4vci_login_expires_at"))

    op.drop_table("oid4vci_login")
    with op.batch_alter_table("oid4vci_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_oid4vci_grant_expires_at"))

    op.drop_table("oid4vci_grant")
    with op.batch_alter_table("oid4vci_authorization", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_oid4vci_authorization_expires_at"))

    op.drop_table("oid4vci_authorization")
