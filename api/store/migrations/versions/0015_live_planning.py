"""A plan that is being made can be ended with the best so far, and tells how many visits it has planned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TOLD = ("planned", "late", "plan_version")


def upgrade() -> None:
    """Add what is told."""
    with op.batch_alter_table("plan_jobs") as table:
        table.add_column(sa.Column("is_ending", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("plan_jobs") as table:
        table.alter_column("is_ending", server_default=None)
    with op.batch_alter_table("job_events") as table:
        for name in TOLD:
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("job_events") as table:
        for name in TOLD:
            table.drop_column(name)
    with op.batch_alter_table("plan_jobs") as table:
        table.drop_column("is_ending")
