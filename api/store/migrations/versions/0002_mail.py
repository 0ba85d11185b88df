"""What patients are told by mail, feeds, and calendars elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("messages", "invitations", "feeds", "feed_copies", "outside_calendars")
"""Every table, those that name others first."""


def upgrade() -> None:
    """Make the tables, and room for patients' addresses."""
    op.add_column("patients", sa.Column("email", sa.String(), nullable=True))
    _mail()
    _feeds()


def downgrade() -> None:
    """Take everything away."""
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("patients", "email")


def _mail() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("stamp", Utc(), nullable=True),
        sa.Column("told", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("participation", sa.String(length=16), nullable=False),
        sa.Column("replied_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint(
            "participation IN ('needs-action', 'accepted', 'declined', 'tentative')", name="invitation_participation"
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name="fk_invitations_booking_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_invitations_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("uid", name="uq_invitations_uid"),
    )
    op.create_index("ix_invitations_patient_id", "invitations", ["patient_id"], unique=False)
    op.create_index("ix_invitations_subject", "invitations", ["booking_id", "patient_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invitation_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("stamp", Utc(), nullable=False),
        sa.Column("tells", sa.JSON(), nullable=False),
        sa.Column("replaces", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("courier", sa.String(), nullable=True),
        sa.Column("claimed_until", Utc(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint("method IN ('REQUEST', 'CANCEL')", name="message_method"),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'refused', 'dropped')", name="message_state"),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitations.id"], name="fk_messages_invitation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_created_at", "messages", ["created_at"], unique=False)
    op.create_index("ix_messages_due", "messages", ["state", "due_at"], unique=False)
    op.create_index("ix_messages_invitation_id", "messages", ["invitation_id"], unique=False)


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("last_used_at", Utc(), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.CheckConstraint("kind IN ('provider', 'room', 'group', 'location', 'patient')", name="feed_kind"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_feeds_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
        sa.UniqueConstraint("secret_hash", name="uq_feeds_secret_hash"),
    )
    op.create_index("ix_feeds_account_id", "feeds", ["account_id"], unique=False)
    op.create_table(
        "feed_copies",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("modified_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name="pk_feed_copies"),
    )
    op.create_table(
        "outside_calendars",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("read_at", Utc(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_outside_calendars_provider_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outside_calendars"),
    )
    op.create_index("ix_outside_calendars_due_at", "outside_calendars", ["due_at"], unique=False)
    op.create_index("ix_outside_calendars_provider_id", "outside_calendars", ["provider_id"], unique=False)
