"""Short jobs of a desk: why a visit is left out, what would be if the world changed, and the best plan of a search so far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their tables, and tell what a job is for."""
    with op.batch_alter_table("plan_jobs") as table:
        table.add_column(sa.Column("queue", sa.String(8), nullable=False, server_default="plans"))
        table.add_column(sa.Column("visit_id", sa.String(), nullable=True))
        table.add_column(sa.Column("reasons", sa.JSON(), nullable=True))
    with op.batch_alter_table("plan_jobs") as table:
        table.alter_column("queue", server_default=None)
    op.create_table(
        "best_plans",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["plan_jobs.id"], name="fk_best_plans_job_id"),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_table(
        "what_ifs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("disruptions", sa.JSON(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=True),
        sa.Column("realised_at", Utc(), nullable=True),
        sa.Column("discarded_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["plan_jobs.id"], name="fk_what_ifs_id"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name="fk_what_ifs_publication_id"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("what_ifs")
    op.drop_table("best_plans")
    with op.batch_alter_table("plan_jobs") as table:
        for name in ("reasons", "visit_id", "queue"):
            table.drop_column(name)
