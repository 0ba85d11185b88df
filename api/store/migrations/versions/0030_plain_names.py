"""Patients are found without the accents of their names."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from scheduling.names import fold, simplify

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

PATIENTS = sa.table("patients", *(sa.column(name) for name in ("id", "name", "folded_name")))


def upgrade() -> None:
    """Simplify the names that are known."""
    _rewrite(simplify)


def downgrade() -> None:
    """Fold them as before."""
    _rewrite(fold)


def _rewrite(write: Callable[[str], str]) -> None:
    connection = op.get_bind()
    for identifier, name in connection.execute(sa.select(PATIENTS.c.id, PATIENTS.c.name)).all():
        connection.execute(sa.update(PATIENTS).where(PATIENTS.c.id == identifier).values(folded_name=write(name)))
