"""Clinicians can be mailed when their day changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add who asks for it, and what they know."""
    op.create_table(
        "day_mails",
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("told", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("claimed_until", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_day_mails_provider_id"),
        sa.PrimaryKeyConstraint("provider_id", name="pk_day_mails"),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("day_mails")
