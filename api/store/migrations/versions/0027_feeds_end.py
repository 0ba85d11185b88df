"""Feeds end, as links do."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc, utc_now

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

LIFE = timedelta(days=400)


def upgrade() -> None:
    """Let those that there are go on for as long as a new one."""
    with op.batch_alter_table("feeds") as feeds:
        feeds.add_column(sa.Column("expires_at", Utc(), nullable=True))
    feeds_table = sa.table("feeds", sa.column("expires_at", Utc()))
    op.execute(feeds_table.update().values(expires_at=utc_now() + LIFE))
    with op.batch_alter_table("feeds") as feeds:
        feeds.alter_column("expires_at", existing_type=Utc(), nullable=False)


def downgrade() -> None:
    """Forget when."""
    with op.batch_alter_table("feeds") as feeds:
        feeds.drop_column("expires_at")
