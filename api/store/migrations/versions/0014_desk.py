"""Patients can be found, however their names are written; visits and episodes have needs, a note and tags of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduling.names import fold

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PATIENTS = sa.table("patients", *(sa.column(name) for name in ("id", "name", "folded_id", "folded_name")))


def upgrade() -> None:
    """Add the columns, and fold the names and ids that are known."""
    op.add_column("patients", sa.Column("folded_id", sa.String(), nullable=False, server_default=""))
    op.add_column("patients", sa.Column("folded_name", sa.String(), nullable=False, server_default=""))
    op.add_column("patients", sa.Column("birth_date", sa.Date(), nullable=True))
    op.add_column("visits", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("visits", sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("episodes", sa.Column("needs", sa.JSON(), nullable=False, server_default="{}"))
    connection = op.get_bind()
    for identifier, name in connection.execute(sa.select(PATIENTS.c.id, PATIENTS.c.name)).all():
        folded = {"folded_id": fold(identifier), "folded_name": fold(name)}
        connection.execute(sa.update(PATIENTS).where(PATIENTS.c.id == identifier).values(**folded))
    op.create_index("ix_patients_folded_id", "patients", ["folded_id"])
    op.create_index("ix_patients_folded_name", "patients", ["folded_name"])


def downgrade() -> None:
    """Take the columns away."""
    op.drop_index("ix_patients_folded_name", "patients")
    op.drop_index("ix_patients_folded_id", "patients")
    op.drop_column("episodes", "needs")
    for column in ("tags", "note"):
        op.drop_column("visits", column)
    for column in ("birth_date", "folded_name", "folded_id"):
        op.drop_column("patients", column)
