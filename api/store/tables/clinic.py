"""The store's epoch, the clinic, the periods that it plans, and the scenarios as they were when a plan was asked for."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Text
from sqlmodel import Field

from api.store.columns import TableRow, Utc


class EpochRow(TableRow, table=True):
    """Which past the store has: one row, made anew by a restore. Versions of two epochs have nothing to do with each other."""

    __tablename__ = "epochs"

    id: str = Field(primary_key=True)


class ClinicRow(TableRow, table=True):
    """The clinic: one row."""

    __tablename__ = "clinics"

    id: str = Field(primary_key=True)
    timezone: str
    document: str = Field(sa_type=Text)
    version: int = 1


class PeriodRow(TableRow, table=True):
    """Dates that are planned together, ``[starts_on, ends_on)``; its id is that of the scenario it came with.

    ``version`` grows with every change of anything that its plan depends on or consists of.
    """

    __tablename__ = "periods"
    __table_args__ = (CheckConstraint("starts_on < ends_on", name="period_ends_after_start"),)

    id: str = Field(primary_key=True)
    starts_on: date = Field(index=True)
    ends_on: date
    freeze_minutes: int = 0
    policy: str = Field(sa_type=Text)
    version: int = 1


class PeriodVersionRow(TableRow, table=True):
    """A version of a period, and the entry of the audit that was the last when it began: what made it comes after that."""

    __tablename__ = "period_versions"

    period_id: str = Field(primary_key=True, foreign_key="periods.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    audit_sequence: int


class ScenarioRow(TableRow, table=True):
    """A scenario as a plan was asked for, never changed; ``digest`` is the SHA-256 of ``document``, hexadecimal."""

    __tablename__ = "scenarios"

    id: str = Field(primary_key=True)
    period_id: str = Field(foreign_key="periods.id", index=True)
    period_version: int
    digest: str = Field(index=True)
    document: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Utc)
