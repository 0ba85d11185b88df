"""What is held for referrals of the day is released when nobody is expected any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the instant; what is held already is released when it begins, as it was."""
    op.add_column("reserves", sa.Column("expected_until", Utc(), nullable=True))


def downgrade() -> None:
    """Hold until what is held begins."""
    op.drop_column("reserves", "expected_until")
