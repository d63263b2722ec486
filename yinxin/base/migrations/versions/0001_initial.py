"""The first tables."""

import sqlalchemy as sa
from alembic import op

from yinxin.base.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - one statement for each table
    """Apply."""
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("log_index"),
        sa.UniqueConstraint("entry_id"),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_subject"), ["subject"], unique=False)

    op.create_table(
        "audit_inbox",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
    )
    op.create_table(
        "ca_application",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=40), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("applicant", sa.String(length=200), nullable=False),
        sa.Column("editor", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("ca_application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_application_state"), ["state"], unique=False)

    op.create_table(
        "ca_approval",
        sa.Column("application", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("approver", sa.String(length=200), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=False),
        sa.Column("voided_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("application", "revision"),
    )
    op.create_table(
        "ca_authority",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=40), nullable=True),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "ca_certificate",
        sa.Column("authority", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("approval", sa.String(length=64), nullable=True),
        sa.Column("issued_for", sa.String(length=64), nullable=True),
        sa.Column("tbs_digest", sa.String(length=64), nullable=False),
        sa.Column("tbs", sa.LargeBinary(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("not_after", UtcDateTime(), nullable=False),
        sa.Column("intended_at", UtcDateTime(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("authority", "serial"),
        sa.UniqueConstraint("issued_for"),
    )
    with op.batch_alter_table("ca_certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_certificate_intended_at"), ["intended_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ca_certificate_key_fingerprint"), ["key_fingerprint"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ca_certificate_state"), ["state"], unique=False)

    op.create_table(
        "ca_crl",
        sa.Column("authority", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("this_update", UtcDateTime(), nullable=False),
        sa.Column("next_update", UtcDateTime(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("authority"),
    )
    op.create_table(
        "ca_key",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=64), nullable=False),
        sa.Column("subject_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_table(
        "ca_proofing",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("application", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("evidence_digest", sa.String(length=64), nullable=False),
        sa.Column("prover", sa.String(length=200), nullable=False),
        sa.Column("proofed_at", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application", "revision"),
    )
    with op.batch_alter_table("ca_proofing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_proofing_application"), ["application"], unique=False)

    op.create_table(
        "ca_revocation",
        sa.Column("authority", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "serial"),
    )
    op.create_table(
        "licence",
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("lineage", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("type_code", sa.String(length=80), nullable=False),
        sa.Column("type_name_zh", sa.String(length=200), nullable=False),
        sa.Column("type_name_en", sa.String(length=200), nullable=False),
        sa.Column("agency_zh", sa.String(length=200), nullable=False),
        sa.Column("agency_en", sa.String(length=200), nullable=False),
        sa.Column("agency_code", sa.String(length=18), nullable=False),
        sa.Column("holder_name", sa.String(length=200), nullable=False),
        sa.Column("holder_code", sa.String(length=64), nullable=False),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("commitment_due", sa.Date(), nullable=True),
        sa.Column("replaces", sa.String(length=160), nullable=True),
        sa.Column("replaced_by", sa.String(length=160), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["replaces"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("identifier"),
        sa.UniqueConstraint("lineage", "version", name="uq_licence_version"),
    )
    with op.batch_alter_table("licence", schema=None) as batch_op:
        batch_op.create_index("ix_licence_holder", ["holder_code"], unique=False)
        batch_op.create_index("ix_licence_number", ["number"], unique=False)
        batch_op.create_index(batch_op.f("ix_licence_pdf_sha256"), ["pdf_sha256"], unique=False)
        batch_op.create_index(
            "uq_licence_current",
            ["lineage"],
            unique=True,
            sqlite_where=sa.text("is_current"),
            postgresql_where=sa.text("is_current"),
        )
        batch_op.create_index(
            "uq_licence_number",
            ["type_code", "number"],
            unique=True,
            sqlite_where=sa.text("is_current"),
            postgresql_where=sa.text("is_current"),
        )

    op.create_table(
        "licence_number_series",
        sa.Column("type_code", sa.String(length=80), nullable=False),
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("type_code", "series"),
    )
    op.create_table(
        "once_consumed",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("once_consumed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_once_consumed_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "status_list",
        sa.Column("uri", sa.String(length=200), nullable=False),
        sa.Column("bits", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uri"),
    )
    op.create_table(
        "verify_department",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "verify_department_proposal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "verify_session",
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("presentation", sa.LargeBinary(), nullable=True),
        sa.Column("verification", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("nonce"),
    )
    with op.batch_alter_table("verify_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verify_session_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "verify_verification",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=True),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("department", "idempotency_key", name="verify_verification_idempotency"),
    )
    with op.batch_alter_table("verify_verification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verify_verification_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_verify_verification_department"), ["department"], unique=False)

    op.create_table(
        "licence_copy",
        sa.Column("status_uri", sa.String(length=200), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=False),
        sa.Column("holder_key", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["licence"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("status_uri", "status_index"),
    )
    with op.batch_alter_table("licence_copy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_licence_copy_licence"), ["licence"], unique=False)

    op.create_table(
        "licence_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("licence", sa.String(length=160), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("is_ending", sa.Boolean(), nullable=False),
        sa.Column("effective_from", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("document_number", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("replaced_by", sa.String(length=160), nullable=True),
        sa.ForeignKeyConstraint(["licence"], ["licence.identifier"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("licence", "sequence", name="uq_licence_event_sequence"),
    )
    with op.batch_alter_table("licence_event", schema=None) as batch_op:
        batch_op.create_index(
            "uq_licence_ending",
            ["licence"],
            unique=True,
            sqlite_where=sa.text("is_ending"),
            postgresql_where=sa.text("is_ending"),
        )

    op.create_table(
        "status_entry",
        sa.Column("uri", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["uri"], ["status_list.uri"]),
        sa.PrimaryKeyConstraint("uri", "position"),
    )
    with op.batch_alter_table("status_entry", schema=None) as batch_op:
        batch_op.create_index("ix_status_entry_value", ["uri", "value"], unique=False)


def downgrade() -> None:  # noqa: PLR0915 - one statement for each table
    """Take back."""
    with op.batch_alter_table("status_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_status_entry_value")

    op.drop_table("status_entry")
    with op.batch_alter_table("licence_event", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_licence_ending", sqlite_where=sa.text("is_ending"), postgresql_where=sa.text("is_ending")
        )

    op.drop_table("licence_event")
    with op.batch_alter_table("licence_copy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_licence_copy_licence"))

    op.drop_table("licence_copy")
    with op.batch_alter_table("verify_verification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verify_verification_department"))
        batch_op.drop_index(batch_op.f("ix_verify_verification_at"))

    op.drop_table("verify_verification")
    with op.batch_alter_table("verify_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verify_session_expires_at"))

    op.drop_table("verify_session")
    op.drop_table("verify_department_proposal")
    op.drop_table("verify_department")
    op.drop_table("status_list")
    with op.batch_alter_table("once_consumed", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_once_consumed_expires_at"))

    op.drop_table("once_consumed")
    op.drop_table("licence_number_series")
    with op.batch_alter_table("licence", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_licence_number", sqlite_where=sa.text("is_current"), postgresql_where=sa.text("is_current")
        )
        batch_op.drop_index(
            "uq_licence_current", sqlite_where=sa.text("is_current"), postgresql_where=sa.text("is_current")
        )
        batch_op.drop_index(batch_op.f("ix_licence_pdf_sha256"))
        batch_op.drop_index("ix_licence_number")
        batch_op.drop_index("ix_licence_holder")

    op.drop_table("licence")
    op.drop_table("ca_revocation")
    with op.batch_alter_table("ca_proofing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ca_proofing_application"))

    op.drop_table("ca_proofing")
    op.drop_table("ca_key")
    op.drop_table("ca_crl")
    with op.batch_alter_table("ca_certificate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ca_certificate_state"))
        batch_op.drop_index(batch_op.f("ix_ca_certificate_key_fingerprint"))
        batch_op.drop_index(batch_op.f("ix_ca_certificate_intended_at"))

    op.drop_table("ca_certificate")
    op.drop_table("ca_authority")
    op.drop_table("ca_approval")
    with op.batch_alter_table("ca_application", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ca_application_state"))

    op.drop_table("ca_application")
    op.drop_table("audit_tile")
    op.drop_table("audit_inbox")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entry_subject"))

    op.drop_table("audit_entry")
    op.drop_table("audit_checkpoint")
