"""An episode knows that the clinic withdrew a visit's place, apart from its patient's cancellation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = ("referred", "planned", "done", "outcome", "no-show", "cancelled", "dated", "stopped", "restarted")


def upgrade() -> None:
    """Allow the event."""
    _allow(*KINDS, "withdrawn")


def downgrade() -> None:
    """Take what was withdrawn as cancelled."""
    dialect = op.get_context().dialect.name
    for statement in guards.append_only_undone("episode_events", dialect):
        op.execute(statement)
    op.execute("UPDATE episode_events SET kind = 'cancelled' WHERE kind = 'withdrawn'")
    for statement in guards.append_only("episode_events", dialect):
        op.execute(statement)
    _allow(*KINDS)


def _allow(*kinds: str) -> None:
    """Let events be of some kinds. SQLite makes the table anew for it, which takes the guards away."""
    dialect = op.get_context().dialect.name
    with op.batch_alter_table("episode_events") as table:
        table.drop_constraint("event_kind", type_="check")
        table.create_check_constraint("event_kind", sa.column("kind").in_(kinds))
    for statement in guards.append_only("episode_events", dialect) if dialect == "sqlite" else ():
        op.execute(statement)
