"""Plans, what is published of them, and places offered to waiting patients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlmodel import Field

from api.store.columns import TableRow, Utc

BookingKind = Literal["visit", "group", "hold"]
BookingState = Literal["offered", "booked", "arrived", "done", "no-show", "cancelled"]
OccupancyKind = Literal["team", "supervisor", "room", "patient"]
Resource = Literal["provider", "room", "patient"]
OfferState = Literal["open", "accepted", "declined", "expired"]


class PlanRow(TableRow, table=True):
    """A plan, however made, as an answer to one scenario; ``document`` is the domain's. It never changes."""

    __tablename__ = "plans"

    id: str = Field(primary_key=True)
    scenario_id: str = Field(foreign_key="scenarios.id", index=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    status: str
    cost: int
    bound: int | None = None
    document: str = Field(sa_type=Text)
    created_by: str
    created_at: datetime = Field(sa_type=Utc)


class PublicationRow(TableRow, table=True):
    """One publication of a plan: from then on people live by it."""

    __tablename__ = "publications"

    id: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(foreign_key="plans.id", index=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    document: str = Field(sa_type=Text)
    added: int
    changed: int
    cancelled: int
    unchanged: int
    published_by: str
    published_at: datetime = Field(sa_type=Utc)


class BookingRow(TableRow, table=True):
    """Where a visit, group session or hold stands for everybody. Who and which room are rows of ``occupancies``.

    There is one row for each subject, whatever becomes of it: a cancelled one keeps its id, and ``version`` grows with
    every change, so that calendars know one event by both. ``month`` is that of a group session, empty for others. An
    ``offered`` one is kept for a waiting visit while its offer is open.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id", "month", name="one_booking_for_each_subject"),
        UniqueConstraint("id", "starts_at", name="booking_start"),
        CheckConstraint("starts_at < ends_at", name="booking_ends_after_start"),
        CheckConstraint("kind IN ('visit', 'group', 'hold')", name="booking_kind"),
        CheckConstraint("state IN ('offered', 'booked', 'arrived', 'done', 'no-show', 'cancelled')", name="booking_state"),
    )

    id: str = Field(primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    kind: BookingKind = Field(sa_type=String(8))
    subject_id: str
    month: str = ""
    service: str
    location: str
    starts_at: datetime = Field(sa_type=Utc, index=True)
    ends_at: datetime = Field(sa_type=Utc)
    state: BookingState = Field(default="booked", sa_type=String(16))
    notified: bool = False
    override_reason: str | None = None
    publication_id: int | None = Field(default=None, foreign_key="publications.id", index=True)
    version: int = 1
    updated_at: datetime = Field(sa_type=Utc)


class OccupancyRow(TableRow, table=True):
    """What a booking takes: a provider, the room until it is cleaned, a patient until recovered. ``[starts_at, ends_at)``.

    The database refuses two rows of one resource that overlap, supervision apart, which may be of two at once. ``position``
    is the seat in the team, or the place in the list of attendees. One that ``is_doubled`` may overlap another: two records of
    one patient were found to stand at the same time, until somebody moves one of the bookings.
    """

    __tablename__ = "occupancies"
    __table_args__ = (
        ForeignKeyConstraint(["booking_id", "starts_at"], ["bookings.id", "bookings.starts_at"]),
        CheckConstraint("starts_at < ends_at", name="occupancy_ends_after_start"),
        CheckConstraint(
            "kind IN ('team', 'supervisor') AND resource = 'provider' OR kind IN ('room', 'patient') AND resource = kind",
            name="occupancy_resource",
        ),
        Index("ix_occupancies_taken", "resource", "resource_id", "starts_at"),
    )

    booking_id: str = Field(primary_key=True)
    kind: OccupancyKind = Field(primary_key=True, sa_type=String(16))
    position: int = Field(primary_key=True)
    resource: Resource = Field(sa_type=String(16))
    resource_id: str
    starts_at: datetime = Field(sa_type=Utc)
    ends_at: datetime = Field(sa_type=Utc)
    is_doubled: bool = False


class ShiftPlaceRow(TableRow, table=True):
    """The location that a published plan has chosen for a shift."""

    __tablename__ = "shift_places"

    provider_id: str = Field(primary_key=True, foreign_key="providers.id")
    starts_at: datetime = Field(primary_key=True, sa_type=Utc)
    location: str


class OfferRow(TableRow, table=True):
    """A place kept for a waiting visit until ``expires_at``, by the visit's booking in state ``offered``.

    ``asks``: the visit is asked for by it alone, and is withdrawn with it.
    """

    __tablename__ = "offers"
    __table_args__ = (CheckConstraint("state IN ('open', 'accepted', 'declined', 'expired')", name="offer_state"),)

    id: str = Field(primary_key=True)
    visit_id: str = Field(foreign_key="visits.id", index=True)
    state: OfferState = Field(default="open", sa_type=String(16))
    expires_at: datetime = Field(sa_type=Utc, index=True)
    asks: bool = False
    created_by: str
    created_at: datetime = Field(sa_type=Utc)
    version: int = 1


class ChangeSetRow(TableRow, table=True):
    """Changes of a period that were applied together; ``document`` tells where their visits stood before, and after."""

    __tablename__ = "change_sets"

    id: str = Field(primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    document: dict[str, Any] = Field(sa_type=JSON)
    reverses: str | None = None
    reversed_by: str | None = None
    created_by: str
    created_at: datetime = Field(sa_type=Utc, index=True)
