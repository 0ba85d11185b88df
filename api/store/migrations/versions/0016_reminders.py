"""Patients are reminded of their appointments by mail, once for each time before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

METHODS = ("REQUEST", "CANCEL")

MESSAGES = sa.table("messages", sa.column("method"))


def upgrade() -> None:
    """Allow reminders; nobody has been reminded yet."""
    op.add_column("invitations", sa.Column("reminded_at", Utc(), nullable=True))
    _allow(*METHODS, "REMINDER")


def downgrade() -> None:
    """Forget them."""
    op.execute(sa.delete(MESSAGES).where(MESSAGES.c.method == "REMINDER"))
    _allow(*METHODS)
    with op.batch_alter_table("invitations") as table:
        table.drop_column("reminded_at")


def _allow(*methods: str) -> None:
    with op.batch_alter_table("messages") as table:
        table.drop_constraint("message_method", type_="check")
        table.create_check_constraint("message_method", sa.column("method").in_(methods))
