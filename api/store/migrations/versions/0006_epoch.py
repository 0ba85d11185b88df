"""The store knows which past it has; a restore gives it another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the epoch's table; its row is made by whoever brings a store to the newest tables."""
    op.create_table("epochs", sa.Column("id", sa.String(), primary_key=True))


def downgrade() -> None:
    """Remove it."""
    op.drop_table("epochs")
