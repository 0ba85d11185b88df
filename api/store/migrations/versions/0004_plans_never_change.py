"""A plan has no version: it is made once and never changes; another one is another plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the version."""
    op.drop_column("plans", "version")


def downgrade() -> None:
    """Give every plan its only version."""
    op.add_column("plans", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
