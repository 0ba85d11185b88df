"""Programs of hospital systems come in by keys of their own, and places are proposed to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0024"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("proposals", "client_assertions", "client_tokens", "clients")


def upgrade() -> None:
    """Make the tables; an offer tells whether its visit is asked for by it alone."""
    op.create_table(
        "clients",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_set", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
    )
    op.create_table(
        "client_tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_tokens_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_client_tokens"),
        sa.UniqueConstraint("secret_hash", name="uq_client_tokens_secret_hash"),
    )
    op.create_index("ix_client_tokens_client_id", "client_tokens", ["client_id"])
    op.create_index("ix_client_tokens_expires_at", "client_tokens", ["expires_at"])
    op.create_table(
        "client_assertions",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("assertion_id", sa.String(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_assertions_client_id"),
        sa.PrimaryKeyConstraint("client_id", "assertion_id", name="pk_client_assertions"),
    )
    op.create_index("ix_client_assertions_expires_at", "client_assertions", ["expires_at"])
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("visits", sa.JSON(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_expires_at", "proposals", ["expires_at"])
    op.add_column("offers", sa.Column("asks", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("offers") as table:
        table.drop_column("asks")
    for table_name in TABLES:
        op.drop_table(table_name)
