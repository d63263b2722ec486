"""A department's latest verifications are found without looking at its others."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = "verify_verification"


def upgrade() -> None:
    """Apply."""
    op.create_index("verify_verification_recent", TABLE, ["department", "at"], unique=False)
    op.drop_index("ix_verify_verification_department", table_name=TABLE)


def downgrade() -> None:
    """Undo."""
    op.create_index("ix_verify_verification_department", TABLE, ["department"], unique=False)
    op.drop_index("verify_verification_recent", table_name=TABLE)
