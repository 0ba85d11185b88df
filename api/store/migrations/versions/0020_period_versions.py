"""Each version of a period says after which entry of the audit it came, so that one can tell who has changed what since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; of versions before, nothing is known."""
    op.create_table(
        "period_versions",
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("audit_sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_period_versions_period_id"),
        sa.PrimaryKeyConstraint("period_id", "number"),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("period_versions")
