"""Calendars that are subscribed to, and calendars of others that are read: who may, copies, and where they come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, LargeBinary, String
from sqlmodel import Field

from api.store.columns import TableRow, Utc

FeedKind = Literal["provider", "room", "group", "location", "patient"]


class FeedRow(TableRow, table=True):
    """One subscription: what one person reads by one secret. Of the secret only its SHA-256 is kept, hexadecimal.

    It is good until ``expires_at``, unless it was revoked before. ``account_id`` is whose it is, null for a patient's.
    ``signed_for`` is whom a patient's secret was made for, when their record was merged into another since.
    """

    __tablename__ = "feeds"
    __table_args__ = (CheckConstraint("kind IN ('provider', 'room', 'group', 'location', 'patient')", name="feed_kind"),)

    id: str = Field(primary_key=True)
    kind: FeedKind = Field(sa_type=String(16))
    subject_id: str
    signed_for: str | None = None
    account_id: str | None = Field(default=None, foreign_key="accounts.id", index=True)
    secret_hash: str = Field(unique=True)
    created_by: str
    created_at: datetime = Field(sa_type=Utc)
    expires_at: datetime = Field(sa_type=Utc)
    last_used_at: datetime | None = Field(default=None, sa_type=Utc)
    revoked_at: datetime | None = Field(default=None, sa_type=Utc)


class FeedCopyRow(TableRow, table=True):
    """The last good copy of a feed; all subscriptions of one subject share it.

    ``source`` says of which state of the store it is; ``modified_at`` is when its ``digest`` last changed.
    """

    __tablename__ = "feed_copies"

    kind: FeedKind = Field(primary_key=True, sa_type=String(16))
    subject_id: str = Field(primary_key=True)
    source: str
    digest: str
    content: bytes = Field(sa_type=LargeBinary)
    modified_at: datetime = Field(sa_type=Utc)


class OutsideCalendarRow(TableRow, table=True):
    """A provider's calendar elsewhere, whose events are busy times here. ``url`` is sealed; a file that was sent has none.

    ``failure`` is why the last reading brought nothing. ``unread`` is how many parts of it could not be understood, and
    ``unread_parts`` tells the property and the start of the first of them, as
    :class:`calendars.tally.UnreadPart` has them. ``read_at`` is when its content was last understood.
    """

    __tablename__ = "outside_calendars"

    id: str = Field(primary_key=True)
    provider_id: str = Field(foreign_key="providers.id", index=True)
    name: str
    url: bytes | None = Field(default=None, sa_type=LargeBinary)
    content: bytes | None = Field(default=None, sa_type=LargeBinary)
    etag: str | None = None
    failure: str | None = None
    failures: int = 0
    unread: int = 0
    unread_parts: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    due_at: datetime = Field(sa_type=Utc, index=True)
    read_at: datetime | None = Field(default=None, sa_type=Utc)
    created_by: str
    created_at: datetime = Field(sa_type=Utc)
    version: int = 1
