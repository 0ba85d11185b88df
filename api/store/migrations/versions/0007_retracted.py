"""An episode knows that what was taken down of a visit was a mistake."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store import guards

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = ("referred", "planned", "done", "outcome", "no-show", "cancelled", "withdrawn", "dated", "stopped", "restarted")

EVENTS = sa.table("episode_events", *(sa.column(name) for name in ("episode_id", "number", "kind", "step", "occurrence")))


def upgrade() -> None:
    """Allow the event."""
    _allow(*KINDS, "retracted")


def downgrade() -> None:
    """Forget what was retracted, and that it was."""
    _allow(*KINDS, forget=True)


def _allow(*kinds: str, forget: bool = False) -> None:
    """Let events be of some kinds, with the table's guards away meanwhile: SQLite makes it anew without them."""
    dialect = op.get_context().dialect.name
    for statement in guards.append_only_undone("episode_events", dialect):
        op.execute(statement)
    if forget:
        _forget_retracted()
    with op.batch_alter_table("episode_events") as table:
        table.drop_constraint("event_kind", type_="check")
        table.create_check_constraint("event_kind", sa.column("kind").in_(kinds))
    for statement in guards.append_only("episode_events", dialect):
        op.execute(statement)


def _forget_retracted() -> None:
    """Remove each retraction with the last event of its visit before it."""
    kept: dict[tuple[str, str, int], list[int]] = {}
    gone: list[tuple[str, int]] = []
    connection = op.get_bind()
    query = sa.select(EVENTS).where(EVENTS.c.occurrence.is_not(None)).order_by(EVENTS.c.episode_id, EVENTS.c.number)
    for episode, number, kind, step, occurrence in connection.execute(query):
        numbers = kept.setdefault((episode, step, occurrence), [])
        if kind == "retracted":
            gone += [(episode, number), (episode, numbers.pop())]
        else:
            numbers.append(number)
    for episode, number in gone:
        connection.execute(sa.delete(EVENTS).where(EVENTS.c.episode_id == episode, EVENTS.c.number == number))
