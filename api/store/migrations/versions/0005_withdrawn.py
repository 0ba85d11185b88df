"""An episode knows that the clinic withdrew a visit's place, apart from its patient's cancellation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    with _unguarded():
        _allow(*KINDS, "withdrawn")


def downgrade() -> None:
    """Take what was withdrawn as cancelled."""
    with _unguarded():
        op.execute("UPDATE episode_events SET kind = 'cancelled' WHERE kind = 'withdrawn'")
        _allow(*KINDS)


@contextmanager
def _unguarded() -> Iterator[None]:
    """Take the table's guards away meanwhile: SQLite makes it anew without them."""
    dialect = op.get_context().dialect.name
    for statement in guards.append_only_undone("episode_events", dialect):
        op.execute(statement)
    yield
    for statement in guards.append_only("episode_events", dialect):
        op.execute(statement)


def _allow(*kinds: str) -> None:
    """Let events be of some kinds."""
    with op.batch_alter_table("episode_events") as table:
        table.drop_constraint("event_kind", type_="check")
        table.create_check_constraint("event_kind", sa.column("kind").in_(kinds))
