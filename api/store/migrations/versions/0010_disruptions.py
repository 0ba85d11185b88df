"""Absences, closures and extra shifts stand beside the roster."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "disruptions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("room", sa.String(), nullable=True),
        sa.Column("locations", sa.JSON(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('absence', 'closure', 'extra-shift')", name="disruption_kind"),
        sa.CheckConstraint("starts_at < ends_at", name="disruption_ends_after_start"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_disruptions_provider_id"),
        sa.PrimaryKeyConstraint("id", name="pk_disruptions"),
    )
    op.create_index("ix_disruptions_provider_id", "disruptions", ["provider_id"], unique=False)
    op.create_index("ix_disruptions_ends_at", "disruptions", ["ends_at"], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("disruptions")
