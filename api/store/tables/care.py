"""Care over months: episodes and their history, programmes and who is in them, and referrals to other departments.

What an episode leaves open, and between which dates, is derived from its history whenever it is asked for, and kept nowhere.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, String, Text
from sqlmodel import Field

from api.store.columns import TableRow, Utc
from scheduling.care.episodes import EventKind

ReferralState = Literal["sent", "accepted", "scheduled", "done", "declined"]


class EpisodeRow(TableRow, table=True):
    """A patient on a pathway. ``is_open`` says whether its history leaves anything open, so that the others stay unread.

    ``kind`` is what was asked for when it came in, ``referrer`` who asked from outside the clinic. ``needs`` is what its visits
    need beside what their services say, an :class:`api.services.patients.needs.VisitNeeds`.
    """

    __tablename__ = "episodes"

    id: str = Field(primary_key=True)
    patient_id: str = Field(foreign_key="patients.id", index=True)
    kind: str
    pathway: str = Field(index=True)
    priority: str
    preferred_providers: list[str] = Field(sa_type=JSON)
    referrer: str | None = None
    needs: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    is_open: bool = Field(default=True, index=True)
    version: int = 1
    referred_at: datetime = Field(sa_type=Utc, index=True)


class EpisodeEventRow(TableRow, table=True):
    """Something that became known of an episode; ``number`` counts from 1. The database refuses to change or remove one."""

    __tablename__ = "episode_events"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('referred', 'planned', 'done', 'outcome', 'no-show', 'cancelled', 'dated', 'stopped', 'restarted', "
            "'withdrawn', 'retracted')",
            name="event_kind",
        ),
    )

    episode_id: str = Field(primary_key=True, foreign_key="episodes.id")
    number: int = Field(primary_key=True)
    kind: EventKind = Field(sa_type=String(16))
    known_at: datetime = Field(sa_type=Utc)
    step: str | None = None
    occurrence: int | None = None
    on_date: date | None = None
    team: list[str] = Field(sa_type=JSON)
    location: str | None = None
    outcome: str | None = None
    relief_percent: int | None = None
    name: str | None = None


class EpisodeVisitRow(TableRow, table=True):
    """Which step of which episode a visit is of, the ``number``-th of a series."""

    __tablename__ = "episode_visits"

    visit_id: str = Field(primary_key=True, foreign_key="visits.id")
    episode_id: str = Field(foreign_key="episodes.id", index=True)
    step: str
    number: int


class ProgrammeRow(TableRow, table=True):
    """A group that meets once a calendar month; ``document`` is the domain's, without people and sessions."""

    __tablename__ = "programmes"

    id: str = Field(primary_key=True)
    document: str = Field(sa_type=Text)
    version: int = 1


class MemberRow(TableRow, table=True):
    """A patient with a seat in a programme, on dates ``[since, until)``; until None: for as long as they like."""

    __tablename__ = "programme_members"

    programme_id: str = Field(primary_key=True, foreign_key="programmes.id")
    patient_id: str = Field(primary_key=True, foreign_key="patients.id", index=True)
    since: date = Field(primary_key=True)
    until: date | None = None
    priority: str


class WaitingRow(TableRow, table=True):
    """A patient who waits for a seat in a programme since a date."""

    __tablename__ = "programme_waiting"

    programme_id: str = Field(primary_key=True, foreign_key="programmes.id")
    patient_id: str = Field(primary_key=True, foreign_key="patients.id", index=True)
    since: date
    priority: str


class AttendanceRow(TableRow, table=True):
    """Whether somebody who had a seat in a session came."""

    __tablename__ = "attendances"

    booking_id: str = Field(primary_key=True, foreign_key="bookings.id")
    patient_id: str = Field(primary_key=True, foreign_key="patients.id")
    came: bool
    noted_at: datetime = Field(sa_type=Utc)


class ReferralOutRow(TableRow, table=True):
    """A patient sent to another department. Its appointment ``[starts_at, ends_at)`` is no time for visits of ours.

    A time is that at which the state of its name became known; ``closed_at`` is that of ``done`` and ``declined``.
    """

    __tablename__ = "referrals_out"
    __table_args__ = (
        CheckConstraint("state IN ('sent', 'accepted', 'scheduled', 'done', 'declined')", name="referral_state"),
        CheckConstraint("starts_at < ends_at", name="appointment_ends_after_start"),
    )

    id: str = Field(primary_key=True)
    patient_id: str = Field(foreign_key="patients.id", index=True)
    department: str
    state: ReferralState = Field(default="sent", sa_type=String(16))
    starts_at: datetime | None = Field(default=None, sa_type=Utc, index=True)
    ends_at: datetime | None = Field(default=None, sa_type=Utc)
    sent_at: datetime = Field(sa_type=Utc)
    accepted_at: datetime | None = Field(default=None, sa_type=Utc)
    scheduled_at: datetime | None = Field(default=None, sa_type=Utc)
    closed_at: datetime | None = Field(default=None, sa_type=Utc)
    version: int = 1
