"""Tasks hold what patients have written, and messages are known by what answers to them name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; what was sent before is not known by its reference."""
    op.add_column("tasks", sa.Column("words", sa.LargeBinary(), nullable=True))
    op.add_column("messages", sa.Column("reference", sa.String(), nullable=True))
    op.create_index("ix_messages_reference", "messages", ["reference"])


def downgrade() -> None:
    """Forget both."""
    op.drop_index("ix_messages_reference", "messages")
    with op.batch_alter_table("messages") as table:
        table.drop_column("reference")
    with op.batch_alter_table("tasks") as table:
        table.drop_column("words")
