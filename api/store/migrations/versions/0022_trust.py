"""Who guesses is known by account and address, second factors, patients opened in need, and which key signs for a store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new."""
    op.add_column("accounts", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("accounts", sa.Column("totp_step", sa.Integer(), nullable=True))
    op.add_column("accounts", sa.Column("totp_pending", sa.LargeBinary(), nullable=True))
    op.create_table(
        "log_in_sources",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests_until", Utc(), nullable=True),
        sa.Column("known_since", Utc(), nullable=True),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_log_in_sources_account_id"),
        sa.PrimaryKeyConstraint("account_id", "address", name="pk_log_in_sources"),
    )
    op.create_index("ix_log_in_sources_changed_at", "log_in_sources", ["changed_at"])
    op.create_table(
        "emergency_accesses",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("begun_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_emergency_accesses_account_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_emergency_accesses_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_emergency_accesses"),
    )
    op.create_index("ix_emergency_accesses_account_id", "emergency_accesses", ["account_id"])
    op.create_index("ix_emergency_accesses_begun_at", "emergency_accesses", ["begun_at"])
    op.create_table(
        "signing_keys",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("noted_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_signing_keys"),
    )


def downgrade() -> None:
    """Take it away."""
    for table in ("signing_keys", "emergency_accesses", "log_in_sources"):
        op.drop_table(table)
    for name in ("totp_pending", "totp_step", "totp_secret"):
        op.drop_column("accounts", name)
