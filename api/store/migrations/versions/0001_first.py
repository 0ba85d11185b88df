"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store import guards
from api.store.columns import Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "job_events",
    "plan_jobs",
    "tokens",
    "sessions",
    "patient_links",
    "accounts",
    "idempotency_keys",
    "occupancies",
    "bookings",
    "publications",
    "plans",
    "offers",
    "shift_places",
    "memberships",
    "links",
    "visits",
    "reserves",
    "groups",
    "shifts",
    "busy_times",
    "providers",
    "patients",
    "scenarios",
    "periods",
    "clinics",
    "tasks",
    "audit",
)
"""Every table, those that name others first."""


def upgrade() -> None:
    """Make the tables, and put the guards over them."""
    _records()
    _clinic()
    _people()
    _requests()
    _plans()
    _access()
    _jobs()
    for statement in guards.statements(op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Take everything away."""
    for statement in guards.undoing_statements(op.get_context().dialect.name):
        op.execute(statement)
    for table in TABLES:
        op.drop_table(table)


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("outcome IN ('allowed', 'denied')", name="audit_outcome"),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
    op.create_index("ix_audit_actor", "audit", ["actor"], unique=False)
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_object", "audit", ["object_kind", "object_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("done_at", Utc(), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_created_at", "tasks", ["created_at"], unique=False)


def _clinic() -> None:
    op.create_table(
        "clinics",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clinics"),
    )
    op.create_table(
        "periods",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("freeze_minutes", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts_on < ends_on", name="period_ends_after_start"),
        sa.PrimaryKeyConstraint("id", name="pk_periods"),
    )
    op.create_index("ix_periods_starts_on", "periods", ["starts_on"], unique=False)
    op.create_table(
        "scenarios",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("period_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_scenarios_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_scenarios"),
    )
    op.create_index("ix_scenarios_digest", "scenarios", ["digest"], unique=False)
    op.create_index("ix_scenarios_period_id", "scenarios", ["period_id"], unique=False)


def _people() -> None:
    op.create_table(
        "patients",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patients"),
    )
    op.create_table(
        "providers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_providers"),
    )
    op.create_table(
        "busy_times",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name="busy_ends_after_start"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_busy_times_provider_id"),
        sa.PrimaryKeyConstraint("id", name="pk_busy_times"),
    )
    op.create_index("ix_busy_times_provider_id", "busy_times", ["provider_id"], unique=False)
    op.create_index("ix_busy_times_starts_at", "busy_times", ["starts_at"], unique=False)
    op.create_table(
        "shifts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("locations", sa.JSON(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name="shift_ends_after_start"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_shifts_provider_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shifts"),
        sa.UniqueConstraint("provider_id", "starts_at", name="one_shift_at_a_time"),
    )
    op.create_index("ix_shifts_starts_at", "shifts", ["starts_at"], unique=False)


def _requests() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_groups_period_id"),
        sa.PrimaryKeyConstraint("id", "month", name="pk_groups"),
    )
    op.create_index("ix_groups_period_id", "groups", ["period_id"], unique=False)
    op.create_table(
        "reserves",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_reserves_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reserves"),
    )
    op.create_index("ix_reserves_held_on", "reserves", ["held_on"], unique=False)
    op.create_index("ix_reserves_period_id", "reserves", ["period_id"], unique=False)
    op.create_table(
        "visits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("earliest", sa.Date(), nullable=False),
        sa.Column("target", sa.Date(), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.CheckConstraint("state IN ('asked', 'withdrawn')", name="visit_state"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_visits_patient_id"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_visits_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
    )
    op.create_index("ix_visits_earliest", "visits", ["earliest"], unique=False)
    op.create_index("ix_visits_patient_id", "visits", ["patient_id"], unique=False)
    op.create_index("ix_visits_period_id", "visits", ["period_id"], unique=False)
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("before_id", sa.String(), nullable=False),
        sa.Column("after_id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["after_id"], ["visits.id"], name="fk_links_after_id"),
        sa.ForeignKeyConstraint(["before_id"], ["visits.id"], name="fk_links_before_id"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_links_period_id"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
    )
    op.create_index("ix_links_after_id", "links", ["after_id"], unique=False)
    op.create_index("ix_links_before_id", "links", ["before_id"], unique=False)
    op.create_index("ix_links_period_id", "links", ["period_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["group_id", "month"], ["groups.id", "groups.month"], name="fk_memberships_group_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_memberships_patient_id"),
        sa.PrimaryKeyConstraint("group_id", "month", "patient_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_patient_id", "memberships", ["patient_id"], unique=False)


def _plans() -> None:
    op.create_table(
        "shift_places",
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_shift_places_provider_id"),
        sa.PrimaryKeyConstraint("provider_id", "starts_at", name="pk_shift_places"),
    )
    op.create_table(
        "offers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'accepted', 'declined', 'expired')", name="offer_state"),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name="fk_offers_visit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_offers"),
    )
    op.create_index("ix_offers_expires_at", "offers", ["expires_at"], unique=False)
    op.create_index("ix_offers_visit_id", "offers", ["visit_id"], unique=False)
    op.create_table(
        "plans",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scenario_id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Integer(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_plans_period_id"),
        sa.ForeignKeyConstraint(["scenario_id"], ["scenarios.id"], name="fk_plans_scenario_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_period_id", "plans", ["period_id"], unique=False)
    op.create_index("ix_plans_scenario_id", "plans", ["scenario_id"], unique=False)
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("published_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_publications_period_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_publications_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
    )
    op.create_index("ix_publications_period_id", "publications", ["period_id"], unique=False)
    op.create_index("ix_publications_plan_id", "publications", ["plan_id"], unique=False)
    op.create_table(
        "bookings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("period_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("notified", sa.Boolean(), nullable=False),
        sa.Column("override_reason", sa.String(), nullable=True),
        sa.Column("publication_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("kind IN ('visit', 'group', 'hold')", name="booking_kind"),
        sa.CheckConstraint("state IN ('offered', 'booked', 'arrived', 'done', 'no-show', 'cancelled')", name="booking_state"),
        sa.CheckConstraint("starts_at < ends_at", name="booking_ends_after_start"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_bookings_period_id"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name="fk_bookings_publication_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bookings"),
        sa.UniqueConstraint("id", "starts_at", name="booking_start"),
        sa.UniqueConstraint("kind", "subject_id", "month", name="one_booking_for_each_subject"),
    )
    op.create_index("ix_bookings_period_id", "bookings", ["period_id"], unique=False)
    op.create_index("ix_bookings_publication_id", "bookings", ["publication_id"], unique=False)
    op.create_index("ix_bookings_starts_at", "bookings", ["starts_at"], unique=False)
    op.create_table(
        "occupancies",
        sa.Column("booking_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('team', 'supervisor') AND resource = 'provider' OR kind IN ('room', 'patient') AND resource = kind",
            name="occupancy_resource",
        ),
        sa.CheckConstraint("starts_at < ends_at", name="occupancy_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["booking_id", "starts_at"], ["bookings.id", "bookings.starts_at"], name="fk_occupancies_booking_id"
        ),
        sa.PrimaryKeyConstraint("booking_id", "kind", "position", name="pk_occupancies"),
    )
    op.create_index("ix_occupancies_taken", "occupancies", ["resource", "resource_id", "starts_at"], unique=False)


def _access() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests_until", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.CheckConstraint("role IN ('scheduler', 'clinician', 'patient', 'admin')", name="account_role"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_accounts_provider_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("issuer", "subject", name="one_account_for_each_identity"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
    )
    op.create_table(
        "patient_links",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("last_used_at", Utc(), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name="fk_patient_links_visit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_patient_links"),
    )
    op.create_index("ix_patient_links_visit_id", "patient_links", ["visit_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("last_seen_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_sessions_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=True),
        sa.Column("last_used_at", Utc(), nullable=True),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_tokens_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("secret_hash", name="uq_tokens_secret_hash"),
    )
    op.create_index("ix_tokens_account_id", "tokens", ["account_id"], unique=False)


def _jobs() -> None:
    op.create_table(
        "plan_jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scenario_id", sa.String(), nullable=False),
        sa.Column("start_plan_id", sa.String(), nullable=True),
        sa.Column("plan_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("gap", sa.Float(), nullable=False),
        sa.Column("dedup_key", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("started_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="job_state"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_jobs_plan_id"),
        sa.ForeignKeyConstraint(["scenario_id"], ["scenarios.id"], name="fk_plan_jobs_scenario_id"),
        sa.ForeignKeyConstraint(["start_plan_id"], ["plans.id"], name="fk_plan_jobs_start_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_jobs"),
        sa.UniqueConstraint("dedup_key", name="uq_plan_jobs_dedup_key"),
    )
    op.create_index("ix_plan_jobs_created_at", "plan_jobs", ["created_at"], unique=False)
    op.create_index("ix_plan_jobs_scenario_id", "plan_jobs", ["scenario_id"], unique=False)
    op.create_index("ix_plan_jobs_state", "plan_jobs", ["state"], unique=False)
    op.create_table(
        "job_events",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Integer(), nullable=True),
        sa.Column("reported_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["plan_jobs.id"], name="fk_job_events_job_id"),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_job_events"),
    )
