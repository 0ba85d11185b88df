"""The keys of a hospital's program may be read from its own address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where the keys are, and when they were read."""
    op.add_column("clients", sa.Column("jwks_url", sa.String(), nullable=True))
    op.add_column("clients", sa.Column("keys_read_at", Utc(), nullable=True))


def downgrade() -> None:
    """Keep the keys that were read last."""
    op.drop_column("clients", "keys_read_at")
    op.drop_column("clients", "jwks_url")
