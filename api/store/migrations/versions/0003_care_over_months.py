"""Care over months: episodes and their histories, programmes, and referrals to other departments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store import guards
from api.store.columns import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "episode_visits",
    "episode_events",
    "episodes",
    "attendances",
    "programme_members",
    "programme_waiting",
    "programmes",
    "referrals_out",
)
"""Every table, those that name others first."""


def upgrade() -> None:
    """Make the tables; a history is only ever added to."""
    _episodes()
    _programmes()
    _referrals_out()
    for statement in guards.append_only("episode_events", op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for table in TABLES:
        op.drop_table(table)


def _episodes() -> None:
    op.create_table(
        "episodes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pathway", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("preferred_providers", sa.JSON(), nullable=False),
        sa.Column("referrer", sa.String(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("referred_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_episodes_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_episodes"),
    )
    op.create_index("ix_episodes_is_open", "episodes", ["is_open"], unique=False)
    op.create_index("ix_episodes_pathway", "episodes", ["pathway"], unique=False)
    op.create_index("ix_episodes_referred_at", "episodes", ["referred_at"], unique=False)
    op.create_index("ix_episodes_patient_id", "episodes", ["patient_id"], unique=False)
    op.create_table(
        "episode_events",
        sa.Column("episode_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("known_at", Utc(), nullable=False),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("occurrence", sa.Integer(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("team", sa.JSON(), nullable=False),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("relief_percent", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('referred', 'planned', 'done', 'outcome', 'no-show', 'cancelled', 'dated', 'stopped', 'restarted')",
            name="event_kind",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episodes.id"], name="fk_episode_events_episode_id"),
        sa.PrimaryKeyConstraint("episode_id", "number", name="pk_episode_events"),
    )
    op.create_table(
        "episode_visits",
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("episode_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episodes.id"], name="fk_episode_visits_episode_id"),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name="fk_episode_visits_visit_id"),
        sa.PrimaryKeyConstraint("visit_id", name="pk_episode_visits"),
    )
    op.create_index("ix_episode_visits_episode_id", "episode_visits", ["episode_id"], unique=False)


def _programmes() -> None:
    op.create_table(
        "programmes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programmes"),
    )
    op.create_table(
        "programme_members",
        sa.Column("programme_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("priority", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_programme_members_patient_id"),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name="fk_programme_members_programme_id"),
        sa.PrimaryKeyConstraint("programme_id", "patient_id", "since", name="pk_programme_members"),
    )
    op.create_index("ix_programme_members_patient_id", "programme_members", ["patient_id"], unique=False)
    op.create_table(
        "programme_waiting",
        sa.Column("programme_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_programme_waiting_patient_id"),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name="fk_programme_waiting_programme_id"),
        sa.PrimaryKeyConstraint("programme_id", "patient_id", name="pk_programme_waiting"),
    )
    op.create_index("ix_programme_waiting_patient_id", "programme_waiting", ["patient_id"], unique=False)
    op.create_table(
        "attendances",
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("came", sa.Boolean(), nullable=False),
        sa.Column("noted_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name="fk_attendances_booking_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_attendances_patient_id"),
        sa.PrimaryKeyConstraint("booking_id", "patient_id", name="pk_attendances"),
    )


def _referrals_out() -> None:
    op.create_table(
        "referrals_out",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("starts_at", Utc(), nullable=True),
        sa.Column("ends_at", Utc(), nullable=True),
        sa.Column("sent_at", Utc(), nullable=False),
        sa.Column("accepted_at", Utc(), nullable=True),
        sa.Column("scheduled_at", Utc(), nullable=True),
        sa.Column("closed_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('sent', 'accepted', 'scheduled', 'done', 'declined')", name="referral_state"),
        sa.CheckConstraint("starts_at < ends_at", name="appointment_ends_after_start"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_referrals_out_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_referrals_out"),
    )
    op.create_index("ix_referrals_out_patient_id", "referrals_out", ["patient_id"], unique=False)
    op.create_index("ix_referrals_out_starts_at", "referrals_out", ["starts_at"], unique=False)
