"""Two records of one patient can become one, and two again: what moved is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store import guards
from api.store.columns import Utc

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where a record went, what went with it, and that two bookings of one patient may be known to overlap."""
    op.add_column("patients", sa.Column("merged_into", sa.String(), nullable=True))
    op.create_index("ix_patients_merged_into", "patients", ["merged_into"])
    op.add_column("feeds", sa.Column("signed_for", sa.String(), nullable=True))
    op.create_table(
        "merges",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("merged_by", sa.String(), nullable=False),
        sa.Column("merged_at", Utc(), nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_merges_patient_id"),
        sa.ForeignKeyConstraint(["into_id"], ["patients.id"], name="fk_merges_into_id"),
        sa.PrimaryKeyConstraint("id", name="pk_merges"),
    )
    op.create_index("ix_merges_patient_id", "merges", ["patient_id"])
    op.create_index("ix_merges_into_id", "merges", ["into_id"])
    op.add_column("occupancies", sa.Column("is_doubled", sa.Boolean(), nullable=False, server_default=sa.false()))
    for statement in guards.count_doubled(op.get_context().dialect.name, is_counted=False):
        op.execute(statement)


def downgrade() -> None:
    """Forget it all; of what is doubled one booking has to go first, and the guards say which."""
    for statement in guards.count_doubled(op.get_context().dialect.name, is_counted=True):
        op.execute(statement)
    op.drop_column("occupancies", "is_doubled")
    op.drop_table("merges")
    op.drop_column("feeds", "signed_for")
    op.drop_index("ix_patients_merged_into", "patients")
    op.drop_column("patients", "merged_into")
