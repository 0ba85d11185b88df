"""Providers with their shifts and busy times, and patients."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, String, Text, UniqueConstraint
from sqlmodel import Field

from api.store.columns import TableRow, Utc


class ProviderRow(TableRow, table=True):
    """A provider; ``document`` is the domain's, without shifts and busy times, which have rows of their own."""

    __tablename__ = "providers"

    id: str = Field(primary_key=True)
    name: str
    role: str
    document: str = Field(sa_type=Text)
    version: int = 1


class ShiftRow(TableRow, table=True):
    """A provider's time at work, at one of ``locations``; single items of it may be at those of ``also``."""

    __tablename__ = "shifts"
    __table_args__ = (
        UniqueConstraint("provider_id", "starts_at", name="one_shift_at_a_time"),
        CheckConstraint("starts_at < ends_at", name="shift_ends_after_start"),
    )

    id: int | None = Field(default=None, primary_key=True)
    provider_id: str = Field(foreign_key="providers.id")
    starts_at: datetime = Field(sa_type=Utc, index=True)
    ends_at: datetime = Field(sa_type=Utc)
    locations: list[str] = Field(sa_type=JSON)
    also: list[str] = Field(sa_type=JSON)


class BusyRow(TableRow, table=True):
    """A time at which a provider cannot be booked; ``source`` tells where that is known from."""

    __tablename__ = "busy_times"
    __table_args__ = (CheckConstraint("starts_at < ends_at", name="busy_ends_after_start"),)

    id: int | None = Field(default=None, primary_key=True)
    provider_id: str = Field(foreign_key="providers.id", index=True)
    starts_at: datetime = Field(sa_type=Utc, index=True)
    ends_at: datetime = Field(sa_type=Utc)
    source: str = "scenario"


class PatientRow(TableRow, table=True):
    """A patient; ``document`` is the domain's. ``email`` is where they are written to, which no scenario says.

    They are found however somebody writes them: by ``folded_id``, of :func:`scheduling.names.fold`, and by ``folded_name``, of
    :func:`scheduling.names.simplify`.
    One ``merged_into`` another is that patient: nothing new is asked for of it.
    """

    __tablename__ = "patients"

    id: str = Field(primary_key=True)
    name: str
    folded_id: str = Field(default="", index=True)
    folded_name: str = Field(default="", index=True)
    birth_date: date | None = None
    document: str = Field(sa_type=Text)
    email: str | None = None
    merged_into: str | None = Field(default=None, index=True)
    version: int = 1
    created_at: datetime = Field(sa_type=Utc)


class MergeRow(TableRow, table=True):
    """Two records of one patient became one: all of ``patient_id`` that went to ``into_id`` is in ``moved``, to be undone by.

    ``moved`` holds ids, and the rows whose key names the patient, by table (:mod:`api.store.queries.merges`).
    """

    __tablename__ = "merges"

    id: str = Field(primary_key=True)
    patient_id: str = Field(foreign_key="patients.id", index=True)
    into_id: str = Field(foreign_key="patients.id", index=True)
    moved: dict[str, Any] = Field(sa_type=JSON)
    merged_by: str
    merged_at: datetime = Field(sa_type=Utc)
    undone_by: str | None = None
    undone_at: datetime | None = Field(default=None, sa_type=Utc)


Role = Literal["scheduler", "clinician", "patient", "admin"]
ROLE = String(16)
"""Column type of a role."""
