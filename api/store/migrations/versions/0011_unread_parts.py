"""A calendar elsewhere says which of its parts could not be understood."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is unread: nothing, until each calendar is read again."""
    with op.batch_alter_table("outside_calendars") as table:
        table.add_column(sa.Column("unread", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("unread_parts", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("outside_calendars") as table:
        table.alter_column("unread", server_default=None)
        table.alter_column("unread_parts", server_default=None)


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("outside_calendars") as table:
        table.drop_column("unread_parts")
        table.drop_column("unread")
