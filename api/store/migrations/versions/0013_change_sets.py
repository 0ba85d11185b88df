"""Changes that were applied together are kept, so that they can be taken back together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "change_sets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("reverses", sa.String(), nullable=True),
        sa.Column("reversed_by", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_change_sets_period_id"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_change_sets_period_id", "change_sets", ["period_id"])
    op.create_index("ix_change_sets_created_at", "change_sets", ["created_at"])


def downgrade() -> None:
    """Forget them; what they changed stays."""
    op.drop_table("change_sets")
