"""A week that the clinic builds knows who staffs its special clinics."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add who staffs them; of weeks that are built already it is not known."""
    with op.batch_alter_table("periods") as table:
        table.add_column(sa.Column("block_staff", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("periods") as table:
        table.drop_column("block_staff")
