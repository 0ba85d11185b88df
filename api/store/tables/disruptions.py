"""Changes of the world that the roster does not know: absences, closures, and extra shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import JSON, CheckConstraint, String
from sqlmodel import Field

from api.store.columns import TableRow, Utc

DisruptionKind = Literal["absence", "closure", "extra-shift"]


class DisruptionRow(TableRow, table=True):
    """A provider who is away, a location or room that is closed, or an extra shift at one of ``locations``.

    It stays beside the roster, which may be taken in anew without it.
    """

    __tablename__ = "disruptions"
    __table_args__ = (
        CheckConstraint("kind IN ('absence', 'closure', 'extra-shift')", name="disruption_kind"),
        CheckConstraint("starts_at < ends_at", name="disruption_ends_after_start"),
    )

    id: str = Field(primary_key=True)
    kind: DisruptionKind = Field(sa_type=String(16))
    provider_id: str | None = Field(default=None, foreign_key="providers.id", index=True)
    location: str | None = None
    room: str | None = None
    locations: list[str] = Field(sa_type=JSON)
    starts_at: datetime = Field(sa_type=Utc)
    ends_at: datetime = Field(sa_type=Utc, index=True)
    reason: str
    created_by: str
    created_at: datetime = Field(sa_type=Utc)
    version: int = 1
