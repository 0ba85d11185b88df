"""What Alembic runs: the migrations, over the connection that it is given."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from api.store.columns import Utc
from api.store.tables import metadata


def _written(kind: str, item: object, _context: Any) -> str | Literal[False]:
    """Return how a type of column is written in a new migration; False: as Alembic does."""
    if kind == "type" and isinstance(item, Utc):
        return "Utc()"
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) and item.length is None else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
    render_as_batch=True,
    render_item=_written,
)
context.run_migrations()
