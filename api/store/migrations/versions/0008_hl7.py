"""What partners were told, and HL7 messages out and in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.columns import Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("hl7_messages_in", "hl7_messages_out", "hl7_placers", "hl7_mirrors")
"""Every table, those that name others first."""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hl7_mirrors",
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name="fk_hl7_mirrors_booking_id"),
        sa.PrimaryKeyConstraint("partner", "booking_id", name="pk_hl7_mirrors"),
    )
    op.create_index("ix_hl7_mirrors_booking_id", "hl7_mirrors", ["booking_id"], unique=False)
    op.create_table(
        "hl7_placers",
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("placer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "subject_kind", "subject_id", name="pk_hl7_placers"),
    )
    _messages_out()
    _messages_in()


def downgrade() -> None:
    """Take everything away."""
    for table in TABLES:
        op.drop_table(table)


def _messages_out() -> None:
    op.create_table(
        "hl7_messages_out",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("tells", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint("state IN ('sending', 'waiting', 'parked', 'sent')", name="hl7_out_state"),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name="fk_hl7_messages_out_booking_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_hl7_messages_out_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hl7_messages_out"),
    )
    op.create_index("ix_hl7_messages_out_booking_id", "hl7_messages_out", ["booking_id"], unique=False)
    op.create_index("ix_hl7_messages_out_created_at", "hl7_messages_out", ["created_at"], unique=False)
    op.create_index("ix_hl7_messages_out_state", "hl7_messages_out", ["partner", "state"], unique=False)
    sending = sa.text("state = 'sending'")
    op.create_index(
        "one_sending_for_each_partner",
        "hl7_messages_out",
        ["partner"],
        unique=True,
        sqlite_where=sending,
        postgresql_where=sending,
    )


def _messages_in() -> None:
    op.create_table(
        "hl7_messages_in",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("control_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("parts_done", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint("state IN ('received', 'done', 'task', 'refused')", name="hl7_in_state"),
        sa.PrimaryKeyConstraint("number", name="pk_hl7_messages_in"),
        sa.UniqueConstraint("partner", "control_id", name="one_message_for_each_control_id"),
    )
    op.create_index("ix_hl7_messages_in_received_at", "hl7_messages_in", ["received_at"], unique=False)
    op.create_index("ix_hl7_messages_in_state", "hl7_messages_in", ["state", "number"], unique=False)
