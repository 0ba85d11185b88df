"""Clinicians who asked to be mailed when their day changes, and what of it they know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from api.store.columns import TableRow, Utc


class DayMailRow(TableRow, table=True):
    """Where a clinician is mailed of changes of the day, and ``told``: the date, and what stood on it when they were last told.

    A sender that has taken it has it until ``claimed_until``.
    """

    __tablename__ = "day_mails"

    provider_id: str = Field(primary_key=True, foreign_key="providers.id")
    email: str
    told: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    claimed_until: datetime | None = Field(default=None, sa_type=Utc)
    version: int = 1
    created_at: datetime = Field(sa_type=Utc)
