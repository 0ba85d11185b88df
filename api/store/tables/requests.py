"""What is asked for: visits and their links, groups and their members, reserves.

Where any of it stands is in ``bookings``, and only there.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, String, Text
from sqlmodel import Field

from api.store.columns import TableRow, Utc

RequestState = Literal["asked", "withdrawn"]


class VisitRow(TableRow, table=True):
    """A visit asked for; ``document`` is the domain's, without ``current``. A withdrawn one stays, and is planned no more.

    ``note`` is the desk's own, and ``tags`` are what lists are filtered by: no plan, calendar or patient knows of either.
    """

    __tablename__ = "visits"
    __table_args__ = (CheckConstraint("state IN ('asked', 'withdrawn')", name="visit_state"),)

    id: str = Field(primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    patient_id: str = Field(foreign_key="patients.id", index=True)
    service: str
    priority: str
    earliest: date = Field(index=True)
    target: date | None = None
    deadline: date | None = None
    state: RequestState = Field(default="asked", sa_type=String(16))
    note: str | None = Field(default=None, sa_type=Text)
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    document: str = Field(sa_type=Text)
    version: int = 1
    created_at: datetime = Field(sa_type=Utc)


class LinkRow(TableRow, table=True):
    """One visit follows another; ``document`` is the domain's."""

    __tablename__ = "links"

    id: int | None = Field(default=None, primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    before_id: str = Field(foreign_key="visits.id", index=True)
    after_id: str = Field(foreign_key="visits.id", index=True)
    document: str = Field(sa_type=Text)


class GroupRow(TableRow, table=True):
    """One month's session of a group; ``document`` is the domain's, without candidates and ``current``."""

    __tablename__ = "groups"

    id: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    service: str
    document: str = Field(sa_type=Text)
    version: int = 1


class MembershipRow(TableRow, table=True):
    """A patient who may be given a seat in a group's session of a month."""

    __tablename__ = "memberships"
    __table_args__ = (ForeignKeyConstraint(["group_id", "month"], ["groups.id", "groups.month"]),)

    group_id: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    patient_id: str = Field(primary_key=True, foreign_key="patients.id", index=True)
    position: int
    priority: str


class ReserveRow(TableRow, table=True):
    """Capacity held on a date for a patient referred later that day; ``document`` is the domain's.

    It is released after ``expected_until``; None: when what is held for it begins.
    """

    __tablename__ = "reserves"

    id: str = Field(primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    service: str
    held_on: date = Field(index=True)
    document: str = Field(sa_type=Text)
    expected_until: datetime | None = Field(default=None, sa_type=Utc)
    version: int = 1
