"""A shift names the locations beside the chosen one at which single items of it may take place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the locations; none where nothing was said."""
    with op.batch_alter_table("shifts") as table:
        table.add_column(sa.Column("also", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("shifts") as table:
        table.alter_column("also", server_default=None)


def downgrade() -> None:
    """Forget the locations."""
    with op.batch_alter_table("shifts") as table:
        table.drop_column("also")
